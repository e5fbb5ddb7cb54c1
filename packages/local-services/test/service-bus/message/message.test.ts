import fc from 'fast-check';
import rhea, { type Message } from 'rhea';
import { describe, expect, it } from 'vitest';
import type { StoredMessage } from '../../../src/service-bus/broker/api.ts';
import { BrokerError } from '../../../src/service-bus/broker/error.ts';
import { Content, encodeForDelivery, readBatch } from '../../../src/service-bus/message/index.ts';
import { TimeSpan, Uuid } from '../../../src/service-bus/rules/index.ts';

const { types, message: codec } = rhea;

/** rhea types its own encoder by messages it has read. */
const encode = (message: Message) => codec.encode(message) as unknown as Buffer;
const decode = (bytes: Buffer) => codec.decode(bytes) as unknown as Message;
const read = (message: Message) => Content.read(encode(message));

function stored(content: Content, more: Partial<StoredMessage> = {}): StoredMessage {
  return {
    content,
    sequenceNumber: 7,
    enqueuedSequenceNumber: 3,
    enqueuedAtMs: 1_700_000_000_000,
    expiresAtMs: Number.POSITIVE_INFINITY,
    state: 'active',
    deliveryCount: 0,
    deadLetterSource: undefined,
    ...more,
  };
}

const full: Message = {
  durable: true,
  priority: 6,
  ttl: 60_000,
  message_annotations: {
    'x-opt-partition-key': 'pk',
    'x-opt-scheduled-enqueue-time': new Date(1_800_000_000_000),
    'x-opt-sequence-number': 999,
    other: 'kept',
  },
  message_id: 'm-1',
  user_id: Buffer.from('user') as unknown as string,
  to: 'there',
  subject: 'label',
  reply_to: 'back',
  correlation_id: 'c-1',
  content_type: 'text/plain',
  content_encoding: 'identity',
  group_id: 's-1',
  group_sequence: 4,
  reply_to_group_id: 'rs-1',
  application_properties: {
    Text: 'ü',
    int: types.wrap_int(-7),
    long: types.wrap_long(2 ** 40),
    ubyte: types.wrap_ubyte(7),
    float: types.wrap_float(0.5),
    double: 1.5,
    yes: true,
    nothing: null,
    at: new Date(1_700_000_000_123),
    id: types.wrap_uuid(Buffer.from('00112233445566778899aabbccddeeff', 'hex')),
    bytes: Buffer.from([1, 2]),
    symbol: types.wrap_symbol('sym'),
    list: ['not', 'seen'],
  },
  body: codec.data_section(Buffer.from('the body')),
};

