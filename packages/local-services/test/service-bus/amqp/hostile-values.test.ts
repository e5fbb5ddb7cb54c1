import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import type { Connection, Receiver, Sender } from 'rhea';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createWebSocketStream, WebSocket } from 'ws';
import { type ServiceBus, startServiceBus } from '../../../src/service-bus/index.ts';
import { Writer } from '../../../src/service-bus/message/encoding/writer.ts';
import { KEY } from './harness.ts';
import { compound, oddValues } from './odd-values.ts';
import {
  attach,
  begin,
  flag,
  flow,
  frame,
  header,
  message,
  none,
  open,
  saslInit,
  symbol,
  text,
  transfer,
  uint,
} from './raw-frames.ts';
import { connectRhea, event } from './rhea-client.ts';

/** Of each stage, and of each transport; more on demand. */
const RUNS = Number(process.env.HOSTILE_RUNS ?? 50);
const TIMEOUT_MS = 60_000 + RUNS * 200;

/** No bytes that a client sends, at whatever stage, end more than its own connection. */
let service: ServiceBus;
/** One that is there all the time, and must notice nothing. */
let healthy: { connection: Connection; sender: Sender; receiver: Receiver };
const uncaught: unknown[] = [];
const note = (error: unknown) => void uncaught.push(error);

beforeAll(async () => {
  const accessRules = [{ name: 'root', key: KEY, rights: ['manage', 'send', 'listen'] as const }];
  service = await startServiceBus({ accessRules });
  const { entities } = service.broker;
  entities.createQueue('healthy');
  entities.createQueue('q');
  entities.createQueue('s', { requiresSession: true });
  entities.createTopic('t');
  entities.createSubscription('t', 'sub');
  entities.createRule('t', 'sub', {
    name: 'acts',
    filter: { kind: 'sql', expression: "sys.To IS NULL OR user.a LIKE '%'" },
    action: { expression: "SET sys.Label = 'x'; SET user.b = user.a" },
  });
  const connection = connectRhea(service.port, { username: 'root', password: KEY });
  healthy = { connection, sender: connection.open_sender('healthy'), receiver: connection.open_receiver('healthy') };
  await event(healthy.sender, 'sendable');
  process.on('unhandledRejection', note).on('uncaughtException', note);
});
afterAll(async () => {
  process.off('unhandledRejection', note).off('uncaughtException', note);
  healthy?.connection.close();
  await service?.stop();
});

const TRANSPORTS: Readonly<Record<string, () => Promise<Duplex>>> = {
  'plain TCP': async () => connectTcp(service.port, '127.0.0.1'),
  TLS: async () => connectTls({ port: service.port, host: '127.0.0.1', rejectUnauthorized: false }),
  WebSockets: async () => webSocket(`ws://127.0.0.1:${service.port}/$servicebus/websocket`),
  'WebSockets over TLS': async () => webSocket(`wss://127.0.0.1:${service.port}/$servicebus/websocket`),
};

async function webSocket(url: string): Promise<Duplex> {
  const socket = new WebSocket(url, 'AMQPWSB10', { rejectUnauthorized: false });
  await once(socket, 'open');
  return createWebSocketStream(socket);
}

/** A field as it should be, or odd. */
const field = (good: (writer: Writer) => void) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(encoded(good)) }, { weight: 1, arbitrary: oddValues.odd });
/** A performative whose fields are partly odd, and perhaps more than there are. */
const performative = (code: number, good: readonly ((writer: Writer) => void)[], type = 0) =>
  fc.tuple(fc.tuple(...good.map(field)), fc.array(oddValues.odd, { maxLength: 2 })).map(([fields, more]) =>
    frame(
      code,
      [...fields, ...more].map((bytes) => (out) => out.raw(bytes)),
      { type },
    ),
  );

function encoded(write: (writer: Writer) => void): Buffer {
  const writer = new Writer();
  write(writer);
  return writer.takeBytes();
}

