import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { makeSchedule } from '../../src/link/link-shape.ts';
import { type ProxyHandle, startProxy } from '../../src/link/proxy.ts';

const toClose: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

async function echoServer(): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  toClose.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

async function proxyTo(options: Omit<Parameters<typeof startProxy>[0], 'target'> = {}): Promise<ProxyHandle> {
  const proxy = await startProxy({ target: { host: '127.0.0.1', port: await echoServer() }, ...options });
  toClose.push(() => proxy.stop());
  return proxy;
}

async function clientOf(proxy: ProxyHandle): Promise<Socket> {
  const socket = connect(proxy.port, '127.0.0.1');
  socket.on('error', () => {});
  toClose.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** `once(socket, 'close')` would reject with the reset that comes before. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

async function echo(socket: Socket, bytes: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  socket.write(bytes);
  while (length < bytes.length) {
    const [part] = (await once(socket, 'data')) as [Buffer];
    parts.push(part);
    length += part.length;
  }
  return Buffer.concat(parts);
}

describe('proxy', () => {
  it.each([
    ['plain', {}],
    ['shaped', { delayMs: 2, jitterMs: 3, lossRate: 0.2, retransmitMs: 2, bytesPerSecond: 20_000_000 }],
  ])('passes every byte in order: %s', async (_, shape) => {
    const proxy = await proxyTo(shape);
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 31) % 251));
    expect((await echo(await clientOf(proxy), bytes)).equals(bytes)).toBe(true);
    expect(proxy.stats.bytesToServer).toBe(bytes.length);
    expect(proxy.stats.bytesToClient).toBe(bytes.length);
  });

  it('passes on the end of one side while the other still speaks', async () => {
    const client = await clientOf(await proxyTo({ delayMs: 1 }));
    client.end('last words');
    const parts: Buffer[] = [];
    for await (const part of client) parts.push(part as Buffer);
    expect(Buffer.concat(parts).toString()).toBe('last words');
  });

  it('refuse breaks what is open and what is tried, restore lets new ones in', async () => {
    const proxy = await proxyTo();
    const client = await clientOf(proxy);
    await echo(client, Buffer.from('x'));
    proxy.refuse();
    await closed(client);
    const refused = connect(proxy.port, '127.0.0.1');
    refused.on('error', () => {});
    await closed(refused);
    proxy.restore();
    expect((await echo(await clientOf(proxy), Buffer.from('back'))).toString()).toBe('back');
    expect(proxy.stats).toMatchObject({ connections: 2, open: 1 });
  });

  it('freeze holds bytes without closing, restore passes them on', async () => {
    const proxy = await proxyTo();
    const client = await clientOf(proxy);
    await echo(client, Buffer.from('x'));
    proxy.freeze();
    const heard: string[] = [];
    client.on('data', (bytes) => heard.push(bytes.toString()));
    client.write('held');
    // A second connection to the same server goes round trips meanwhile: the frozen one had its chance.
    const other = await startProxy({ target: { host: '127.0.0.1', port: await echoServer() } });
    toClose.push(() => other.stop());
    await echo(await clientOf(other), Buffer.from('round'));
    expect(heard).toEqual([]);
    proxy.restore();
    if (heard.length === 0) await once(client, 'data');
    expect(heard.join('')).toBe('held');
  });

  it('cut closes what is open and lets new ones in; cutOne closes one', async () => {
    const proxy = await proxyTo();
    const clients = [await clientOf(proxy), await clientOf(proxy), await clientOf(proxy)];
    for (const client of clients) await echo(client, Buffer.from('x'));
    const ended = clients.map(closed);
    proxy.cutOne(0.5);
    await ended[1];
    expect(proxy.stats.open).toBe(2);
    expect((await echo(clients[0] as Socket, Buffer.from('still'))).toString()).toBe('still');
    proxy.cut();
    await Promise.all(ended);
    expect(proxy.stats.open).toBe(0);
    proxy.cutOne(0.5);
    expect((await echo(await clientOf(proxy), Buffer.from('new'))).toString()).toBe('new');
  });

  it('lose discards what is sent, and restore closes the connections that lost something', async () => {
    const proxy = await proxyTo();
    const [talks, listens] = [await clientOf(proxy), await clientOf(proxy)];
    for (const client of [talks, listens]) await echo(client, Buffer.from('x'));
    proxy.lose();
    const ended = closed(talks);
    const { bytesToServer } = proxy.stats;
    talks.write('lost');
    const late = await clientOf(proxy);
    late.write('lost, too');
    const lateEnded = closed(late);
    // What the loopback takes to bring them here.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(proxy.stats.bytesToServer).toBe(bytesToServer);
    proxy.restore();
    await Promise.all([ended, lateEnded]);
    expect((await echo(listens, Buffer.from('fine'))).toString()).toBe('fine');
  });

  it('leads new connections elsewhere, and delays what passes from now on', async () => {
    const proxy = await proxyTo();
    const old = await clientOf(proxy);
    await echo(old, Buffer.from('x'));
    const greeter = createServer((socket) => void socket.end('hello'));
    await new Promise<void>((resolve) => greeter.listen(0, '127.0.0.1', resolve));
    toClose.push(() => greeter.close());
    proxy.target = { host: '127.0.0.1', port: (greeter.address() as AddressInfo).port };
    const [greeting] = await once(await clientOf(proxy), 'data');
    expect(String(greeting)).toBe('hello');
    proxy.addedDelayMs = 50;
    const startedAt = performance.now();
    const both = echo(old, Buffer.from('slow'));
    await both;
    // Timers round down by less than a millisecond.
    expect(performance.now() - startedAt).toBeGreaterThan(98);
    proxy.restore();
    expect(proxy.addedDelayMs).toBe(0);
  });

  it('keeps no process alive', async () => {
    const script = `
      import { createServer, connect } from 'node:net';
      import { startProxy } from ${JSON.stringify(new URL('../../src/link/proxy.ts', import.meta.url).href.replace('/src/', '/dist/').replace(/ts$/, 'js'))};
      const server = createServer((socket) => socket.unref().pipe(socket)).listen(0, '127.0.0.1', async () => {
        server.unref();
        const proxy = await startProxy({ target: { host: '127.0.0.1', port: server.address().port }, delayMs: 60_000 });
        const client = connect(proxy.port, '127.0.0.1', () => client.write('x', () => client.unref()));
      });`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { timeout: 20_000 });
  });

  it('leads a URL through itself and keeps the rest of it', async () => {
    const proxy = await startProxy({ target: 'redis+streams://user:p%40ss@localhost/3?name=x' });
    toClose.push(() => proxy.stop());
    expect(proxy.url).toBe(`redis+streams://user:p%40ss@127.0.0.1:${proxy.port}/3?name=x`);
    expect(proxy.through('redis://localhost')).toBe(`redis://127.0.0.1:${proxy.port}`);
  });

  it('stops twice', async () => {
    const proxy = await proxyTo();
    await proxy.stop();
    await proxy.stop();
  });

  it('refuses what has no meaning', async () => {
    await expect(startProxy({ target: 'memory:' })).rejects.toThrow(TypeError);
    await expect(startProxy({ target: 'redis://h', delayMs: -1 })).rejects.toThrow(TypeError);
    await expect(startProxy({ target: 'redis://h', lossRate: 1 })).rejects.toThrow(TypeError);
    await expect(startProxy({ target: 'redis://h', bytesPerSecond: 0 })).rejects.toThrow(TypeError);
  });
});

