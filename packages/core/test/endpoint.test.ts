import { once } from 'node:events';
import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { setTimeout as pass } from 'node:timers/promises';
import type { Link, LinkContext, Transport } from '@polycast/core/adapter';
import {
  type Endpoint,
  type EndpointOptions,
  endpointHandlers,
  type NodeRequest,
  type NodeResponse,
} from '@polycast/core/endpoint';
import { Hono } from 'hono';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { BroadcastEvent } from '../src/adapter.ts';
import { type Broadcaster, connect, PolycastError } from '../src/index.ts';
import { LoopTransport } from './loop-transport.ts';

/** A service that delivers by webhook: what it posts comes to the subscriptions. */
class WebhookTransport extends LoopTransport {
  override async open(context: LinkContext): Promise<Link> {
    const link = await super.open(context);
    link.endpoint = async (request) => {
      if (request.method !== 'POST') return new Response('this is a webhook', { status: 405 });
      const { id, data } = (await request.json()) as { id?: unknown; data?: unknown };
      if (typeof id !== 'string') throw new PolycastError('corrupt-event', 'an event needs an id');
      const event = new BroadcastEvent({ type: 'order', source: '/hook/1', id, data });
      for (const { sink } of this.sinks) sink.deliver(event);
      return Response.json({ taken: id });
    };
    return link;
  }
}

const opened: Broadcaster[] = [];
const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close({ drainMs: 0 })));
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function join(transport: Transport): Promise<Broadcaster> {
  const one = await connect({ transport, topic: 'orders' });
  opened.push(one);
  return one;
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const quiet: EndpointOptions = { onError: () => {} };

/** The same endpoint behind each kind of server: how a request reaches it, and an answer comes back. */
const MOUNTS: Readonly<
  Record<
    string,
    (endpoint: Endpoint, options?: EndpointOptions) => Promise<(path: string, init?: RequestInit) => Promise<Response>>
  >
> = {
  async 'node:http'(endpoint, options) {
    const url = await listen(endpointHandlers(endpoint, options).node);
    return (path, init) => fetch(url + path, init);
  },
  async Express(endpoint, options) {
    // Its types are not installed.
    const { default: express } = (await import('express' as string)) as {
      default: () => RequestListener & { use: (path: string, handler: unknown) => void };
    };
    const app = express();
    app.use('/hooks', endpointHandlers(endpoint, options).node);
    const url = await listen(app);
    return (path, init) => fetch(`${url}/hooks${path}`, init);
  },
  async Hono(endpoint, options) {
    const app = new Hono();
    app.all('/*', endpointHandlers(endpoint, options).hono);
    return async (path, init) => app.request(`http://hono${path}`, init);
  },
  async 'Azure Functions'(endpoint, options) {
    const { azure } = endpointHandlers(endpoint, options);
    return async (path, init) => {
      // The shape of an HttpRequest: no Request, and without a signal.
      const { method, url, headers, body } = new Request(`https://functions.test/api${path}`, init);
      const answer = await azure({ method, url, headers, body });
      return new Response(answer.body ?? null, { status: answer.status, headers: answer.headers });
    };
  },
};

describe.each(Object.entries(MOUNTS))('%s', (_, mount) => {
  test('brings a request to the broadcaster, and its answer back', async () => {
    const one = await join(new WebhookTransport({ endpoint: 'native' }));
    const handled: unknown[] = [];
    await one.subscribe(({ data }) => void handled.push(data));
    const call = await mount((request) => one.endpoint(request));
    const answer = await call('/x?a=1', { method: 'POST', body: JSON.stringify({ id: '1', data: { n: 7 } }) });
    expect([answer.status, await answer.json()]).toEqual([200, { taken: '1' }]);
    await vi.waitFor(() => expect(handled).toEqual([{ n: 7 }]));
    const wrong = await call('/x');
    expect([wrong.status, await wrong.text()]).toEqual([405, 'this is a webhook']);
  });

  test('hands over method, path, query, headers and bytes, and returns status, headers and cookies', async () => {
    const call = await mount(async (request) => {
      const { pathname, search } = new URL(request.url);
      const bytes = [...new Uint8Array(await request.arrayBuffer())];
      const seen = {
        method: request.method,
        path: pathname.replace(/^\/(hooks|api)/, ''),
        search,
        bytes,
        x: request.headers.get('x-one'),
      };
      const headers = new Headers({ 'x-seen': JSON.stringify(seen) });
      headers.append('set-cookie', 'a=1');
      headers.append('set-cookie', 'b=2');
      return new Response(null, { status: 202, headers });
    });
    const answer = await call('//a/b?c=%20d', {
      method: 'PUT',
      headers: { 'x-one': 'y' },
      body: new Uint8Array([0, 255, 7]),
    });
    expect(answer.status).toBe(202);
    expect(JSON.parse(answer.headers.get('x-seen') ?? '')).toEqual({
      method: 'PUT',
      path: '//a/b',
      search: '?c=%20d',
      bytes: [0, 255, 7],
      x: 'y',
    });
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  test.each([
    [new PolycastError('corrupt-event', 'not an event'), 400, 'not an event'],
    [new PolycastError('unauthorized', 'a wrong signature'), 403, 'a wrong signature'],
    [new PolycastError('throttled', 'secret', { retryAfterMs: 2_500 }), 503, undefined],
    [new PolycastError('timeout', 'secret'), 504, undefined],
    [new Error('secret'), 500, undefined],
    [undefined, 500, undefined],
  ])('answers %s with %i', async (thrown, status, detail) => {
    const errors: PolycastError[] = [];
    const call = await mount(() => Promise.reject(thrown), { onError: (error) => errors.push(error) });
    const answer = await call('/', { method: 'POST', body: 'x' });
    const text = await answer.text();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    expect(JSON.parse(text)).toMatchObject({
      status,
      code: thrown instanceof PolycastError ? thrown.code : 'internal',
    });
    if (detail === undefined) expect(text).not.toContain('secret');
    else expect(JSON.parse(text).detail).toContain(detail);
    expect(answer.headers.get('retry-after')).toBe(thrown instanceof PolycastError && thrown.retryAfterMs ? '3' : null);
    expect(errors).toHaveLength(status >= 500 ? 1 : 0);
  });

  test('takes a body of the maximum size, and refuses a larger one, also where it does not say how large it is', async () => {
    let calls = 0;
    const call = await mount(
      async (request) => {
        calls++;
        return new Response(String((await request.arrayBuffer()).byteLength));
      },
      { maxBodyBytes: 100_000, ...quiet },
    );
    expect(await (await call('/', { method: 'POST', body: 'x'.repeat(100_000) })).text()).toBe('100000');
    for (const body of ['x'.repeat(100_001), streamOf(Array.from({ length: 50 }, () => 'x'.repeat(10_000)))]) {
      const refused = await call('/', { method: 'POST', body, duplex: 'half' } as RequestInit).catch(
        (error: unknown) => error,
      );
      // The server may end the connection while the rest is still being sent.
      if (refused instanceof Response) {
        expect([refused.status, await refused.json()]).toMatchObject([413, { code: 'payload-too-large' }]);
      }
    }
    expect(calls).toBe(1);
  });

  test('passes on a response as it comes', async () => {
    let next: ((text: string | undefined) => void) | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        next = (text) => (text === undefined ? controller.close() : controller.enqueue(new TextEncoder().encode(text)));
      },
    });
    const call = await mount(async () => new Response(body));
    next?.('one');
    const answer = await call('/');
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    const read = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await read()).toBe('one');
    next?.('two');
    expect(await read()).toBe('two');
    next?.(undefined);
    expect((await reader.read()).done).toBe(true);
  });
});

