import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openFrame } from '../../../src/service-bus/amqp/outgoing-transfers.ts';
import { Writer } from '../../../src/service-bus/message/encoding/writer.ts';
import { Content } from '../../../src/service-bus/message/index.ts';
import { KEY, type Served, serve, until } from './harness.ts';

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

const header = (protocol: number) => Buffer.from([0x41, 0x4d, 0x51, 0x50, protocol, 1, 0, 0]);

/** A frame with one performative. @param fields each writes one value */
function frame(performative: number, fields: ((writer: Writer) => void)[], { type = 0, channel = 0 } = {}): Buffer {
  const writer = new Writer();
  const at = openFrame(writer, channel, performative);
  const list = writer.openList();
  for (const field of fields) field(writer);
  writer.close(list, fields.length);
  writer.patchUint32(at, writer.length - at);
  const bytes = writer.takeBytes();
  bytes[5] = type;
  return bytes;
}

const text = (value: string) => (writer: Writer) => writer.string(value);
const uint = (value: number) => (writer: Writer) => writer.uint(value);
const flag = (value: boolean) => (writer: Writer) => writer.boolean(value);
const none = (writer: Writer) => writer.null();

const saslInit = frame(
  0x41,
  [(writer) => writer.symbol('PLAIN'), (writer) => writer.binary(Buffer.from(`\0root\0${KEY}`))],
  { type: 1 },
);
const open = frame(0x10, [text('hostile'), none, uint(4_294_967_295)]);
const begin = frame(0x11, [none, uint(0), uint(1_000), uint(1_000)]);
const terminus = (code: number, address: string) => (writer: Writer) => {
  writer.descriptor(code);
  const list = writer.openList();
  writer.string(address);
  writer.close(list, 1);
};
const attach = (handle: number, receiver: boolean, address = 'q') =>
  frame(0x12, [
    text(`link-${handle}`),
    uint(handle),
    flag(receiver),
    none,
    none,
    receiver ? terminus(0x28, address) : terminus(0x28, ''),
    receiver ? terminus(0x29, '') : terminus(0x29, address),
    none,
    none,
    uint(0),
  ]);
const flow = (handle: number, credit: number, echo = false) =>
  frame(0x13, [
    uint(0),
    uint(1_000),
    uint(0),
    uint(1_000),
    uint(handle),
    uint(0),
    uint(credit),
    none,
    none,
    flag(echo),
  ]);
const transfer = (handle: number, id: number, payload: Buffer) => {
  const bytes = frame(0x14, [
    uint(handle),
    uint(id),
    (writer) => writer.binary(Buffer.from([id])),
    uint(0),
    flag(false),
  ]);
  const whole = Buffer.concat([bytes, payload]);
  whole.writeUInt32BE(whole.length);
  return whole;
};
const disposition = (first: number, last: number) =>
  frame(0x15, [
    flag(true),
    uint(first),
    uint(last),
    flag(true),
    (writer) => {
      writer.descriptor(0x24);
      writer.emptyList();
    },
  ]);

const message = Content.build({ messageId: 'm', body: Buffer.from('body') }).bytes;
const hello = [header(3), saslInit, header(0), open, begin];
const session = [...hello, attach(0, false), attach(1, true), transfer(0, 0, message), flow(1, 10), disposition(0, 0)];

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