const section = (code: number, content: Buffer) => Buffer.concat([Buffer.from([0, 0x53, code]), content]);
const keyed = (names: readonly string[], write: 'string' | 'symbol', value = oddValues.odd) =>
  fc
    .array(
      fc.tuple(
        fc.oneof(
          fc.constantFrom(...names).map((name) => encoded((out) => out[write](name))),
          value,
        ),
        value,
      ),
      {
        maxLength: 5,
      },
    )
    .map((pairs) => compound(0xd1, pairs.flat(), pairs.length * 2));
const listOf = (most: number) =>
  fc
    .array(fc.oneof(oddValues.odd, fc.constant(Buffer.from([0x40]))), { maxLength: most })
    .map((l) => compound(0xd0, l, l.length));

const ANNOTATIONS = [
  'x-opt-scheduled-enqueue-time',
  'x-opt-partition-key',
  'x-opt-via-partition-key',
  'x-opt-sequence-number',
];
const bodyOf = fc.oneof(
  oddValues.odd.map((value) => section(0x77, value)),
  oddValues.odd.map((value) => section(0x75, value)),
  fc.constant(section(0x75, Buffer.from([0xa0, 1, 1]))),
  listOf(3).map((value) => section(0x76, value)),
);
const sections = (properties: fc.Arbitrary<Buffer>, application: fc.Arbitrary<Buffer>, body: fc.Arbitrary<Buffer>) =>
  fc
    .tuple(
      fc.option(listOf(6).map((value) => section(0x70, value))),
      fc.option(keyed(['x'], 'symbol').map((value) => section(0x71, value))),
      fc.option(keyed(ANNOTATIONS, 'symbol').map((value) => section(0x72, value))),
      fc.option(properties.map((value) => section(0x73, value))),
      fc.option(application.map((value) => section(0x74, value))),
      body,
      fc.option(keyed(['f'], 'symbol').map((value) => section(0x78, value))),
    )
    .map((parts) => Buffer.concat(parts.filter((part) => part !== null)));
const oddMessage = sections(listOf(14), keyed(['a', 'b'], 'string'), bodyOf);
/** Only one value is odd, so that the others are looked at. */
const hardlyOddMessage = fc.tuple(fc.nat(12), oddValues.odd, oddValues.valid).map(([at, odd, value]) => {
  const nulls = Array<Buffer>(13).fill(Buffer.from([0x40]));
  const properties = compound(0xd0, nulls.with(at, odd), 13);
  const a = encoded((out) => out.string('a'));
  return Buffer.concat([section(0x73, properties), section(0x74, compound(0xd1, [a, value], 2)), section(0x77, value)]);
});

const strings = (value: Readonly<Record<string, string>>) =>
  compound(
    0xd1,
    Object.entries(value)
      .flat()
      .map((one) => encoded((out) => out.string(one))),
    Object.keys(value).length * 2,
  );
const replyTo = compound(
  0xd0,
  [
    encoded((out) => out.string('id')),
    encoded(none),
    encoded(none),
    encoded(none),
    encoded((out) => out.string('replies')),
  ],
  5,
);
const request = (application: fc.Arbitrary<Buffer>, body: fc.Arbitrary<Buffer>) =>
  fc.oneof(
    sections(
      fc.oneof(fc.constant(replyTo), listOf(14)),
      application,
      body.map((value) => section(0x77, value)),
    ),
    // Nothing but what the operation reads.
    fc
      .tuple(fc.oneof(fc.constant(replyTo), listOf(6)), application, body)
      .map(([properties, its, value]) =>
        Buffer.concat([section(0x73, properties), section(0x74, its), section(0x77, value)]),
      ),
  );

