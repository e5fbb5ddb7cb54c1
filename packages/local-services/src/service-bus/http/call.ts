import type { IncomingMessage } from 'node:http';
import { AuthError, type Right, readAuthorization } from '../../auth/index.ts';
import { badRequest, HttpError } from '../../http/http-error.ts';
import type { Broker } from '../broker/api.ts';
import { type Context, encodePath } from './atom/context.ts';
import type { AuthorityLike, GrantLike } from './authority.ts';

const BARE_JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** An answer, before it is on the wire. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The client went before it had the answer. */
  readonly undelivered?: () => void;
}

/** One request, and what is needed to answer it. */
export class Call {
  readonly broker: Broker;
  readonly request: IncomingMessage;
  readonly method: string;
  /** Path and query as they came. */
  readonly url: string;
  /** Decoded, without a leading slash. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly context: Context;
  /** Aborted when the client goes. */
  readonly signal: AbortSignal;
  readonly #authority: AuthorityLike;
  #manages = false;

  constructor(parts: {
    readonly broker: Broker;
    readonly authority: AuthorityLike;
    readonly request: IncomingMessage;
    readonly url: string;
    readonly path: string;
    readonly query: URLSearchParams;
    readonly context: Context;
    readonly signal: AbortSignal;
  }) {
    this.broker = parts.broker;
    this.request = parts.request;
    this.method = parts.request.method ?? 'GET';
    this.url = parts.url;
    this.path = parts.path;
    this.query = parts.query;
    this.context = parts.context;
    this.signal = parts.signal;
    this.#authority = parts.authority;
  }

  get authenticates(): boolean {
    return this.request.headers.authorization !== undefined;
  }

  /** Has the right to manage been asked for and granted? Then this is an operation to bill. */
  get manages(): boolean {
    return this.#manages;
  }

  /** @param refusal told when the token is valid and the right missing @throws HttpError 401 */
  async authorize(right: Right, refusal: string): Promise<GrantLike> {
    const grant = await this.grant();
    if (!grant.allows(this.path, right)) throw this.#unauthorized(refusal);
    this.#manages ||= right === 'manage';
    return grant;
  }

  /** For an answer that everybody gets: who may manage is billed for it as well. @throws HttpError 401 for a token that is not good */
  async recognize(): Promise<void> {
    const grant = await this.grant();
    this.#manages ||= grant.allows(this.path, 'manage');
  }

  /** What the request's own token grants at a path. @throws HttpError 401 */
  grant(path = this.path): Promise<GrantLike> {
    return this.#verify(this.request.headers.authorization, path);
  }

  /** What a further token grants: the headers that go with forwarding. @throws HttpError 401 */
  supplementaryGrant(header: string, path: string): Promise<GrantLike> | undefined {
    const token = this.request.headers[header];
    if (typeof token !== 'string') return undefined;
    // The vendor's client puts a JWT there as it is, without a scheme.
    return this.#verify(BARE_JWT.test(token) ? `Bearer ${token}` : token, path);
  }

  refuse(refusal: string): never {
    throw this.#unauthorized(refusal);
  }

  async #verify(header: string | undefined, path: string): Promise<GrantLike> {
    try {
      const { kind, token } = readAuthorization(header);
      const audience = `${this.context.origin}/${encodePath(path)}`;
      return await this.#authority.verify(kind, token, audience, this.broker.now());
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      throw error.status === 401 ? this.#unauthorized(error.message) : new HttpError(error.status, error.message);
    }
  }

  #unauthorized(detail: string): HttpError {
    const realm = `${this.context.origin}/`;
    return new HttpError(401, detail, { headers: { 'WWW-Authenticate': `SharedAccessSignature realm="${realm}"` } });
  }

  /** @throws HttpError `status` when there is more than `maxBytes`, and then without reading it all */
  async body(maxBytes: number, status: number, detail: string): Promise<Buffer> {
    const tooLarge = () => new HttpError(status, detail, { headers: { Connection: 'close' } });
    const declared = Number(this.request.headers['content-length'] ?? 0);
    if (declared > maxBytes) throw tooLarge();
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of this.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        bytes += chunk.byteLength;
        if (bytes > maxBytes) throw tooLarge();
        chunks.push(chunk);
      }
    } catch (error) {
      if (error instanceof HttpError) throw error;
      throw badRequest('The request ended before its body did.');
    }
    return Buffer.concat(chunks, bytes);
  }
}
