import { BroadcastEvent, decodeEvents, encodeBatch, encodeEvent, PolycastError } from '@polycast/core/adapter';
import { CloudEvent, HTTP, type Message } from 'cloudevents';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** What decoding a text gave: events as plain objects, and the reasons of what was none. Reads the data too. */
function decode(text: string, limits?: Parameters<typeof decodeEvents>[3]): { events: object[]; faults: string[] } {
  const events: object[] = [];
  const faults: string[] = [];
  decodeEvents(
    text,
    (event) => {
      try {
        events.push({ ...event.toJSON(), expiresAtMs: event.expiresAtMs });
      } catch (error) {
        expect(error).toBeInstanceOf(PolycastError);
        faults.push((error as PolycastError).message);
      }
    },
    (error) => {
      expect(error).toBeInstanceOf(PolycastError);
      expect(error.code).toBe('corrupt-event');
      faults.push(error.message);
    },
    limits,
  );
  return { events, faults };
}

/** The same JSON in a layout that only the general reader takes: other member order, white space. */
function foreign(text: string): string {
  return write(JSON.parse(text), 1).replace(/^\{\n/, '{\n \n');
}

/**
 * As `JSON.stringify` does, which forgets the sign of a negative zero, and writes null for a number that is too large for
 * a double: JSON text can say both.
 */
function write(value: unknown, indent?: number): string {
  const marked = JSON.stringify(
    value,
    (_name, part) => {
      if (Object.is(part, -0)) return `${MARK}-0`;
      if (part === Number.POSITIVE_INFINITY) return `${MARK}1e999`;
      return part === Number.NEGATIVE_INFINITY ? `${MARK}-1e999` : part;
    },
    indent,
  );
  return marked.replaceAll(new RegExp(`"${MARK}([^"]*)"`, 'g'), '$1');
}

const MARK = '\ue000';

const anyText = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((text) => !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text));
const anyName = fc.stringMatching(/^[a-z][a-z0-9]{0,19}$/).filter((name) => !RESERVED.includes(name));
const RESERVED =
  'specversion id source type subject time datacontenttype dataschema data expirytime sequence attributes constructor epoch with'.split(
    ' ',
  );
const anyValue = fc.oneof(anyText, fc.boolean(), fc.integer());
const anyTimeMs = fc.integer({ min: 0, max: 253_402_300_799_999 });
const anyData = fc.oneof(
  fc.constant(undefined),
  fc.uint8Array(),
  fc
    .jsonValue({ maxDepth: 6 })
    .map((value) => JSON.parse(JSON.stringify(value)) as unknown)
    // Publishing such keys is refused, which has tests of its own.
    .filter((value) => !/"__proto__"|"constructor"/.test(JSON.stringify(value))),
);
const anyEvent = fc
  .record({
    type: anyText,
    source: anyText,
    id: fc.oneof(anyText, fc.integer({ min: 1 })),
    time: fc.option(anyTimeMs, { nil: undefined }),
    expiresAtMs: fc.option(anyTimeMs, { nil: undefined }),
    sequence: fc.option(fc.oneof(anyText, fc.constant('mbx.11')), { nil: undefined }),
    data: anyData,
    attributes: fc.option(
      fc
        .tuple(fc.dictionary(anyName, anyValue, { minKeys: 1, maxKeys: 6 }), fc.option(anyText, { nil: undefined }))
        .map(([values, subject]) => ({
          ...values,
          ...(subject === undefined ? {} : { subject }),
        })),
      { nil: undefined },
    ),
  })
  .filter(({ id, sequence }) => typeof id === 'string' || sequence === undefined || sequence === 'mbx.11')
  .map((parts) => new BroadcastEvent({ ...parts, epoch: 'mbx' }));

const plain = (event: BroadcastEvent) => ({
  ...event.toJSON(),
  expiresAtMs: event.expiresAtMs,
});

