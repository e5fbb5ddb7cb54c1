import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { badRequest, HttpError } from './http-error.ts';
import { segmentsOf } from './path-segments.ts';

/** One request, read as far as its head. */
export class HttpRequest {
  readonly incoming: IncomingMessage;
  readonly method: string;
  /** Path and query as they came, without the origin that proxies are asked with. */
  readonly url: string;
  /** Of the path, decoded, without empty ones at its ends. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  /** Name or address, and port, by which the client calls the service. */
  readonly host: string;
  /** Scheme, host and port: `http://localhost:5300`. */
  readonly origin: string;
  /** Aborted when the client goes. */
  readonly signal: AbortSignal;

  /** @throws HttpError 400 where host or path are not valid */
  constructor(incoming: IncomingMessage, signal: AbortSignal) {
    this.incoming = incoming;
    this.signal = signal;
    this.method = incoming.method ?? 'GET';
    this.host = hostOf(incoming);
    this.origin = `${(incoming.socket as TLSSocket).encrypted ? 'https' : 'http'}://${this.host}`;
    this.url = (incoming.url ?? '/').replace(/^\w+:\/\/[^/]*/, '');
    const mark = this.url.indexOf('?');
    this.segments = segmentsOf(mark === -1 ? this.url : this.url.slice(0, mark));
    this.query = new URLSearchParams(mark === -1 ? '' : this.url.slice(mark + 1));
  }

  get headers(): IncomingHttpHeaders {
    return this.incoming.headers;
  }

  /** Decoded, without slashes at its ends. */
  get path(): string {
    return this.segments.join('/');
  }

  /** @throws HttpError `status` with `message` if there is more than `maxBytes`, and then without reading it all */
  async body(maxBytes: number, status = 413, message = `The body has more than ${maxBytes} bytes.`): Promise<Buffer> {
    const tooLarge = () => new HttpError(status, message, { headers: { Connection: 'close' } });
    const declared = Number(this.headers['content-length'] ?? 0);
    if (declared > maxBytes) throw tooLarge();
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of this.incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
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

/** The name the client calls the service by: answers may hold URLs, which must lead back here. @throws HttpError 400 */
function hostOf(incoming: IncomingMessage): string {
  const host = incoming.headers.host ?? '';
  if (/^(?:[\w.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i.test(host)) return host;
  throw badRequest('The Host header is missing or not valid.');
}