function streamOf(parts: readonly string[]): ReadableStream<Uint8Array> {
  const left = [...parts];
  return new ReadableStream({
    pull(controller) {
      const part = left.shift();
      if (part === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(part));
    },
  });
}

describe('on a socket', () => {
  test('a client that leaves aborts the request', async () => {
    let signal: AbortSignal | undefined;
    const url = await listen(
      endpointHandlers((request) => {
        signal = request.signal;
        return new Promise((_, reject) =>
          signal?.addEventListener('abort', () => reject(new PolycastError('aborted', 'gone'))),
        );
      }, quiet).node,
    );
    const leaving = new AbortController();
    const called = fetch(url, { signal: leaving.signal }).catch(() => 'left');
    await vi.waitFor(() => expect(signal).toBeDefined());
    leaving.abort();
    expect(await called).toBe('left');
    await vi.waitFor(() => expect(signal?.aborted).toBe(true));
  });

  test('a client that leaves a stream ends it', async () => {
    const cancel = vi.fn();
    const url = await listen(
      endpointHandlers(
        async () => new Response(new ReadableStream({ start: (it) => it.enqueue(new Uint8Array(10)), cancel })),
      ).node,
    );
    const answer = await fetch(url);
    await answer.body?.cancel();
    await vi.waitFor(() => expect(cancel).toHaveBeenCalledOnce());
  });

  test('a slow reader is waited for', async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await pass(0);
        if (++pulled > 400) return controller.close();
        controller.enqueue(new Uint8Array(100_000));
      },
    });
    const url = await listen(endpointHandlers(async () => new Response(body)).node);
    const message = await new Promise<import('node:http').IncomingMessage>((resolve) =>
      httpRequest(url, resolve).end(),
    );
    message.pause();
    // It stands still once the buffers between the two are full.
    let last = -1;
    await vi.waitFor(
      async () => {
        const before = pulled;
        await pass(100);
        last = pulled;
        expect(last).toBe(before);
      },
      { timeout: 10_000 },
    );
    expect(last).toBeLessThan(400);
    let length = 0;
    for await (const chunk of message) length += (chunk as Buffer).length;
    expect(length).toBe(40_000_000);
  });

  test('a body that fails half way is not taken for whole', async () => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(10)),
      pull: (controller) => controller.error(new Error('broken')),
    });
    const url = await listen(endpointHandlers(async () => new Response(body)).node);
    await expect(fetch(url).then((answer) => answer.arrayBuffer())).rejects.toThrow();
  });

  test.each([
    'GET / HTTP/1.1\r\nHost: a b\r\n\r\n',
    'GET http://%zz HTTP/1.1\r\nHost: a\r\n\r\n',
    'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n',
  ])('a request that cannot be one is answered with 400: %j', async (text) => {
    const endpoint = vi.fn();
    const url = new URL(await listen(endpointHandlers(endpoint, quiet).node));
    const socket = connectTcp(Number(url.port), url.hostname, () => socket.write(text));
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    expect(bytes.toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect(endpoint).not.toHaveBeenCalled();
    socket.destroy();
  });

  test('a body parser of Express may have come before', async () => {
    const { default: express } = (await import('express' as string)) as {
      default: {
        (): RequestListener & { use(...handlers: unknown[]): void };
        json(): unknown;
        urlencoded(options: object): unknown;
      };
    };
    const app = express();
    app.use(express.json(), express.urlencoded({ extended: false }));
    app.use(endpointHandlers(async (request) => new Response(await request.text()), quiet).node);
    const url = await listen(app);
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a": [1]}' };
    expect(await (await fetch(url, json)).text()).toBe('{"a":[1]}');
    const form = await fetch(url, { method: 'POST', body: new URLSearchParams({ a: '1' }) });
    expect([form.status, (await form.json()).code]).toEqual([500, 'invalid-configuration']);
  });

  test('an Express that answers below a mount path hands over the whole URL', async () => {
    const { node } = endpointHandlers(async (request) => new Response(request.url));
    const response = {
      statusCode: 0,
      on: () => {},
      off: () => {},
      setHeader: () => {},
      write: vi.fn(() => true),
      end: () => {},
      destroy: () => {},
      headersSent: false,
      writableEnded: false,
    };
    const request = {
      method: 'GET',
      url: '/x',
      originalUrl: '/hooks/x',
      headers: { host: 'h' },
      socket: { encrypted: true },
      readableEnded: true,
      async *[Symbol.asyncIterator]() {},
    };
    await node(request as NodeRequest, response as unknown as NodeResponse);
    expect(Buffer.from((response.write.mock.calls as unknown as [[Uint8Array]])[0][0]).toString()).toBe(
      'https://h/hooks/x',
    );
  });
});