describe('round trip', () => {
  test('any event comes back as it was', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(decode(encodeEvent(event))).toEqual({ events: [plain(event)], faults: [] });
      }),
      { numRuns: 500 },
    );
  });

  test('any batch comes back in order', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 8 }), (events) => {
        const text = encodeBatch(events.map(encodeEvent));
        expect(decode(text)).toEqual({ events: events.map(plain), faults: [] });
        const parsed: unknown = JSON.parse(text);
        expect(Array.isArray(parsed) ? parsed : [parsed]).toEqual(events.map((event) => event.toJSON()));
      }),
    );
  });

  test('any layout of the same JSON is the same event', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(decode(foreign(encodeEvent(event)))).toEqual({ events: [plain(event)], faults: [] });
      }),
    );
  });

  test('a lone event stands without brackets, a batch is an event a line', () => {
    const event = encodeEvent(new BroadcastEvent({ type: 'a', source: '/b', id: 1, epoch: 'e', data: 'line\nbreak' }));
    expect(encodeBatch([event])).toBe(
      '{"specversion":"1.0","type":"a","source":"/b","id":"e.1","data":"line\\nbreak"}',
    );
    expect(encodeBatch([event, event]).split('\n')).toHaveLength(2);
  });

  test('the time is written as RFC 3339, and left out where that has no words', () => {
    const at = (timeMs: number, expiresAtMs: number) =>
      JSON.parse(
        encodeEvent(new BroadcastEvent({ type: 'a', source: 'b', id: 'c', time: timeMs, expiresAtMs })),
      ) as object;
    const timeMs = Date.UTC(2026, 1, 28, 23, 59, 59, 7);
    expect(at(timeMs, timeMs + 1_000)).toMatchObject({
      time: '2026-02-28T23:59:59.007Z',
      expirytime: '2026-03-01T00:00:00.007Z',
    });
    expect(at(timeMs, 1e15)).not.toHaveProperty('expirytime');
  });
});

/** What `JSON.parse` and the rules of CloudEvents make of a text, by the shortest way there is. */
function oracle(text: string): object[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return (Array.isArray(value) ? value : [value]) as object[];
}

describe('the fast way and the strict way agree', () => {
  const valid = fc
    .array(anyEvent, { minLength: 1, maxLength: 4 })
    .map((events) => encodeBatch(events.map(encodeEvent)));
  const pieces = [
    '"',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '\\',
    '\n',
    ' ',
    'null',
    '1',
    '"id":"x"',
    ',"data":{}',
    ',\n{',
    '{}},\n{',
    '\u0000',
    '\\u0000',
    '\\ud800',
    ',"to":{"a":1}',
  ];
  const mutated = fc
    .tuple(
      valid,
      fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom('', ...pieces)), { minLength: 1, maxLength: 3 }),
    )
    .map(([text, edits]) =>
      edits.reduce((now, [at, length, piece]) => {
        const from = at % (now.length + 1);
        return now.slice(0, from) + piece + now.slice(from + length);
      }, text),
    );

  test('mutated texts: valid JSON reads as in any other layout, invalid JSON is reported', () => {
    fc.assert(
      fc.property(mutated, (text) => {
        const fast = decode(text);
        const values = oracle(text);
        if (values === undefined) {
          expect(fast.faults.length).toBeGreaterThan(0);
          return;
        }
        // Rewriting loses equal names, which only the text shows.
        if (fast.faults.some((fault) => fault.includes('twice'))) return;
        const strict = decode(
          Array.isArray(JSON.parse(text))
            ? `[${values.map((value) => foreign(write(value))).join(' , ')}]`
            : foreign(text),
        );
        expect(fast.events).toEqual(strict.events);
        expect(fast.faults.length).toBe(strict.faults.length);
      }),
      {
        numRuns: 1_000,
        examples: ['-4e-919', '-2.07e611', '1e400'].map((number) => [
          `[{"specversion":"1.0","type":"t","source":"s","id":"1","data":[${number}]}]`,
        ]),
      },
    );
  });

  test('arbitrary text is never an exception', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'binary' })), (text) => {
        const { events, faults } = decode(text);
        if (text.trim() !== '[]' && !/^\s*\[\s*\]\s*$/.test(text))
          expect(events.length + faults.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  test('a batch inside the data of a batch stays inside', () => {
    const inner = [1, 2].map((id) => `{"specversion":"1.0","type":"t","source":"/s","id":"${id}","data":{"a":${id}}}`);
    const outer = `{"specversion":"1.0","type":"t","source":"/s","id":"outer","data":{"batch":[${inner.join(',\n')}]}}`;
    const { events, faults } = decode(`[${outer},\n${outer}]`);
    expect(faults).toEqual([]);
    expect(events).toMatchObject([{ id: 'outer' }, { id: 'outer', data: { batch: [{ id: '1' }, { id: '2' }] } }]);
  });

  test('attributes behind the data are read', () => {
    const head = '{"specversion":"1.0","type":"t","source":"/s","id":"1","data":';
    expect(decode(`${head}{"a":1},"subject":"x"}`).events).toMatchObject([{ data: { a: 1 }, subject: 'x' }]);
    expect(decode(`${head}"text","subject":"x"}`).events).toMatchObject([{ data: 'text', subject: 'x' }]);
    expect(decode(`${head}{"a":1},"to":{"b":1}}`).faults).toHaveLength(1);
    expect(decode(`${head}{"a":1},"data":{"b":1}}`).faults).toHaveLength(1);
  });
});