describe('schedule', () => {
  const shapes = fc.record({
    delayMs: fc.double({ min: 0, max: 500, noNaN: true }),
    jitterMs: fc.double({ min: 0, max: 100, noNaN: true }),
    lossRate: fc.double({ min: 0, max: 0.9, noNaN: true }),
    bytesPerSecond: fc.double({ min: 1_000, max: 1e9, noNaN: true }),
    seed: fc.integer(),
  });
  const entries = fc.array(
    fc.record({ afterMs: fc.double({ min: 0, max: 50, noNaN: true }), bytes: fc.integer({ min: 1, max: 100_000 }) }),
    { minLength: 1, maxLength: 50 },
  );

  it('is repeatable, keeps order, never beats the delay or the bandwidth', () => {
    fc.assert(
      fc.property(shapes, entries, (shape, list) => {
        const [first, second] = [makeSchedule(shape, 0), makeSchedule(shape, 0)];
        let nowMs = 0;
        let lastMs = 0;
        let bytes = 0;
        for (const entry of list) {
          nowMs += entry.afterMs;
          bytes += entry.bytes;
          const outAtMs = first(nowMs, entry.bytes);
          expect(second(nowMs, entry.bytes)).toBe(outAtMs);
          expect(outAtMs).toBeGreaterThanOrEqual(lastMs);
          expect(outAtMs).toBeGreaterThanOrEqual(
            nowMs + shape.delayMs + (entry.bytes / shape.bytesPerSecond) * 1000 - 1e-6,
          );
          expect(outAtMs).toBeGreaterThanOrEqual((bytes / shape.bytesPerSecond) * 1000 - 1e-6);
          lastMs = outAtMs;
        }
      }),
    );
  });

  it('loses about as many segments as asked', () => {
    const schedule = makeSchedule({ lossRate: 0.1, retransmitMs: 1 }, 7);
    let stalls = 0;
    // Far enough apart that no stall hides another.
    for (let at = 0; at < 20_000; at += 1) if (schedule(at * 10, 1_000) > at * 10) stalls += 1;
    expect(stalls / 20_000).toBeGreaterThan(0.085);
    expect(stalls / 20_000).toBeLessThan(0.115);
  });
});