const OPERATIONS = [
  'renew-lock',
  'peek-message',
  'schedule-message',
  'cancel-scheduled-message',
  'receive-by-sequence-number',
  'update-disposition',
  'batch-delete-messages',
  'renew-session-lock',
  'set-session-state',
  'get-session-state',
  'get-message-sessions',
  'add-rule',
  'remove-rule',
  'enumerate-rules',
];
const ARGUMENTS = [
  'lock-tokens',
  'from-sequence-number',
  'message-count',
  'omit-message-body',
  'session-id',
  'messages',
  'sequence-numbers',
  'receiver-settle-mode',
  'disposition-status',
  'properties-to-modify',
  'deadletter-reason',
  'deadletter-description',
  'enqueued-time-utc',
  'session-state',
  'last-updated-time',
  'skip',
  'top',
  'rule-name',
  'rule-description',
];
/** Arguments of the right types, with odd values among them. */
const fitting = fc.tuple(oddValues.odd, oddValues.valid).map(([odd, valid]) => {
  const long = (value: bigint) => encoded((out) => out.long(value));
  const rule = compound(
    0xd1,
    [encoded((out) => out.string('sql-filter')), compound(0xd1, [encoded((out) => out.string('expression')), odd], 2)],
    2,
  );
  const scheduled = compound(
    0xd1,
    [encoded((out) => out.string('message')), encoded((out) => out.binary(section(0x77, valid)))],
    2,
  );
  const values: Readonly<Record<string, Buffer>> = {
    'lock-tokens': compound(0xd0, [Buffer.concat([Buffer.from([0x98]), Buffer.alloc(16)]), odd], 2),
    'from-sequence-number': long(-0x8000_0000_0000_0000n),
    'message-count': long(0x7fff_ffff_ffff_ffffn),
    'session-id': encoded((out) => out.string('__proto__')),
    messages: compound(0xd0, [scheduled], 1),
    'sequence-numbers': compound(0xd0, [long(0x7fff_ffff_ffff_ffffn), long(-1n)], 2),
    'receiver-settle-mode': long(1n),
    'disposition-status': encoded((out) => out.string('defered')),
    'properties-to-modify': compound(0xd1, [valid, odd], 2),
    'enqueued-time-utc': Buffer.concat([Buffer.from([0x83]), Buffer.alloc(8, 0xff)]),
    'session-state': valid,
    'last-updated-time': Buffer.concat([Buffer.from([0x83, 0x80]), Buffer.alloc(7)]),
    skip: long(0n),
    top: long(0x7fff_ffffn),
    'rule-name': encoded((out) => out.string('r')),
    'rule-description': rule,
  };
  return compound(
    0xd1,
    Object.entries(values).flatMap(([name, value]) => [encoded((out) => out.string(name)), value]),
    Object.keys(values).length * 2,
  );
});

const anonymous = frame(0x41, [symbol('MSSBCBS')], { type: 1 });
const hello = [header(3), saslInit, header(0), open, begin];
const replies = (address: string) =>
  frame(0x12, [
    text('replies'),
    uint(1),
    flag(true),
    none,
    none,
    (writer) => {
      writer.descriptor(0x28);
      writer.close(writeAddress(writer, address), 1);
    },
    (writer) => {
      writer.descriptor(0x29);
      writer.close(writeAddress(writer, 'replies'), 1);
    },
    none,
    none,
    uint(0),
  ]);

function writeAddress(writer: Writer, address: string): number {
  const list = writer.openList();
  writer.string(address);
  return list;
}

const asking = (address: string) => [attach(0, false, address), replies(address), flow(1, 100)];
const sending = (before: readonly Buffer[], payload: fc.Arbitrary<Buffer>) =>
  payload.map((bytes) => Buffer.concat([...before, ...split(bytes)]));

/** One message in transfers that each fit a frame. */
function split(payload: Buffer): Buffer[] {
  if (payload.length < 200_000) return [transfer(0, 0, payload)];
  const pieces: Buffer[] = [];
  for (let at = 0; at < payload.length; at += 200_000) {
    const more = at + 200_000 < payload.length;
    const head = frame(0x14, [
      uint(0),
      uint(0),
      (writer) => writer.binary(Buffer.from([0])),
      uint(0),
      flag(false),
      flag(more),
    ]);
    const whole = Buffer.concat([head, payload.subarray(at, at + 200_000)]);
    whole.writeUInt32BE(whole.length);
    pieces.push(whole);
  }
  return pieces;
}

