import { once } from 'node:events';
import { Agent, get, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openListener } from '../../src/listener/listener.ts';
import { destinationOf } from '../../src/listener/protocol-detector.ts';
import {
  authority,
  detectEcho,
  echoListener,
  HELLO,
  HELLO_TLS,
  plain,
  read,
  readToEnd,
  secure,
  until,
} from './harness.ts';

afterAll(() => authority.close());

/** Fails the test run on anything that was thrown where nobody waits. */
const loose: unknown[] = [];
process.on('uncaughtExceptionMonitor', (error) => loose.push(error));
process.on('warning', (warning) => loose.push(warning));
afterAll(() => expect(loose).toEqual([]));

describe('what is spoken', () => {
  it('a protocol of its own, in the clear and over TLS', async () => {
    const listener = await echoListener();
    for (const socket of [await plain(listener.port), await secure(listener.port)]) {
      socket.write(HELLO);
      socket.write('frames');
      expect((await read(socket, 14)).toString('latin1')).toBe('ECHO\x03\x01\x00\x00frames');
    }
    expect(listener.seen).toEqual([
      { secure: false, webSocket: false, remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
      { secure: true, webSocket: false, remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
    ]);
  });

  it('a protocol that comes byte by byte', async () => {
    const listener = await echoListener();
    const socket = (await plain(listener.port)).setNoDelay(true);
    for (const byte of HELLO) {
      socket.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await read(socket, 8)).toEqual(HELLO);
  });

  it('TLS that is asked for within a protocol', async () => {
    const listener = await echoListener();
    const below = await plain(listener.port);
    below.write(HELLO_TLS);
    expect(await read(below, 8)).toEqual(HELLO_TLS);
    const socket = await secure(listener.port, below);
    socket.write(HELLO);
    expect(await read(socket, 8)).toEqual(HELLO);
    expect(listener.seen).toMatchObject([{ secure: true, webSocket: false }]);
  });

  it.each(['http', 'https'] as const)('%s, many requests on one connection', async (scheme) => {
    const listener = await echoListener();
    const { caCert } = await authority.identity();
    const { Agent: SecureAgent } = await import('node:https');
    const agent = scheme === 'http' ? new Agent({ keepAlive: true }) : new SecureAgent({ keepAlive: true, ca: caCert });
    for (let n = 0; n < 5; n++) {
      const send = scheme === 'http' ? httpRequest : httpsRequest;
      const request = send(`${scheme}://localhost:${listener.port}/q?n=${n}`, { agent, method: 'POST' });
      request.end('x'.repeat(100_000));
      const [response] = await once(request, 'response');
      expect(JSON.parse((await buffer(response)).toString())).toEqual({
        method: 'POST',
        url: `/q?n=${n}`,
        encrypted: scheme === 'https',
        body: 'x'.repeat(100_000),
      });
    }
    expect(listener.connections).toBe(1);
    agent.destroy();
    await until(() => listener.connections === 0);
  });

  it.each(['ws', 'wss'] as const)('a protocol over %s', async (scheme) => {
    const listener = await echoListener();
    const { caCert } = await authority.identity();
    const url = `${scheme}://localhost:${listener.port}/echo/websocket/`;
    const socket = new WebSocket(url, ['echo1'], { ca: caCert });
    await once(socket, 'open');
    expect(socket.protocol).toBe('echo1');
    const big = Buffer.alloc(1_000_000, 7);
    const answers: Buffer[] = [];
    socket.on('message', (data: Buffer) => answers.push(data));
    socket.send(HELLO);
    socket.send(big);
    await until(() => answers.reduce((sum, { length }) => sum + length, 0) === 8 + big.length);
    expect(Buffer.concat(answers).equals(Buffer.concat([HELLO, big]))).toBe(true);
    expect(listener.seen).toMatchObject([{ secure: scheme === 'wss', webSocket: true }]);
    socket.close();
    await once(socket, 'close');
    await until(() => listener.connections === 0);
  });

  it('any beginning is told apart as soon as it can be', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 12 }), fc.boolean(), (bytes, secured) => {
        const head = Buffer.from(bytes);
        const protocols = [{ detect: detectEcho, accept() {} }];
        const decided = destinationOf(head, secured, protocols);
        expect(decided).toBeDefined();
        for (let length = 0; length < head.length; length++) {
          expect([undefined, decided]).toContainEqual(destinationOf(head.subarray(0, length), secured, protocols));
        }
        if (head[0] !== 0x16 && head[0] !== 'E'.charCodeAt(0)) expect(decided).toBe('http');
      }),
    );
  });
});