test.each([
  [{ maxBody: 5 }, 'endpointHandlers: unknown option "maxBody"; did you mean "maxBodyBytes"?'],
  [5, 'endpointHandlers takes its options as an object'],
  [{ maxBodyBytes: -1 }, 'maxBodyBytes must be an integer of at least 0'],
  [{ onError: 'log' }, 'onError must be a function'],
])('options that are not valid are refused: %j', (options, message) => {
  const mounting = () => endpointHandlers(async () => new Response(), options as never);
  expect(mounting).toThrow(expect.objectContaining({ name: 'TypeError', message }));
});

test('a broadcaster in place of its endpoint is refused, saying what to write', () => {
  expect(() => endpointHandlers({} as never)).toThrow(
    'endpointHandlers takes a function, such as (request) => broadcaster.endpoint(request)',
  );
});

describe('broadcaster.endpoint', () => {
  test('rejects with unsupported on a transport without one, and names those with', async () => {
    const transport = Object.assign(new LoopTransport({ endpoint: 'none' }), {
      offeredBy: () => ({ endpoint: ['hooks'] }),
    });
    const one = await join(transport);
    const asked = one.endpoint(new Request('http://x/'));
    await expect(asked).rejects.toMatchObject({ code: 'unsupported' });
    await expect(asked).rejects.toThrow(/endpoint\(\) \(capability endpoint\); available on: hooks/);
  });

  test('rejects with the code of what is wrong, and with closed', async () => {
    const one = await join(new WebhookTransport({ endpoint: 'native' }));
    const post = () => one.endpoint(new Request('http://x/', { method: 'POST', body: '{}' }));
    await expect(post()).rejects.toMatchObject({ code: 'corrupt-event' });
    await expect(one.endpoint(new Request('http://x/', { method: 'POST', body: '{' }))).rejects.toMatchObject({
      code: 'internal',
    });
    await one.close();
    await expect(post()).rejects.toMatchObject({ code: 'closed' });
  });
});