describe('hostile input', () => {
  const event = (more: string) => `{"specversion":"1.0","type":"t","source":"/s","id":"1"${more}}`;
  const refused: Record<string, [text: string, reason: RegExp]> = {
    nothing: ['', /complete JSON object/],
    'no object': ['"text"', /must be a JSON object/],
    'another version': ['{"specversion":"0.3","type":"t","source":"/s","id":"1"}', /specversion must be "1.0"/],
    'no id': ['{"specversion":"1.0","type":"t","source":"/s"}', /id is missing/],
    'no type': ['{"specversion":"1.0","id":"t","source":"/s"}', /type is missing/],
    'no source': ['{"specversion":"1.0","type":"t","id":"/s"}', /source is missing/],
    'an empty id': ['{"specversion":"1.0","type":"t","source":"/s","id":""}', /id must be a non-empty string/],
    'a number for an id': ['{"specversion":"1.0","type":"t","source":"/s","id":1}', /id must be a non-empty string/],
    'equal names': [event(',"id":"2"'), /"id" is given twice/],
    'equal extension names': [event(',"to":"*","to":"role:x"'), /"to" is given twice/],
    'an upper-case name': [event(',"traceParent":"x"'), /lower-case letters and digits/],
    '__proto__ as attribute': [event(',"__proto__":{"a":1}'), /__proto__/],
    '__proto__ in the data': [event(',"data":{"a":[{"__proto__":{"admin":true}}]}'), /__proto__/],
    '__proto__ by escapes': [event(',"data":{"\\u005f_proto__":1}'), /__proto__/],
    'constructor.prototype': [event(',"data":{"constructor":{"prototype":{"a":1}}}'), /constructor/],
    'an object attribute': [event(',"where":{"a":1}'), /not be an array or object/],
    'an array attribute': [event(',"where":[1]'), /not be an array or object/],
    'a fraction': [event(',"weight":1.5'), /32-bit integer/],
    'a large integer': [event(',"weight":2147483648'), /32-bit integer/],
    'a lone surrogate': [event(',"subject":"\\ud800"'), /surrogate/],
    'a control character': [event(',"subject":"a\\u0007"'), /control character/],
    'an empty subject': [event(',"subject":""'), /subject must be a non-empty string/],
    'no media type': [event(',"datacontenttype":"json"'), /media type/],
    'no time': [event(',"time":"yesterday"'), /time is not an RFC 3339/],
    'the 30th of February': [event(',"expirytime":"2026-02-30T00:00:00.000Z"'), /expirytime is not an RFC 3339/],
    'both kinds of data': [event(',"data":1,"data_base64":"AA=="'), /mutually exclusive/],
    'no base64': [event(',"data_base64":"A"'), /not base64/],
    'base64 that is no text': [event(',"data_base64":1'), /must be a string/],
    'data that is no JSON': [event(',"data":{a:1}'), /not JSON/],
    nesting: [event(`,"data":${'['.repeat(65)}${']'.repeat(65)}`), /deep/],
    'endless nesting': [event(`,"data":${'['.repeat(100_000)}`), /deep|whole/],
    'a long attribute': [event(`,"subject":"${'x'.repeat(40_000)}"`), /too long/],
    'many attributes': [event(Array.from({ length: 200 }, (_, at) => `,"a${at}":1`).join('')), /more than 128/],
    'trailing text': [`${event('')} x`, /unexpected content after the end/],
    'a trailing comma': [event(','), /attribute name/],
    'a bracket for a brace': ['{"specversion":"1.0","type":"t","source":"/s","id":"1","a":1]', /must be a JSON object/],
    'a broken batch': [`[${event('')}`, /batch is incomplete/],
  };
  for (const [name, [text, reason]] of Object.entries(refused)) {
    test(name, () => {
      const { faults } = decode(text);
      expect(faults).toHaveLength(1);
      expect(faults[0]).toMatch(reason);
    });
  }

  test('data of the greatest depth is read', () => {
    expect(decode(event(`,"data":${'['.repeat(64)}${']'.repeat(64)}`)).faults).toEqual([]);
  });

  test('null attributes are as if not there', () => {
    expect(decode(event(',"subject":null,"time":null,"data":null')).events).toEqual([
      { specversion: '1.0', type: 't', source: '/s', id: '1', data: null, expiresAtMs: Number.POSITIVE_INFINITY },
    ]);
  });

  test('what is corrupt in a batch does not take its neighbours along', () => {
    const { events, faults } = decode(
      `[${event('')},1,${event(',"a":[]')},{"specversion":"1.0"},${event(',"subject":"b"')}]`,
    );
    expect(events).toHaveLength(2);
    expect(faults).toHaveLength(3);
  });

  test('bounds can be set', () => {
    expect(decode(event(''), { maxTextLength: 20 }).faults[0]).toMatch(/longer than 20/);
    expect(decode(`[${event('')},${event('')}]`, { maxEvents: 1 })).toMatchObject({
      events: [{ id: '1' }],
      faults: [/more than 1/],
    });
  });

  test('an attribute that an event object has a member for hides nothing', () => {
    let seen: BroadcastEvent | undefined;
    decodeEvents(
      event(',"attributes":"x","constructor":"y","data":1'),
      (read) => {
        seen = read;
      },
      (error) => {
        throw error;
      },
    );
    expect(seen?.attributes).toEqual({ attributes: 'x', constructor: 'y' });
    expect(seen?.constructor).toBe(BroadcastEvent);
    expect(seen?.data).toBe(1);
  });

  test('a callback may decode another text', () => {
    const ids: string[] = [];
    const batch = `[${event(',"data":{"a":1}')},\n${event(',"data":{"a":2}')}]`;
    decodeEvents(
      batch,
      (read) => {
        ids.push(read.id);
        decodeEvents(
          `  ${event(',"subject":"inner"')}`,
          (inner) => ids.push(String(inner.subject)),
          () => ids.push('fault'),
        );
      },
      () => ids.push('fault'),
    );
    expect(ids).toEqual(['1', 'inner', '1', 'inner']);
  });
});