describe('what is refused', () => {
  it.each([
    ['garbage', '\u0000\u0001\u0002\u0003 nothing at all\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['nearly a protocol', 'ECHX\u0003\u0001\u0000\u0000\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a head that never ends', `GET / HTTP/1.1\r\nx: ${'y'.repeat(16 * 1_024 + 1)}`, /^HTTP\/1\.1 431 /],
    [
      'an upgrade to something else',
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
      / 400 .*only WebSockets/s,
    ],
    [
      'a WebSocket elsewhere',
      'GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: echo1\r\n\r\n',
      / 404 .*\/echo\/websocket\//s,
    ],
    [
      'a WebSocket of another protocol',
      'GET /echo/websocket/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n',
      / 400 .*echo1/s,
    ],
    [
      'a WebSocket without a key',
      'GET /echo/websocket/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: echo1\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
  ])('%s', async (_name, bytes, answered) => {
    const listener = await echoListener();
    for (const socket of [await plain(listener.port), await secure(listener.port)]) {
      socket.write(bytes, 'latin1');
      expect(await readToEnd(socket)).toMatch(answered);
    }
    await until(() => listener.connections === 0);
    expect(listener.seen).toEqual([]);
  });

  it('a WebSocket message that is text, unmasked, or too large', async () => {
    const listener = await echoListener();
    const url = `ws://localhost:${listener.port}/echo/websocket/`;
    const text = new WebSocket(url, ['echo1']);
    await once(text, 'open');
    text.send('text');
    expect((await once(text, 'close'))[0]).toBe(1003);
    const large = new WebSocket(url, ['echo1']);
    large.on('error', () => {});
    await once(large, 'open');
    large.send(Buffer.alloc(3_000_000));
    expect([1006, 1009]).toContain((await once(large, 'close'))[0]);
    const unmasked = new WebSocket(url, ['echo1']);
    await once(unmasked, 'open');
    (unmasked as unknown as { _socket: { write(bytes: Uint8Array): void } })._socket.write(Uint8Array.of(0x82, 1, 65));
    expect([1002, 1006]).toContain((await once(unmasked, 'close'))[0]);
    await until(() => listener.connections === 0);
  });

  it('TLS in TLS, and a handshake of garbage', async () => {
    const listener = await echoListener();
    const twice = await secure(listener.port);
    twice.write(Uint8Array.of(0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0));
    expect(await readToEnd(twice)).toMatch(/^HTTP\/1\.1 400 /);
    const broken = await plain(listener.port);
    broken.write(Uint8Array.of(0x16, 3, 1, 0, 5, 0xff, 0, 0, 1, 0));
    await readToEnd(broken);
    await until(() => listener.connections === 0);
  });

  it('clients that take too long to say anything, or to finish saying it', async () => {
    const listener = await echoListener({ firstBytesTimeoutMs: 50 });
    const beginnings: readonly (string | Uint8Array)[] = [
      '',
      'AM',
      Uint8Array.of(0x16, 3),
      'GET / HT',
      'ECHO\u0002\u0001',
    ];
    const sockets = await Promise.all(beginnings.map(() => plain(listener.port)));
    sockets.forEach((socket, at) => void socket.write(beginnings[at]!));
    await Promise.all(sockets.map(readToEnd));
    const late = await secure(listener.port);
    await readToEnd(late);
    await until(() => listener.connections === 0);
    expect(listener.seen).toEqual([]);
  });

  it('nobody who spoke in time', async () => {
    const listener = await echoListener({ firstBytesTimeoutMs: 50 });
    const socket = await plain(listener.port);
    socket.write(HELLO);
    await read(socket, 8);
    await readToEnd(await plain(listener.port));
    socket.write('still');
    expect((await read(socket, 5)).toString()).toBe('still');
  });

  it('clients that end or break off, wherever they are', async () => {
    const listener = await echoListener();
    const hello = Uint8Array.of(0x16, 3, 1, 1, 0);
    const upgrade = 'GET /echo/websocket/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
    for (const bytes of [
      '',
      'A',
      HELLO,
      hello,
      'GET / HTTP/1.1\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx',
      upgrade,
    ]) {
      for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
        const socket = await plain(listener.port);
        socket.write(bytes, () => socket[leave]());
        if (bytes === '') socket[leave]();
        socket.resume();
        const over = await secure(listener.port);
        over.write(bytes, () => (leave === 'end' ? over.end() : over.destroy()));
        over.resume();
      }
    }
    await until(() => listener.connections === 0);
  });

  it('not those who end their half and wait for the answer', async () => {
    const listener = await echoListener();
    for (const socket of [await plain(listener.port), await secure(listener.port)]) {
      socket.end('GET /half HTTP/1.1\r\nHost: x\r\n\r\n');
      expect(await readToEnd(socket)).toContain('"url":"/half"');
    }
    await until(() => listener.connections === 0);
  });

  it('a defect in a handler costs one connection', async () => {
    const warned = once(process, 'warning');
    const listener = await echoListener({
      accept() {
        throw new Error('a defect');
      },
      http: (_request, response) => void response.end('fine'),
    });
    const socket = await plain(listener.port);
    socket.write(HELLO);
    await readToEnd(socket);
    expect((await warned)[0]).toMatchObject({ message: 'a defect' });
    loose.length = 0;
    const [response] = await once(get(`http://127.0.0.1:${listener.port}/`), 'response');
    expect((await buffer(response)).toString()).toBe('fine');
  });
});

describe('without protocols and WebSockets', () => {
  it('serves HTTP alone, and says so to who asks for more', async () => {
    const listener = await echoListener({ protocols: [], webSockets: [] });
    const [response] = await once(get(`http://127.0.0.1:${listener.port}/`), 'response');
    expect(response.statusCode).toBe(200);
    const socket = await plain(listener.port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    expect(await readToEnd(socket)).toMatch(/ 404 .*there are no WebSockets here/s);
    const other = await plain(listener.port);
    other.write(HELLO);
    expect(await readToEnd(other)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('takes larger headers where it is told to', async () => {
    const listener = await echoListener({ maxHeaderBytes: 80 * 1_024 });
    const request = get(`http://127.0.0.1:${listener.port}/`, { headers: { x: 'y'.repeat(64 * 1_024) } });
    const [response] = await once(request, 'response');
    expect(response.statusCode).toBe(200);
  });

  it('a WebSocket without a sub-protocol is served where none is asked for', async () => {
    const listener = await echoListener({
      webSockets: [
        {
          path: '',
          maxMessageBytes: 1_000,
          accept: (webSocket) => webSocket.on('message', (text) => webSocket.send(`${text}!`)),
        },
      ],
    });
    const webSocket = new WebSocket(`ws://127.0.0.1:${listener.port}/?key=x`);
    await once(webSocket, 'open');
    webSocket.send('hello');
    expect(String((await once(webSocket, 'message'))[0])).toBe('hello!');
    expect(webSocket.protocol).toBe('');
  });
});

describe('open and close', () => {
  it('closes with everything open, and opens again on the same port, with the same certificate', async () => {
    const listener = await echoListener();
    const sockets = [await plain(listener.port), await plain(listener.port), await secure(listener.port)];
    for (let more = 0; more < 100; more++) sockets.push(await plain(listener.port));
    sockets[1]!.write(HELLO);
    await read(sockets[1]!, 8);
    const webSocket = new WebSocket(`ws://127.0.0.1:${listener.port}/echo/websocket/`, ['echo1']);
    await once(webSocket, 'open');
    const ended = Promise.all([...sockets.map(readToEnd), once(webSocket, 'close')]);
    await Promise.all([listener.close(), listener.close()]);
    await ended;
    expect(listener.connections).toBe(0);
    const again = await echoListener({ port: listener.port });
    expect(again.port).toBe(listener.port);
    const socket = await secure(again.port);
    socket.write(HELLO);
    expect(await read(socket, 8)).toEqual(HELLO);
  });

  it('says that the port is taken', async () => {
    const { port } = await echoListener();
    await expect(openListener({ host: '127.0.0.1', port, tls: authority, http() {} })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });

  it('cut breaks what is open and welcomes who comes next', async () => {
    const listener = await echoListener();
    const old = await plain(listener.port);
    old.write(HELLO);
    await read(old, 8);
    listener.cut();
    await readToEnd(old);
    const next = await plain(listener.port);
    next.write(HELLO);
    expect(await read(next, 8)).toEqual(HELLO);
  });
});

describe('freeze', () => {
  it('answers nobody, whatever they speak and however far they are; thaw goes on without loss', async () => {
    const listener = await echoListener();
    const { caCert } = await authority.identity();
    const open = async (scheme: 'ws' | 'wss') => {
      const socket = new WebSocket(`${scheme}://localhost:${listener.port}/echo/websocket/`, ['echo1'], {
        ca: caCert,
      });
      await once(socket, 'open');
      return socket;
    };
    const sockets = [await plain(listener.port), await secure(listener.port)];
    for (const socket of sockets) {
      socket.write(HELLO);
      await read(socket, 8);
    }
    const webSockets = [await open('ws'), await open('wss')];
    const silent = await plain(listener.port);
    const begun = await plain(listener.port);
    begun.write('EC');
    await until(() => listener.connections === 6);

    // More than any buffer on the way takes, so that some of it waits in the client, some here and some between.
    const much = Buffer.alloc(3_000_000);
    for (let at = 0; at < much.length; at += 4) much.writeUInt32BE(at, at);
    for (const socket of sockets) socket.write(much);
    const received = webSockets.map((webSocket) => {
      const chunks: Buffer[] = [];
      webSocket.on('message', (chunk: Buffer) => chunks.push(chunk));
      for (let at = 0; at < much.length; at += 500_000) webSocket.send(much.subarray(at, at + 500_000));
      return chunks;
    });
    await read(sockets[0]!, 400);
    listener.freeze();

    const newcomer = await plain(listener.port);
    newcomer.write(HELLO);
    begun.write('HO\u0003\u0001\u0000\u0000', 'latin1');
    silent.write('GET /late HTTP/1.0\r\n\r\n');
    // What had left before the freeze is drained until nothing more comes.
    const counts = () => [
      ...sockets.map((socket) => socket.bytesRead),
      ...received.map((chunks) => chunks.length),
      begun.bytesRead,
      silent.bytesRead,
      newcomer.bytesRead,
    ];
    const echoes = sockets.map((socket, at) => read(socket, much.length - (at === 0 ? 400 : 0)));
    let before = counts();
    for (let same = 0; same < 10; ) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      const now = counts();
      same = now.every((count, at) => count === before[at]) ? same + 1 : 0;
      before = now;
    }
    expect(before.slice(-3)).toEqual([0, 0, 0]);
    expect(before[0]).toBeLessThan(much.length);

    listener.thaw();
    expect((await read(newcomer, 8)).equals(HELLO)).toBe(true);
    expect((await read(begun, 8)).equals(HELLO)).toBe(true);
    expect(await readToEnd(silent)).toContain('"url":"/late"');
    const [first, second] = await Promise.all(echoes);
    expect(first!.equals(much.subarray(400))).toBe(true);
    expect(second!.equals(much)).toBe(true);
    for (const chunks of received) {
      await until(() => chunks.reduce((sum, { length }) => sum + length, 0) === much.length);
      expect(Buffer.concat(chunks).equals(much)).toBe(true);
    }
    for (const webSocket of webSockets) webSocket.terminate();
  });

  it('holds back answers that were under way', async () => {
    let finish = () => {};
    const listener = await echoListener({
      accept(stream) {
        stream.resume();
        finish = () => void stream.write('late');
      },
    });
    const socket = await plain(listener.port);
    socket.write(HELLO);
    await until(() => listener.connections === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    listener.freeze();
    finish();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(socket.bytesRead).toBe(0);
    listener.thaw();
    expect((await read(socket, 4)).toString()).toBe('late');
  });

  it('does not count against those who are to say something in time, and can be ended by close', async () => {
    const listener = await echoListener({ firstBytesTimeoutMs: 30 });
    listener.freeze();
    const socket = await plain(listener.port);
    await new Promise((resolve) => setTimeout(resolve, 80));
    socket.write(HELLO);
    listener.thaw();
    expect(await read(socket, 8)).toEqual(HELLO);
    listener.freeze();
    socket.write('x');
    await listener.close();
    await readToEnd(socket);
  });
});
