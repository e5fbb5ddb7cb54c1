/** Mounts `broadcaster.endpoint`, or any function from a `Request` to a `Response`, in the HTTP servers of Node and of clouds. Imports nothing of Node's. */

import { count, type OptionNames, optionsOf } from './contract/checked-option.ts';
import { describeError } from './contract/describe-error.ts';
import { type ErrorCode, isPolycastError, PolycastError, retryAfterMsOf } from './contract/error.ts';

/** What answers a request, such as `(request) => broadcaster.endpoint(request)`. */
export type Endpoint = (request: Request) => Promise<Response>;

/** @default for `maxBodyBytes`: 2 MiB */
export const DEFAULT_MAX_BODY_BYTES = 2_097_152;

export interface EndpointOptions {
  /** Maximum size of a request body, in bytes. A larger one is answered with 413, and not read to the end. @default {@link DEFAULT_MAX_BODY_BYTES} */
  readonly maxBodyBytes?: number;
  /**
   * Called for each request that failed with a status of 500 or above. What it throws is ignored.
   * @default prints errors with the code `internal` or `invalid-configuration` with `console.error`
   */
  readonly onError?: (error: PolycastError) => void;
}

/** The same endpoint for each kind of server. None of them rejects: errors are answered as `application/problem+json` with the error's `code`. */
export interface EndpointHandlers {
  /** For servers that use the web's `Request` and `Response`: Deno, Bun, workers, Hono's `app.mount`. */
  fetch(request: RequestLike): Promise<Response>;
  /** For `http.createServer` and for Express: `app.use(path, node)`. A body parser may have read the body before, if it is JSON, a string or bytes. */
  node(request: NodeRequest, response: NodeResponse): Promise<void>;
  /** For Hono: `app.all(path, hono)`. Paths below it need a wildcard: `/hooks/*`. */
  hono(context: { readonly req: { readonly raw: Request } }): Promise<Response>;
  /** For Azure Functions, programming model v4: `app.http(name, { handler: azure })`. */
  azure(request: RequestLike): Promise<AzureResponse>;
}

/** The part of a `Request` that is read. An `HttpRequest` of Azure Functions has it. */
export interface RequestLike {
  readonly method: string;
  readonly url: string;
  readonly headers: Iterable<[string, string]> & { get(name: string): string | null };
  // Of whichever copy of the web's streams.
  readonly body: unknown;
  readonly signal?: AbortSignal;
}

/** An `HttpResponseInit` of Azure Functions. */
export interface AzureResponse {
  readonly status: number;
  readonly headers: [string, string][];
  readonly body?: ReadableStream<Uint8Array>;
}

/** The part of an `IncomingMessage` that is used. */
export interface NodeRequest extends AsyncIterable<unknown> {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Express: the whole URL, where the handler is mounted below a path. */
  readonly originalUrl?: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly socket: object;
  readonly readableEnded: boolean;
  /** Express: what a body parser made of it. */
  readonly body?: unknown;
}

/** The part of a `ServerResponse` that is used. */
export interface NodeResponse {
  statusCode: number;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  setHeader(name: string, value: string | readonly string[]): unknown;
  write(chunk: Uint8Array): boolean;
  end(): unknown;
  destroy(): unknown;
  on(event: 'close' | 'drain' | 'error', listener: () => void): unknown;
  off(event: 'close' | 'drain' | 'error', listener: () => void): unknown;
}

const ENDPOINT_OPTIONS: OptionNames<EndpointOptions> = { maxBodyBytes: 1, onError: 1 };

/**
 * Mounts an endpoint: `endpointHandlers((request) => broadcaster.endpoint(request))`. See {@link EndpointHandlers}.
 * @throws TypeError for an endpoint that is not a function, and for an option that is invalid or does not exist
 */