const mutated = (good: Buffer) =>
  fc
    .array(fc.tuple(fc.nat(good.length - 1), fc.constantFrom(0, 0x40, 0x46, 0xc7, 0xff, 0x80, 0x01)), {
      minLength: 1,
      maxLength: 3,
    })
    .map((changes) => {
      const bytes = Buffer.from(good);
      for (const [at, byte] of changes) bytes[at] = byte;
      return bytes;
    });
const within = (before: readonly Buffer[], odd: fc.Arbitrary<Buffer>, after: readonly Buffer[] = []) =>
  odd.map((bytes) => Buffer.concat([...before, bytes, ...after]));
const linked = [...hello, attach(0, false), attach(1, true), flow(1, 10)];
const putToken = Buffer.concat([
  section(0x73, replyTo),
  section(0x74, strings({ operation: 'put-token', type: 'servicebus.windows.net:sastoken', name: 'sb://127.0.0.1/q' })),
  section(
    0x77,
    encoded((out) => out.string('SharedAccessSignature sr=a&sig=b&se=1&skn=root')),
  ),
]);

const STAGES: Readonly<Record<string, fc.Arbitrary<Buffer>>> = {
  'before the protocol header': fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.concat([Buffer.from('AMQP'), bytes])),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  ),
  'in SASL': within(
    [header(3)],
    fc.oneof(
      performative(0x41, [symbol('PLAIN'), (writer) => writer.binary(Buffer.from(`\0root\0${KEY}`)), text('h')], 1),
      fc
        .constantFrom('__proto__', 'constructor', 'enable_plain', 'toString')
        .map((name) => frame(0x41, [symbol(name)], { type: 1 })),
      performative(0x43, [none], 1),
    ),
    [header(0), open, begin],
  ),
  'in open': within(
    [header(3), saslInit, header(0)],
    performative(0x10, [text('id'), text('host'), uint(65_536), uint(10), uint(1), none, none, none, none, none]),
    [begin, attach(0, true)],
  ),
  'in begin': within(
    [header(3), saslInit, header(0), open],
    performative(0x11, [none, uint(0), uint(1_000), uint(1_000), uint(7)]),
    [attach(0, true)],
  ),
  'in attach': within(
    hello,
    performative(0x12, [
      text('link'),
      uint(0),
      flag(true),
      uint(0),
      uint(0),
      termini('q', 0x28),
      termini('q', 0x29),
      none,
      none,
      uint(0),
      none,
      none,
      none,
      none,
    ]),
    [flow(0, 10)],
  ),
  'in the termini of an attach': within(
    hello,
    fc
      .tuple(listOf(11), fc.constantFrom(0x28, 0x29, 0x30), keyed(['com.microsoft:session-filter'], 'symbol'))
      .map(([list, code, filter]) =>
        frame(0x12, [
          text('link'),
          uint(0),
          flag(true),
          none,
          none,
          (writer) => {
            writer.descriptor(code);
            writer.raw(
              code === 0x29
                ? list
                : compound(0xd0, [encoded((out) => out.string('s')), ...Array(6).fill(encoded(none)), filter], 8),
            );
          },
          (writer) => {
            writer.descriptor(0x29);
            writer.raw(list);
          },
          none,
          none,
          uint(0),
        ]),
      ),
    [flow(0, 10)],
  ),
  'in flow': within(
    linked,
    performative(0x13, [uint(0), uint(9), uint(0), uint(9), uint(1), uint(0), uint(5), none, flag(true), flag(true)]),
  ),
  'in transfer': within(
    linked,
    fc
      .tuple(
        performative(0x14, [
          uint(0),
          uint(0),
          (out) => out.binary(Buffer.from([1])),
          uint(0),
          flag(false),
          flag(false),
        ]),
        fc.uint8Array({ maxLength: 20 }),
      )
      .map(([bytes, payload]) => {
        const whole = Buffer.concat([bytes, payload]);
        whole.writeUInt32BE(whole.length);
        return whole;
      }),
    [transfer(0, 1, message)],
  ),
  'in disposition': within(
    [...linked, transfer(0, 0, message)],
    performative(0x15, [flag(true), uint(0), uint(5), flag(true), outcomes]),
  ),
  'in detach, end and close': within(
    linked,
    fc.oneof(performative(0x16, [uint(1), flag(true), none]), performative(0x17, [none]), performative(0x18, [none])),
    [begin],
  ),
  'in messages to a queue': sending(
    [...hello, attach(0, false), attach(1, true), flow(1, 10)],
    fc.oneof(oddMessage, hardlyOddMessage),
  ),
  'in messages to a topic with rules': sending(
    [...hello, attach(0, false, 't')],
    fc.oneof(oddMessage, hardlyOddMessage),
  ),
  'in messages that are dead-lettered': sending(
    [...hello, attach(0, false), attach(1, true), flow(1, 10)],
    hardlyOddMessage,
  ).map((bytes) =>
    Buffer.concat([
      bytes,
      frame(0x15, [flag(true), uint(0), uint(0), flag(true), (out) => out.raw(Buffer.from([0, 0x53, 0x25, 0x45]))]),
    ]),
  ),
  'in put-token, before any right': sending(
    [header(3), anonymous, header(0), open, begin, ...asking('$cbs')],
    fc.oneof(
      mutated(putToken),
      request(
        fc.oneof(
          fc.constant(strings({ operation: 'put-token', type: 'jwt', name: 'q' })),
          keyed(['operation', 'type', 'name', 'expiration'], 'string'),
        ),
        fc.oneof(oddValues.odd, fc.constant(encoded((out) => out.string('e30.e30.e30')))),
      ),
    ),
  ),
  'in requests to $management': fc
    .tuple(fc.constantFrom('q', 's', 't/Subscriptions/sub'), fc.constantFrom(...OPERATIONS))
    .chain(([entity, operation]) =>
      sending(
        [...hello, ...asking(`${entity}/$management`)],
        request(
          fc.oneof(
            fc.constant(strings({ operation: `com.microsoft:${operation}` })),
            keyed(['operation', 'com.microsoft:tracking-id'], 'string'),
          ),
          fc.oneof(oddValues.odd, fitting, keyed(ARGUMENTS, 'string')),
        ),
      ),
    ),
};

