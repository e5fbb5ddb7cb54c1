import { BroadcastEvent, type EventParts } from '@polycast/core/adapter';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { countIn, FOREIGN_TYPE, type ReadableMessage, readMessage } from '../src/read-message.ts';
import { encodeMessage, kindOf, messageIdOf, withTtl } from '../src/wire.ts';

const event = (parts: Partial<EventParts> = {}) =>
  new BroadcastEvent({ type: 'order', source: '/desk/d1', id: '1', ...parts });
/** As the SDK hands over what it was given. */
const arrived = (sent: BroadcastEvent): ReadableMessage => encodeMessage(sent, 'link', 'm').message as ReadableMessage;
const back = (sent: BroadcastEvent): BroadcastEvent => {
  const { events, errors } = readMessage(arrived(sent), 't');
  expect(errors).toEqual([]);
  return events[0] as BroadcastEvent;
};

describe('an event as a message', () => {
  it('is CloudEvents in binary mode', () => {
    const { message } = encodeMessage(
      event({
        time: Date.UTC(2026, 0, 2),
        expiresAtMs: Date.UTC(2026, 0, 3),
        sequence: 'e.1',
        data: { soup: 'ö' },
        attributes: { to: 'role:kitchen', table: 7, hot: true, partitionkey: 'k' },
      }),
      'me',
      '1|m',
    );
    expect(message).toEqual({
      body: Buffer.from('{"soup":"ö"}'),
      contentType: 'application/json',
      messageId: '1|m',
      sessionId: 'k',
      applicationProperties: {
        cloudEvents_specversion: '1.0',
        cloudEvents_type: 'order',
        cloudEvents_source: '/desk/d1',
        cloudEvents_id: '1',
        cloudEvents_time: '2026-01-02T00:00:00.000Z',
        cloudEvents_expirytime: '2026-01-03T00:00:00.000Z',
        cloudEvents_sequence: 'e.1',
        cloudEvents_to: 'role:kitchen',
        cloudEvents_table: 7,
        cloudEvents_hot: true,
        cloudEvents_partitionkey: 'k',
        polycast_link: 'me',
      },
    });
  });

  it.each<[string, Partial<EventParts>]>([
    ['nothing', {}],
    ['null', { data: null }],
    ['an empty text', { data: '' }],
    ['a text that looks like JSON', { data: '{"a":1}' }],
    ['plain text', { data: 'hello', attributes: { datacontenttype: 'text/plain' } }],
    ['an empty plain text', { data: '', attributes: { datacontenttype: 'text/plain' } }],
    ['half a character as plain text', { data: '\ud800', attributes: { datacontenttype: 'text/plain' } }],
    ['an object as XML', { data: { a: 1 }, attributes: { datacontenttype: 'application/xml' } }],
    ['typed JSON', { data: [1], attributes: { datacontenttype: 'application/json' } }],
    ['typed nothing', { attributes: { datacontenttype: 'application/json' } }],
    ['nothing of another type', { attributes: { datacontenttype: 'image/png' } }],
    ['JSON with parameters', { data: 1, attributes: { datacontenttype: 'application/json; charset=utf-8' } }],
    ['bytes', { data: new Uint8Array([0, 255]), attributes: { datacontenttype: 'application/octet-stream' } }],
    ['no bytes', { data: new Uint8Array(0), attributes: { datacontenttype: 'application/octet-stream' } }],
    ['bytes of a JSON type', { data: new Uint8Array([123]), attributes: { datacontenttype: 'application/json' } }],
    ['bytes of a text type', { data: new Uint8Array([255]), attributes: { datacontenttype: 'text/plain' } }],
    ['a suffix type', { data: { a: 1 }, attributes: { datacontenttype: 'application/vnd.x+json' } }],
    ['a time with an offset', { time: '2026-01-02T03:04:05+02:00' }],
  ])('comes back with %s', (_, parts) => {
    expect(back(event(parts)).toJSON()).toEqual(event(parts).toJSON());
  });

  it('comes back, whatever is in it', () => {
    const value = fc.oneof(
      fc.string({ unit: fc.constantFrom(..."aZ0 '[]%_ö🍜") }),
      fc.boolean(),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    );
    const parts = fc.record({
      data: fc.oneof(fc.jsonValue(), fc.uint8Array({ maxLength: 40 }), fc.constant(undefined)),
      attributes: fc.dictionary(fc.stringMatching(/^x[a-z0-9]{0,8}$/), value, { maxKeys: 4 }),
      expiresAtMs: fc.option(fc.integer({ min: 0, max: 4_000_000_000_000 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(parts, (some) => {
        const sent = event(some.expiresAtMs === undefined ? { data: some.data, attributes: some.attributes } : some);
        expect(back(sent).toJSON()).toEqual(JSON.parse(JSON.stringify(sent.toJSON())) ?? {});
      }),
    );
  });

  it('is never larger than it says', async () => {
    const { message: rhea } = await import('rhea-promise' as string).catch(() => ({ message: undefined }));
    const sent = event({ data: 'x'.repeat(1_000), attributes: { subject: 'ö'.repeat(100) } });
    const { size, message } = encodeMessage(sent, 'me', 'm');
    const least =
      (message.body as Buffer).byteLength + Buffer.byteLength(JSON.stringify(message.applicationProperties));
    expect(size).toBeGreaterThan(least);
    expect(size).toBeLessThan(least + 1_000);
    expect(rhea === undefined || typeof rhea.encode).toBeTruthy();
  });

  it('lives as long as the event, as far as AMQP has a number for it', () => {
    const timeToLive = (livesMs: number) => {
      const lasting = event({ expiresAtMs: Date.now() + livesMs });
      const { expiresAtMs } = lasting;
      const encoded = encodeMessage(lasting, 'me', 'm');
      return withTtl({ event: lasting, topic: 't', to: ['*'], encoded, expiresAtMs }).timeToLive;
    };
    expect(timeToLive(60_000)).toBeGreaterThan(50_000);
    expect(timeToLive(60_000)).toBeLessThanOrEqual(60_000);
    expect(timeToLive(-500)).toBe(1);
    expect(timeToLive(2 ** 40)).toBeUndefined();
    expect(timeToLive(Number.POSITIVE_INFINITY)).toBeUndefined();
  });

  it('lives as long whatever the clock is set to while it waits', () => {
    const lasting = event({ expiresAtMs: Date.now() + 60_000 });
    const encoded = encodeMessage(lasting, 'me', 'm');
    const { expiresAtMs } = lasting;
    const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
    const { timeToLive } = withTtl({ event: lasting, topic: 't', to: ['*'], encoded, expiresAtMs });
    now.mockRestore();
    expect(timeToLive).toBeGreaterThan(50_000);
  });

  it('has an id that begins with the event’s own, as far as the service takes it', () => {
    expect(messageIdOf('order-7', 'link.1')).toBe('order-7|link.1');
    expect(messageIdOf('x'.repeat(200), 'link.1')).toBe('link.1');
  });

  it.each([
    ['application/json', 'json'],
    ['Application/JSON; charset=utf-8', 'json'],
    ['application/cloudevents+json', 'json'],
    ['text/html', 'text'],
    ['application/octet-stream', 'bytes'],
    ['', 'bytes'],
  ])('of type %s is %s', (type, kind) => expect(kindOf(type)).toBe(kind));
});

describe('a message of somebody else', () => {
  const read = (message: Partial<ReadableMessage>) => readMessage(message as ReadableMessage, 'orders');
  const one = (message: Partial<ReadableMessage>) => {
    const { events, errors } = read(message);
    expect(errors).toEqual([]);
    return events[0]?.toJSON();
  };
  const REQUIRED = { specversion: '1.0', type: 'order', source: '/x', id: '1' };

  it('in binary mode has either prefix, and native timestamps', () => {
    const properties = Object.entries({ ...REQUIRED, time: new Date(0) }).map(([name, value]) => [
      `cloudEvents:${name}`,
      value,
    ]);
    expect(
      one({
        body: Buffer.from('{"a":1}'),
        contentType: 'application/json',
        applicationProperties: { ...Object.fromEntries(properties), mine: 1 },
      }),
    ).toEqual({
      ...REQUIRED,
      time: '1970-01-01T00:00:00.000Z',
      datacontenttype: 'application/json',
      data: { a: 1 },
    });
  });

  it('in structured mode is read as JSON, a batch as well', () => {
    const contentType = 'application/cloudevents+json; charset=utf-8';
    expect(one({ contentType, body: Buffer.from(JSON.stringify({ ...REQUIRED, data: 1 })) })).toEqual({
      ...REQUIRED,
      data: 1,
    });
    const batch = `[${JSON.stringify(REQUIRED)},{},${JSON.stringify({ ...REQUIRED, id: '2' })}]`;
    const { events, errors } = read({ contentType: 'application/cloudevents-batch+json', body: Buffer.from(batch) });
    expect(events.map(({ id }) => id)).toEqual(['1', '2']);
    expect(errors).toHaveLength(1);
  });

  it('that is no event becomes one', () => {
    const enqueuedTimeUtc = new Date('2026-01-02T00:00:00Z');
    expect(
      one({
        body: Buffer.from('{"a":1}'),
        messageId: 'm1',
        subject: 'order.placed',
        sessionId: 'table-7',
        enqueuedTimeUtc,
        contentType: 'application/json',
        applicationProperties: { region: 'west', Upper: 1, to: 'role:x', correlationid: 'c', big: 2 ** 40, count: 3 },
      }),
    ).toEqual({
      specversion: '1.0',
      id: 'm1',
      source: '/orders',
      type: 'order.placed',
      time: '2026-01-02T00:00:00.000Z',
      partitionkey: 'table-7',
      datacontenttype: 'application/json',
      region: 'west',
      count: 3,
      data: { a: 1 },
    });
  });

  it.each<[string, Partial<ReadableMessage>, unknown, string | undefined]>([
    ['JSON without a type', { body: Buffer.from('[1]') }, [1], undefined],
    ['text without a type', { body: Buffer.from('hello') }, 'hello', undefined],
    ['bytes without a type', { body: Buffer.from([255]) }, new Uint8Array([255]), 'application/octet-stream'],
    ['broken JSON of its type', { body: Buffer.from('{'), contentType: 'application/json' }, '{', 'application/json'],
    ['an AMQP value', { body: 'text' as never }, 'text', undefined],
    ['an AMQP list', { body: [1, 'a'] as never }, [1, 'a'], undefined],
    ['nothing', { body: Buffer.alloc(0) }, undefined, undefined],
    ['a type that is none', { body: Buffer.from('1'), contentType: 'json' }, 1, undefined],
  ])('with %s', (_, message, data, type) => {
    const { events, errors } = read({ messageId: '1', ...message });
    if (Array.isArray(message.body)) {
      expect(errors.length + events.length).toBe(1);
      return;
    }
    expect(errors).toEqual([]);
    expect(events[0]?.data).toEqual(data);
    expect(events[0]?.datacontenttype).toBe(type);
  });

  it('without id and subject has those it can have', () => {
    const made = one({ body: Buffer.alloc(0), sequenceNumber: { toString: () => '42' } as never, subject: 'a\u0000' });
    expect(made).toMatchObject({ id: '42', type: FOREIGN_TYPE });
  });

  it.each<[string, Partial<ReadableMessage>]>([
    ['no JSON', { contentType: 'application/cloudevents+json', body: Buffer.from('hello') }],
    ['no UTF-8', { contentType: 'application/cloudevents+json', body: Buffer.from([0x7b, 0xff]) }],
    ['Avro', { contentType: 'application/cloudevents+avro', body: Buffer.from('x') }],
    ['no bytes', { contentType: 'application/cloudevents+json', body: 7 as never }],
    [
      'no id',
      { body: Buffer.alloc(0), applicationProperties: { cloudEvents_specversion: '1.0', cloudEvents_type: 'x' } },
    ],
    [
      'an attribute twice',
      {
        body: Buffer.alloc(0),
        applicationProperties: {
          ...Object.fromEntries(Object.entries(REQUIRED).map(([n, v]) => [`cloudEvents_${n}`, v])),
          'cloudEvents:id': '2',
        },
      },
    ],
  ])('that says it is one and has %s is corrupt', (_, message) => {
    const { events, errors } = read(message);
    expect(events).toEqual([]);
    expect(errors.map(({ code }) => code)).toEqual(['corrupt-event']);
  });

  it('never throws, and pollutes nothing', () => {
    const properties = fc.dictionary(
      fc.oneof(
        fc.string(),
        fc.constantFrom('__proto__', 'constructor', 'cloudEvents_id', 'cloudEvents:type', 'cloudEvents_specversion'),
      ),
      fc.anything(),
    );
    fc.assert(
      fc.property(
        fc.anything(),
        fc.option(fc.string(), { nil: undefined }),
        properties,
        fc.anything(),
        (body, contentType, applicationProperties, messageId) => {
          readMessage({ body, contentType, applicationProperties, messageId, subject: messageId } as never, 't');
          countIn({ applicationProperties } as never, 'polycast_returned');
        },
      ),
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
