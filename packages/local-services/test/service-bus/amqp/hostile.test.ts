import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Writer } from '../../../src/service-bus/message/encoding/writer.ts';
import { Content } from '../../../src/service-bus/message/index.ts';
import { type Served, serve, until } from './harness.ts';
import {
  attach,
  begin,
  disposition,
  flag,
  flow,
  frame,
  header,
  hello,
  message,
  none,
  open,
  saslInit,
  session,
  symbol,
  transfer,
  uint,
} from './raw-frames.ts';

let served: Served;
const sockets: Socket[] = [];

beforeAll(async () => {
  served = await serve();
  served.broker.entities.createQueue('q');
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => served[Symbol.asyncDispose]());

async function dial(): Promise<Socket & { received: Buffer }> {
  const socket = Object.assign(connect(served.port, '127.0.0.1'), { received: Buffer.alloc(0) });
  sockets.push(socket);
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    // The last of it.
    socket.received = Buffer.concat([socket.received.subarray(-100_000), chunk]);
  });
  await once(socket, 'connect');
  return socket;
}

const serverSide = (socket: Socket) => [...served.sockets].find(({ remotePort }) => remotePort === socket.localPort)!;

/** The conditions of errors are in the bytes as they are. */
const says = (socket: { received: Buffer }, condition: string) => socket.received.includes(condition);