function termini(address: string, code: number) {
  return (writer: Writer) => {
    writer.descriptor(code);
    writer.close(writeAddress(writer, address), 1);
  };
}

function outcomes(writer: Writer): void {
  writer.descriptor(0x27);
  const list = writer.openList();
  writer.boolean(true);
  writer.boolean(true);
  writer.raw(strings({ a: 'b' }));
  writer.close(list, 3);
}

async function say(dial: () => Promise<Duplex>, bytes: Buffer): Promise<void> {
  const stream = await dial();
  stream.on('error', () => {});
  stream.resume();
  stream.end(bytes);
  await once(stream, 'close');
}

/** The other client is served as before. */
async function stillServed(): Promise<void> {
  const received = event(healthy.receiver, 'message');
  healthy.sender.send({ body: 'x' });
  await received;
}

const everywhere = fc.oneof(...Object.entries(STAGES).map(([stage, bytes]) => fc.tuple(fc.constant(stage), bytes)));

describe('bytes of a hostile client end nothing but its own connection', () => {
  const hold = async (dial: () => Promise<Duplex>, script: fc.Arbitrary<Buffer>, numRuns: number) => {
    const printed = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn')];
    uncaught.length = 0;
    await fc.assert(
      fc.asyncProperty(script, async (bytes) => {
        await say(dial, bytes);
        await stillServed();
        expect(uncaught).toEqual([]);
      }),
      { numRuns },
    );
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  };

  it.each(Object.keys(STAGES))('%s', (stage) => hold(TRANSPORTS['plain TCP']!, STAGES[stage]!, RUNS), TIMEOUT_MS);

  it.each(Object.keys(TRANSPORTS).slice(1))(
    'at any stage, over %s',
    (transport) =>
      hold(
        TRANSPORTS[transport]!,
        everywhere.map(([, bytes]) => bytes),
        80,
      ),
    60_000,
  );
});