export function endpointHandlers(endpoint: Endpoint, options: EndpointOptions = {}): EndpointHandlers {
  if (typeof endpoint !== 'function') {
    throw new TypeError('endpointHandlers takes a function, such as (request) => broadcaster.endpoint(request)');
  }
  optionsOf('endpointHandlers', options, ENDPOINT_OPTIONS);
  const { maxBodyBytes = DEFAULT_MAX_BODY_BYTES, onError = printed } = options;
  count('maxBodyBytes', maxBodyBytes, 0);
  if (typeof onError !== 'function') throw new TypeError('onError must be a function');

  async function answer(read: () => Promise<Request>): Promise<Response> {
    try {
      const response: unknown = await endpoint(await read());
      if (response instanceof Response) return response;
      throw new PolycastError('internal', 'the endpoint did not return a Response');
    } catch (thrown) {
      return problem(PolycastError.from(thrown), onError);
    }
  }

  const fetch = (request: RequestLike) => answer(() => bounded(request, maxBodyBytes));
  return {
    fetch,
    hono: ({ req }) => fetch(req.raw),
    async azure(request) {
      const { status, headers, body } = await fetch(request);
      return { status, headers: [...headers], ...(body === null ? {} : { body }) };
    },
    async node(request, response) {
      const gone = new AbortController();
      const onClose = () => gone.abort();
      response.on('close', onClose);
      // A connection that breaks is closed next.
      response.on('error', ignore);
      const made = await answer(() => requestOf(request, maxBodyBytes, gone.signal));
      try {
        await send(made, response, request.method === 'HEAD', gone.signal, !request.readableEnded);
      } catch {
        // The body failed half way: the client must not take it for whole.
        response.destroy();
      }
      response.off('close', onClose);
    },
  };
}

// ── requests ──

async function bounded(request: RequestLike, maxBodyBytes: number): Promise<Request> {
  checkDeclared(request.headers.get('content-length'), maxBodyBytes);
  const body = request.body as ReadableStream<Uint8Array> | null | undefined;
  const bytes = body ? await collect(chunksOf(body), maxBodyBytes) : undefined;
  return makeRequest(request.url, request.method, new Headers([...request.headers]), bytes, request.signal);
}

async function requestOf(request: NodeRequest, maxBodyBytes: number, signal: AbortSignal): Promise<Request> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    // Of HTTP/2.
    if (value === undefined || name.startsWith(':')) continue;
    for (const one of typeof value === 'string' ? [value] : value) headers.append(name, one);
  }
  checkDeclared(headers.get('content-length'), maxBodyBytes);
  const bytes = request.readableEnded ? parsed(request, maxBodyBytes) : await collect(request, maxBodyBytes);
  const scheme = (request.socket as { encrypted?: boolean }).encrypted === true ? 'https' : 'http';
  const host = headers.get('host') ?? request.headers[':authority'] ?? 'localhost';
  const target = request.originalUrl ?? request.url ?? '/';
  // A path that begins with two slashes is a path.
  const url = target.startsWith('/') ? `${scheme}://${host}${target}` : target;
  return makeRequest(url, request.method ?? 'GET', headers, bytes, signal);
}

function makeRequest(
  url: string,
  method: string,
  headers: Headers,
  bytes: Uint8Array | undefined,
  signal: AbortSignal | undefined,
): Request {
  const takesBody = method !== 'GET' && method !== 'HEAD';
  try {
    return new Request(url, {
      method,
      headers,
      ...(signal === undefined ? {} : { signal }),
      ...(takesBody && bytes !== undefined && bytes.byteLength > 0 ? { body: bytes as Uint8Array<ArrayBuffer> } : {}),
    });
  } catch (cause) {
    throw new PolycastError('invalid-event', 'the request has an invalid URL, method or header', { cause });
  }
}

function checkDeclared(length: string | null, maxBodyBytes: number): void {
  if (length !== null && Number(length) > maxBodyBytes) throw tooLarge(maxBodyBytes);
}

function tooLarge(maxBodyBytes: number): PolycastError {
  return new PolycastError('payload-too-large', `the body of a request must not exceed ${maxBodyBytes} bytes`);
}

