import { AuthError, type Right, readAuthorization } from '../../auth/index.ts';
import { HttpError, type HttpRequest } from '../../http/index.ts';
import type { Broker } from '../broker/api.ts';
import { type Context, encodePath } from './atom/context.ts';
import type { AuthorityLike, GrantLike } from './authority.ts';

const BARE_JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** One request, and what is needed to answer it. */
export class Call {
  readonly broker: Broker;
  readonly request: HttpRequest;
  readonly context: Context;
  readonly #authority: AuthorityLike;
  #manages = false;

  constructor(broker: Broker, authority: AuthorityLike, request: HttpRequest, context: Context) {
    this.broker = broker;
    this.request = request;
    this.context = context;
    this.#authority = authority;
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
    if (!grant.allows(this.request.path, right)) throw this.#unauthorized(refusal);
    this.#manages ||= right === 'manage';
    return grant;
  }

  /** For an answer that everybody gets: who may manage is billed for it as well. @throws HttpError 401 for a token that is not good */
  async recognize(): Promise<void> {
    const grant = await this.grant();
    this.#manages ||= grant.allows(this.request.path, 'manage');
  }

  /** What the request's own token grants at a path. @throws HttpError 401 */
  grant(path = this.request.path): Promise<GrantLike> {
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
}