describe('with the CloudEvents SDK', () => {
  test('it reads what we write', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const message: Message = {
          headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
          body: encodeEvent(event),
        };
        const read = HTTP.toEvent(message) as CloudEvent;
        expect(read.id).toBe(event.id);
        expect(read.type).toBe(event.type);
        expect(read.source).toBe(event.source);
        for (const [name, value] of Object.entries(event.attributes ?? {})) {
          if (name !== 'subject') expect(read[name]).toEqual(value);
        }
        const data: unknown = event.data;
        if (data instanceof Uint8Array)
          expect(Buffer.from(read.data_base64 ?? '', 'base64')).toEqual(Buffer.from(data));
        // The SDK takes false, 0 and '' for no data.
        else if (data) expect(read.data).toEqual(data);
      }),
      { numRuns: 50 },
    );
  });

  test('we read what it writes', () => {
    const written = new CloudEvent({
      type: 'order.moved',
      source: '/till',
      subject: 'order/1',
      region: 'eu',
      data: { order: 1, note: 'ä\n' },
    });
    const { events, faults } = decode(HTTP.structured(written).body as string);
    expect(faults).toEqual([]);
    expect(events).toMatchObject([
      {
        id: written.id,
        type: 'order.moved',
        source: '/till',
        subject: 'order/1',
        region: 'eu',
        time: written.time,
        data: { order: 1, note: 'ä\n' },
      },
    ]);
    const bytes = new CloudEvent({
      type: 'photo',
      source: '/till',
      datacontenttype: 'image/png',
      data: new Uint8Array([0, 255, 7]),
    });
    expect(decode(HTTP.structured(bytes).body as string).events).toMatchObject([
      { data_base64: 'AP8H', datacontenttype: 'image/png' },
    ]);
  });
});