/** All of it. @throws PolycastError `payload-too-large`, as soon as it is */
async function collect(chunks: AsyncIterable<unknown>, maxBodyBytes: number): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of chunks) {
      const bytes = typeof chunk === 'string' ? new TextEncoder().encode(chunk) : (chunk as Uint8Array);
      length += bytes.byteLength;
      if (length > maxBodyBytes) throw tooLarge(maxBodyBytes);
      all.push(bytes);
    }
  } catch (thrown) {
    if (isPolycastError(thrown)) throw thrown;
    throw new PolycastError('aborted', 'the request ended before its body was complete', { cause: thrown });
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const bytes of all) {
    body.set(bytes, at);
    at += bytes.byteLength;
  }
  return body;
}

/** Not every stream of the web can be iterated. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // What is left of it is of no interest.
    await reader.cancel().catch(ignore);
  }
}

/** A body parser of Express has read it. */
function parsed({ body, headers }: NodeRequest, maxBodyBytes: number): Uint8Array | undefined {
  if (body === undefined) return undefined;
  const isJson = /\bjson\b/i.test(String(headers['content-type']));
  if (!(body instanceof Uint8Array) && typeof body !== 'string' && !isJson) {
    throw new PolycastError(
      'invalid-configuration',
      'a body parser has read the body: mount the endpoint before body parsers',
    );
  }
  const text = typeof body === 'string' && !isJson ? body : JSON.stringify(body);
  const bytes = body instanceof Uint8Array ? body : new TextEncoder().encode(text);
  if (bytes.byteLength > maxBodyBytes) throw tooLarge(maxBodyBytes);
  return bytes;
}

// ── responses ──

async function send(
  made: Response,
  response: NodeResponse,
  isHead: boolean,
  gone: AbortSignal,
  hasUnread: boolean,
): Promise<void> {
  if (gone.aborted) return void made.body?.cancel().catch(ignore);
  response.statusCode = made.status;
  for (const [name, value] of made.headers) if (name !== 'set-cookie') response.setHeader(name, value);
  const cookies = made.headers.getSetCookie();
  if (cookies.length > 0) response.setHeader('set-cookie', cookies);
  // What was not read would be taken for the next request.
  if (hasUnread) response.setHeader('connection', 'close');
  if (made.body === null || isHead) {
    void made.body?.cancel().catch(ignore);
    response.end();
    return;
  }
  const reader = made.body.getReader();
  const onGone = () => void reader.cancel().catch(ignore);
  gone.addEventListener('abort', onGone);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || gone.aborted) break;
      if (!response.write(value)) await drained(response, gone);
    }
    if (!gone.aborted) response.end();
  } finally {
    gone.removeEventListener('abort', onGone);
  }
}

function drained(response: NodeResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
    if (gone.aborted) done();
  });
}

/** Statuses of 500 and above make the other side try again. */
const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  'invalid-address': 400,
  'invalid-topic': 400,
  'invalid-event': 400,
  'invalid-payload': 400,
  'invalid-filter': 400,
  'schema-mismatch': 400,
  'corrupt-event': 400,
  unauthorized: 403,
  'not-found': 404,
  'duplicate-instance': 409,
  'lock-lost': 409,
  'payload-too-large': 413,
  unsupported: 501,
  'protocol-mismatch': 502,
  unreachable: 503,
  disconnected: 503,
  throttled: 503,
  'storage-full': 503,
  overloaded: 503,
  closed: 503,
  aborted: 503,
  timeout: 504,
};

/** RFC 9457. The reason for a 5xx goes to `onError`, and not to the client. */
function problem(error: PolycastError, onError: (error: PolycastError) => void): Response {
  const { code } = error;
  const status = STATUS[code] ?? 500;
  const detail = status < 500 ? error.message : undefined;
  if (status >= 500) {
    try {
      onError(error);
    } catch {
      // Stated: what it throws is ignored.
    }
  }
  const headers = new Headers({ 'content-type': 'application/problem+json' });
  const retryAfterMs = retryAfterMsOf(error);
  if (retryAfterMs > 0) headers.set('retry-after', String(Math.ceil(retryAfterMs / 1_000)));
  return new Response(JSON.stringify({ status, title: code, code, detail }), { status, headers });
}

function printed(error: PolycastError): void {
  if (error.code === 'internal' || error.code === 'invalid-configuration') {
    console.error(`Polycast endpoint: ${describeError(error)}`, error.cause ?? '');
  }
}

function ignore(): void {}