describe('Content.read', () => {
  it('reads what rhea encodes', () => {
    const content = read(full);
    expect(content).toMatchObject({
      size: encode(full).length,
      messageId: 'm-1',
      sessionId: 's-1',
      partitionKey: 'pk',
      ttlMs: 60_000,
      scheduledAtMs: 1_800_000_000_000,
    });
    expect(content.brokerProperties).toEqual({
      messageId: 'm-1',
      correlationId: 'c-1',
      sessionId: 's-1',
      replyToSessionId: 'rs-1',
      subject: 'label',
      to: 'there',
      replyTo: 'back',
      contentType: 'text/plain',
      partitionKey: 'pk',
      timeToLiveMs: 60_000,
      scheduledAtMs: 1_800_000_000_000,
    });
    expect(content.applicationProperties).toEqual(
      new Map<string, unknown>([
        ['Text', 'ü'],
        ['int', -7n],
        ['long', 2n ** 40n],
        ['ubyte', 7n],
        ['float', 0.5],
        ['double', 1.5],
        ['yes', true],
        ['nothing', null],
        ['at', new Date(1_700_000_000_123)],
        ['id', new Uuid('00112233-4455-6677-8899-aabbccddeeff')],
        ['bytes', Buffer.from([1, 2])],
        ['symbol', 'sym'],
      ]),
    );
    expect(content.bodyBytes().toString()).toBe('the body');
  });

  it('shows rules system properties by name and user properties without case', () => {
    const content = read(full);
    expect(content.system('label')).toBe('label');
    expect(content.system('subject')).toBe('label');
    expect(content.system('sessionid')).toBe('s-1');
    expect(content.system('timetolive')).toEqual(TimeSpan.ofMs(60_000));
    expect(content.system('scheduledenqueuetimeutc')).toEqual(new Date(1_800_000_000_000));
    expect(content.system('sequencenumber')).toBeNull();
    expect(content.system('no-such')).toBeUndefined();
    expect(read({ body: 'x' }).system('label')).toBeNull();
    expect(content.user('TEXT')).toBe('ü');
    expect(content.user('list')).toBeUndefined();
    expect(content.user('missing')).toBeUndefined();
  });

  it('does not mix up two messages that are asked in turn', () => {
    const one = read({ application_properties: { a: 1 }, body: '' });
    const two = read({ application_properties: { a: 2 }, body: '' });
    expect([one.user('a'), two.user('a'), one.user('a')]).toEqual([1n, 2n, 1n]);
  });

  it.each([
    ['a ulong', types.wrap_ulong(2 ** 40), '1099511627776'],
    ['a uuid', types.wrap_uuid(Buffer.alloc(16, 0xab)), 'abababab-abab-abab-abab-abababababab'],
  ])('shows %s as message id in text', (_type, id, expected) => {
    expect(read({ message_id: id as unknown as string, body: '' }).messageId).toBe(expected);
  });

  it.each([
    ['header.ttl', { ttl: 5, absolute_expiry_time: new Date(10_000) }, 5],
    ['creation to expiry', { creation_time: new Date(1_000), absolute_expiry_time: new Date(10_000) }, 9_000],
    ['now to expiry', { absolute_expiry_time: new Date(10_000) }, 6_000],
    ['nothing', {}, Number.POSITIVE_INFINITY],
    ['an expiry long ago', { absolute_expiry_time: new Date(1) }, 0],
  ])('takes the time to live from %s', (_from, fields, expected) => {
    expect(Content.read(encode({ ...fields, body: '' } as Message), 4_000).ttlMs).toBe(expected);
  });

  it.each([
    ['text', 'grüß', 'grüß'],
    ['several data sections', codec.data_sections([Buffer.from('a'), Buffer.from('b')]), 'ab'],
    ['a long text', 'x'.repeat(300), 'x'.repeat(300)],
  ])('gives the bytes of a body of %s', (_kind, body, expected) => {
    expect(read({ body }).bodyBytes().toString()).toBe(expected);
  });

  it('reads sections described by symbols', () => {
    const written = encode({ message_id: 'm', body: 'b' });
    const bySymbol = Buffer.concat([Buffer.from([0x00, 0xa3, 20]), Buffer.from('amqp:properties:list')]);
    const at = written.indexOf(Buffer.from([0x00, 0x53, 0x73]));
    const bytes = Buffer.concat([written.subarray(0, at), bySymbol, written.subarray(at + 3)]);
    expect(Content.read(bytes).messageId).toBe('m');
  });

  it('takes the sections before the body in any order, and keeps each', () => {
    const section = (code: number, content: Buffer) => Buffer.concat([Buffer.from([0, 0x53, code]), content]);
    const map = (key: string, value: number) =>
      Buffer.from([0xc1, key.length + 5, 2, 0xa1, key.length, ...Buffer.from(key), 0x54, value]);
    const header = section(0x70, Buffer.from([0xc0, 4, 2, 0x40, 0x50, 5]));
    const delivery = section(0x71, map('d', 1));
    const message = section(0x72, map('m', 2));
    const properties = section(0x73, Buffer.from([0xc0, 4, 1, 0xa1, 1, 0x69]));
    const application = section(0x74, map('a', 3));
    const body = section(0x75, Buffer.from([0xa0, 1, 0x62]));
    const footer = section(0x78, map('f', 4));
    // As uamqp writes them, the stack in C of the vendor's older clients.
    for (const order of [
      [header, message, properties, application, footer, delivery, body],
      [body, footer, application, properties, message, delivery, header],
    ]) {
      const content = Content.read(Buffer.concat(order));
      expect(content.messageId).toBe('i');
      expect(content.header().priority).toBe(5);
      expect(content.annotation('m')).toBe(2n);
      expect(content.user('a')).toBe(3n);
      expect(content.bodyBytes().toString()).toBe('b');
      const edited = content.with({ user: new Map([['a', 'changed']]) });
      for (const each of [content, edited]) {
        const out = decode(encodeForDelivery(stored(each), 'peek')) as unknown as Record<string, unknown>;
        expect(out).toMatchObject({ delivery_annotations: { d: 1 }, footer: { f: 4 }, message_id: 'i', priority: 5 });
      }
      expect(edited.user('a')).toBe('changed');
    }
    expect(() => Content.read(Buffer.concat([header, application, header, body]))).toThrow('twice');
  });

  it('is as large as it was sent, also when it was given an id', () => {
    const sent = read({ body: 'x' });
    const named = sent.identified();
    expect(named.messageId).toHaveLength(32);
    expect([named.size, named.system('size')]).toEqual([sent.size, BigInt(sent.size)]);
    expect(named.with({ user: new Map([['grown', 'x'.repeat(100)]]) }).size).toBeGreaterThan(sent.size + 100);
  });

  it('does not hold on to the buffer that a small message came in', () => {
    const bytes = encode({ body: 'small' });
    const chunk = Buffer.concat([bytes, Buffer.alloc(1_000_000)]);
    expect(Content.read(chunk.subarray(0, bytes.length)).bytes.buffer.byteLength).toBeLessThan(100_000);
  });

  it('ends in a Content or in amqp:decode-error, whatever the bytes', () => {
    const good = encode(full);
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
        const bytes = Buffer.from(good);
        bytes[at] = byte;
        return bytes;
      }),
      fc.nat(good.length).map((length) => good.subarray(0, length)),
    );
    fc.assert(
      fc.property(hostile, (bytes) => {
        try {
          const content = Content.read(Buffer.from(bytes));
          // What was accepted can be used.
          content.bodyBytes();
          content.with({ user: new Map([['x', 1n]]) });
          encodeForDelivery(stored(content), 'peek');
          readBatch(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(BrokerError);
          expect(error).toHaveProperty('condition', 'amqp:decode-error');
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('Content.with', () => {
  it('changes what is named and keeps the bytes of all else', () => {
    const before = read(full);
    const after = before.with({
      system: new Map<string, string | null>([
        ['label', 'new label'],
        ['to', null],
      ]),
      user: new Map<string, string | bigint | null>([
        ['TEXT', 'changed'],
        ['long', null],
        ['added', 5n],
      ]),
    });
    const { to, ...rest } = decode(before.bytes) as Message & { application_properties: Record<string, unknown> };
    const { long, ...properties } = rest.application_properties;
    expect([to, long]).toEqual(['there', 2 ** 40]);
    expect(decode(after.bytes)).toEqual({
      ...rest,
      subject: 'new label',
      application_properties: { ...properties, Text: 'changed', added: 5 },
    });
    // Types are told by codes that decoding hides: an int, a ubyte, a float and a symbol.
    for (const encoded of [
      'a303696e74',
      'a103696e7454f9',
      'a105756279746550',
      'a105666c6f617472',
      'a10673796d626f6ca3',
    ]) {
      expect(after.bytes.toString('hex').includes(encoded)).toBe(before.bytes.toString('hex').includes(encoded));
    }
    expect(before.user('text')).toBe('ü');
  });

  it('adds sections that were not there', () => {
    const after = Content.read(Buffer.from('005377a10162', 'hex')).with({
      system: new Map<string, string | TimeSpan | Date>([
        ['sessionid', 's'],
        ['partitionkey', 'p'],
        ['timetolive', TimeSpan.ofMs(9)],
        ['scheduledenqueuetimeutc', new Date(5)],
      ]),
      user: new Map([['u', 1.5]]),
    });
    expect(after).toMatchObject({ sessionId: 's', partitionKey: 'p', ttlMs: 9, scheduledAtMs: 5 });
    expect(after.user('u')).toBe(1.5);
    expect(after.bodyBytes().toString()).toBe('b');
  });

  it.each([
    ['sequencenumber', 1n],
    ['scheduledenqueuetimeutc', 'soon'],
    ['timetolive', 'long'],
    ['label', Buffer.from('x')],
  ])('refuses to set %s', (name, value) => {
    expect(() => read(full).with({ system: new Map([[name, value]]) })).toThrow(
      expect.objectContaining({ condition: 'com.microsoft:argument-error' }),
    );
  });
});

describe('Content.build', () => {
  it('builds what it is told, and rhea reads it', () => {
    const parts = {
      messageId: 'm',
      correlationId: 'c',
      sessionId: 's',
      replyToSessionId: 'r',
      subject: 'l',
      to: 't',
      replyTo: 'rt',
      contentType: 'application/json',
      partitionKey: 'p',
      timeToLiveMs: 1_000,
      scheduledAtMs: 2_000,
    };
    const content = Content.build({
      ...parts,
      applicationProperties: new Map<string, bigint | string>([
        ['n', 1n],
        ['t', 'x'],
      ]),
      body: Buffer.from('{}'),
    });
    expect(content.brokerProperties).toEqual(parts);
    const message = decode(content.bytes);
    expect(message).toMatchObject({ group_id: 's', ttl: 1_000, application_properties: { n: 1, t: 'x' } });
    expect((message.body as { content: Buffer }).content.toString()).toBe('{}');
  });

  it('carries a value', () => {
    expect(decode(Content.build({ body: { value: 'text' } }).bytes).body).toBe('text');
  });
});

describe('readBatch', () => {
  it('takes every data section for a message', () => {
    const messages = ['a', 'b', 'c'].map((id) => encode({ message_id: id, body: 'x' }));
    const batch = encode({ message_annotations: { 'x-opt-partition-key': 'a' }, body: codec.data_sections(messages) });
    expect(readBatch(batch).map((content) => content.messageId)).toEqual(['a', 'b', 'c']);
  });

  it('refuses a data section that is no message', () => {
    const batch = encode({ body: codec.data_section(Buffer.from([1, 2, 3])) });
    expect(() => readBatch(batch)).toThrow(expect.objectContaining({ condition: 'amqp:decode-error' }));
  });
});

describe('encodeForDelivery', () => {
  it("adds the broker's header and annotations, and leaves the rest as it came", () => {
    const content = read(full);
    const bytes = encodeForDelivery(
      stored(content, { deliveryCount: 2, expiresAtMs: 1_700_000_050_000, deadLetterSource: 'q', state: 'deferred' }),
      { lockedUntilMs: 1_700_000_030_000 },
    );
    const message = decode(bytes);
    expect(message).toMatchObject({ durable: true, priority: 6, ttl: 50_000, delivery_count: 2 });
    expect(message.message_annotations).toEqual({
      'x-opt-partition-key': 'pk',
      'x-opt-scheduled-enqueue-time': new Date(1_800_000_000_000),
      other: 'kept',
      'x-opt-enqueued-time': new Date(1_700_000_000_000),
      'x-opt-sequence-number': 7,
      'x-opt-enqueue-sequence-number': 3,
      'x-opt-locked-until': new Date(1_700_000_030_000),
      'x-opt-deadletter-source': 'q',
      'x-opt-message-state': 1,
    });
    const bare = content.bytes.subarray(content.bytes.indexOf(Buffer.from([0x00, 0x53, 0x73])));
    expect(bytes.subarray(bytes.length - bare.length)).toEqual(bare);
  });

  it('says nothing of a lock or an end that there is not', () => {
    const message = decode(encodeForDelivery(stored(read({ body: 'x' })), { lockedUntilMs: 0 }));
    expect(message.ttl).toBeUndefined();
    expect(message.delivery_count).toBe(0);
    expect(Object.keys(message.message_annotations ?? {})).toEqual([
      'x-opt-enqueued-time',
      'x-opt-sequence-number',
      'x-opt-enqueue-sequence-number',
    ]);
  });

  it('tells who looks on the state of the message', () => {
    const peeked = decode(encodeForDelivery(stored(read({ body: 'x' }), { state: 'scheduled' }), 'peek'));
    expect(peeked.message_annotations).toMatchObject({ 'x-opt-message-state': 2 });
  });
});