describe('a peer', () => {
  it('may send everything in one piece, before any answer', async () => {
    const socket = await dial();
    socket.write(Buffer.concat(session));
    await until(() => socket.received.includes('x-opt-sequence-number'));
    await until(() => served.broker.counts().active === 0);
  });

  it('may send byte by byte', async () => {
    const socket = await dial();
    socket.setNoDelay(true);
    for (const byte of Buffer.concat(session)) {
      await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
    }
    await until(() => socket.received.includes('x-opt-sequence-number'));
    await until(() => served.broker.counts().active === 0);
  });

  it.each([
    ['a frame larger than was agreed', [Buffer.from('7fffffff02000000', 'hex')], 'amqp:connection:framing-error'],
    ['a frame smaller than its header', [Buffer.from('0000000702000000', 'hex')], 'amqp:connection:framing-error'],
    ['data that begins within the header', [Buffer.from('0000000801000000', 'hex')], 'amqp:connection:framing-error'],
    ['a frame of an unknown type', [Buffer.from('0000000802090000', 'hex')], 'amqp:connection:framing-error'],
    ['an unknown performative', [frame(0x19, [])], 'amqp:not-implemented'],
    ['a performative that is no list', [Buffer.from('0000000c0200000000531040', 'hex')], 'amqp:decode-error'],
    [
      'a performative with an array of four thousand million nulls',
      [Buffer.from('0000001a02000000005310c00d01f000000005ffffffff4000000000', 'hex')],
      'amqp:decode-error',
    ],
    ['an attach without a name', [frame(0x12, [none, uint(0), flag(true)])], 'amqp:'],
    ['a handle beyond all bounds', [attach(4_000_000_000, true)], 'amqp:resource-limit-exceeded'],
    ['a handle twice', [attach(0, true), attach(0, true)], 'amqp:session:handle-in-use'],
    ['a transfer on nothing', [transfer(9, 0, message)], 'amqp:session:unattached-handle'],
    ['a transfer without an id', [attach(0, false), frame(0x14, [uint(0)])], 'amqp:invalid-field'],
    ['a message that is none', [attach(0, false), transfer(0, 0, Buffer.from('garbage'))], 'amqp:decode-error'],
    ['an unknown outcome', [attach(0, true), disposition(0, 0)], ''],
    ['begin twice', [begin], 'amqp:'],
    ['open twice', [open], 'amqp:'],
    ['frames of no session', [frame(0x13, [uint(0), uint(1), uint(0), uint(1)], { channel: 77 })], 'amqp:'],
    ['another SASL frame', [saslInit], 'amqp:'],
    [
      'a request for a token whose properties hold a type that there is not',
      [attach(0, false, '$cbs'), attach(1, true, '$cbs'), transfer(0, 0, Buffer.from('005373c00301c700', 'hex'))],
      'amqp:decode-error',
    ],
    [
      'a request for a token nested without end',
      [attach(0, false, '$cbs'), transfer(0, 0, Buffer.concat([Buffer.from('005377', 'hex'), Buffer.alloc(200_000)]))],
      'amqp:decode-error',
    ],
  ])('that sends %s is told, and nobody else notices', async (_what, frames, condition) => {
    const socket = await dial();
    socket.write(Buffer.concat([...hello, ...frames]));
    await until(() => says(socket, condition));
    await expectServed();
  });

  it.each([
    ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['another version', Buffer.from('AMQP\x00\x00\x09\x01', 'latin1')],
    ['the header of TLS within AMQP', Buffer.from('AMQP\x02\x01\x00\x00', 'latin1')],
  ])('that begins with %s is shown out', async (_what, bytes) => {
    const socket = await dial();
    const closed = once(socket, 'close');
    socket.write(bytes);
    await closed;
    await expectServed();
  });

  it.each([
    ['a mechanism that is not offered', [symbol('EXTERNAL'), none]],
    ['the name of what every object has', [symbol('constructor'), none]],
    ['PLAIN, and gives no password', [symbol('PLAIN'), none]],
    ['PLAIN, and gives too much', [symbol('PLAIN'), (out: Writer) => out.binary(Buffer.from('\0root\0a\0b'))]],
  ] as const)('that chooses %s is refused, and its connection ends', async (_what, fields) => {
    const socket = await dial();
    const closed = once(socket, 'close');
    socket.write(Buffer.concat([header(3), frame(0x41, [...fields], { type: 1 }), header(0), open]));
    await closed;
    // A SASL outcome: failed to authenticate.
    expect(socket.received.includes(Buffer.from('005344d000000006000000015001', 'hex'))).toBe(true);
    expect(socket.received.includes(Buffer.from('005310', 'hex'))).toBe(false);
    await expectServed();
  });

  it('of whom nothing is known holds few links and few bytes', async () => {
    const stranger = [header(0), open, begin];
    const links = await dial();
    links.write(Buffer.concat([...stranger, ...Array.from({ length: 300 }, (_, at) => attach(at, false, '$cbs'))]));
    await until(() => says(links, 'amqp:resource-limit-exceeded'));
    const bytes = await dial();
    const begun = (handle: number) => {
      const id = (out: Writer) => out.binary(Buffer.from([handle]));
      const head = frame(0x14, [uint(handle), uint(handle), id, uint(0), flag(false), flag(true)]);
      const whole = Buffer.concat([head, Buffer.alloc(100_000)]);
      whole.writeUInt32BE(whole.length);
      return whole;
    };
    const handles = [0, 1, 2];
    bytes.write(Buffer.concat([...stranger, ...handles.map((at) => attach(at, false, '$cbs')), ...handles.map(begun)]));
    await until(() => says(bytes, 'amqp:resource-limit-exceeded'));
    // What is given up is given back: again and again is not too much.
    const again = await dial();
    again.write(Buffer.concat(hello));
    const end = frame(0x16, [uint(0), flag(true)]);
    for (let round = 0; round < 300; round++) again.write(Buffer.concat([attach(0, false, '$cbs'), begun(0), end]));
    again.write(Buffer.concat([attach(0, false), transfer(0, 0, message)]));
    await until(() => served.broker.counts().active === 1);
    served.broker.source('q').deleteBatch(1, Date.now() + 1_000);
    await expectServed();
  });

  it('may name ranges of deliveries that never were', async () => {
    const socket = await dial();
    socket.write(Buffer.concat([...session, disposition(0, 4_294_967_295), disposition(5, 4)]));
    await until(() => socket.received.includes('x-opt-sequence-number'));
    await expectServed();
  });

  it('that never reads cannot make the server hold more than a few megabytes of answers', async () => {
    const socket = await dial();
    socket.write(Buffer.concat([...hello, attach(0, false)]));
    await until(() => socket.received.includes('link-0'));
    const server = serverSide(socket);
    socket.pause();
    // Each is answered by a refusal of twice its size.
    const flood = Buffer.concat(Array.from({ length: 10_000 }, () => transfer(0, 0, Buffer.from('x'))));
    let largest = 0;
    let written = 0;
    // Until nothing moves any more: the server has stopped reading, and what lies between is full.
    for (let stuck = 0; stuck < 50; ) {
      if (socket.writableLength === 0) socket.write(flood, () => written++);
      const before = written;
      await new Promise((resolve) => setTimeout(resolve, 5));
      stuck = before === written ? stuck + 1 : 0;
      largest = Math.max(largest, server.writableLength);
    }
    expect(largest).toBeGreaterThan(1_000_000);
    expect(largest).toBeLessThan(8_000_000);
    await expectServed();
  });

  it('that takes deliveries and does not read gets no more than a megabyte ahead', async () => {
    served.broker.entities.createQueue('large');
    const body = Buffer.alloc(100_000);
    const target = served.broker.target('large');
    for (let i = 0; i < 600; i++) target.send([Content.build({ messageId: String(i), body })]);
    const socket = await dial();
    socket.write(Buffer.concat([...hello, attach(0, true, 'large')]));
    await until(() => socket.received.length > 100);
    const server = serverSide(socket);
    socket.pause();
    socket.write(flow(0, 600));
    await until(() => server.writableLength > 500_000);
    expect(server.writableLength).toBeLessThan(2_500_000);
    // And it goes on where it stopped.
    socket.resume();
    await until(() => socket.bytesRead > 600 * body.length);
  });

  it('sends whatever it likes: nothing breaks, nothing is printed', async () => {
    const printed = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn')];
    const unhandled: unknown[] = [];
    const note = (error: unknown) => void unhandled.push(error);
    process.on('unhandledRejection', note);
    const good = Buffer.concat(session);
    const more = [flow(0, 5, true), flow(7, 1), attach(2, true, 'none'), frame(0x17, []), begin];
    const script = fc.oneof(
      fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
        const bytes = Buffer.from(good);
        bytes[at] = byte;
        return bytes;
      }),
      fc
        .tuple(fc.nat(good.length), fc.uint8Array({ maxLength: 40 }))
        .map(([at, junk]) => Buffer.concat([good.subarray(0, at), junk, good.subarray(at)])),
      fc.shuffledSubarray([...session, ...more]).map((frames) => Buffer.concat([...hello, ...frames])),
    );
    await fc.assert(
      fc.asyncProperty(script, async (bytes) => {
        const socket = await dial();
        socket.end(bytes);
        await once(socket, 'close');
      }),
      { numRuns: 300 },
    );
    await until(() => served.server.connections === 0);
    await expectServed();
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});

/** Others are served as before. */
async function expectServed(): Promise<void> {
  const { broker } = served;
  broker.entities.createQueue('probe');
  const socket = await dial();
  socket.write(Buffer.concat([...hello, attach(0, false, 'probe'), transfer(0, 0, message)]));
  await until(() => broker.entities.queue('probe')!.counts.active === 1);
  broker.entities.deleteQueue('probe');
  socket.destroy();
}
