import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkAttributeValue, checkExtensionName } from '../src/envelope/attributes.ts';
import { isPlainJson, normaliseData } from '../src/envelope/normalise.ts';
import { parseTime, TimeWriter } from '../src/envelope/time.ts';

describe('data', () => {
  test('plain JSON is taken as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        if (isPlainJson(plain)) expect(normaliseData(plain)).toBe(plain);
        else expect(JSON.stringify(plain)).toMatch(/__proto__|constructor|-?0/);
      }),
    );
  });

  test('what is taken as plain is what JSON makes of it', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withDate: true,
          withNullPrototype: true,
          withSparseArray: true,
          withBigInt: true,
          withMap: true,
        }),
        (value) => {
          if (isPlainJson(value)) expect(JSON.parse(JSON.stringify(value))).toEqual(value);
        },
      ),
    );
  });

  test('anything else is written down first', () => {
    class Point {
      x = 1;
      #hidden = 2;
      toString() {
        return `${this.#hidden}`;
      }
    }
    const at = new Date(0);
    expect(normaliseData({ at, point: new Point(), none: undefined })).toEqual({
      at: at.toISOString(),
      point: { x: 1 },
    });
    expect(normaliseData({ toJSON: () => 7 })).toBe(7);
    expect(normaliseData([Object(1), Object('a'), Object(false), undefined])).toEqual([1, 'a', false, null]);
    expect(normaliseData(new Array(2))).toEqual([null, null]);
    // What has no prototype in this process has one after any other transport.
    const bare = normaliseData({ in: Object.assign(Object.create(null), { a: 1 }) });
    expect(bare).toStrictEqual({ in: { a: 1 } });
    expect(normaliseData(-0)).toBe(0);
    expect(normaliseData(undefined)).toBeUndefined();
    const bytes = new Uint8Array(3);
    expect(normaliseData(bytes)).toBe(bytes);
  });

  const cycle: { self?: unknown } = {};
  cycle.self = [cycle];
  let deep: unknown = 1;
  for (let level = 0; level < 65; level++) deep = [deep];
  test.each([
    ['a cycle', cycle, /has a circular reference \(at data\.self\[0\]\)/],
    ['a BigInt', { a: [1n] }, /BigInt cannot be represented as JSON \(at data\.a\[0\]\)/],
    ['a function', { run() {} }, /Function .*data\.run/],
    ['a symbol', Symbol('x'), /Symbol cannot/],
    ['NaN', Number.NaN, /NaN cannot be represented as JSON \(at data\)/],
    ['Infinity inside', { a: Number.POSITIVE_INFINITY }, /Infinity .*data\.a/],
    ['a Map', { map: new Map() }, / Map cannot be represented as JSON \(at data\.map\)/],
    ['an invalid Date', new Date(Number.NaN), /Invalid Date cannot be represented as JSON \(at data\)/],
    ['an invalid Date inside', { at: [new Date(Number.NaN)] }, /Invalid Date .*data\.at\[0\]/],
    // JSON asks once: of the Date it would make an empty object.
    ['a toJSON that returns a Date', { of: { toJSON: () => new Date(0) } }, / Date .*data\.of/],
    ['a toJSON that returns a Map', { of: { toJSON: () => new Map() } }, / Map .*data\.of/],
    ['a toJSON that returns a typed array', [{ toJSON: () => new Uint16Array(1) }], /Uint16Array .*data\[0\]/],
    ['a toJSON that returns bytes', { of: { toJSON: () => new Uint8Array(1) } }, /data\.of/],
    ['a toJSON that returns NaN', { of: { toJSON: () => Number.NaN } }, /NaN .*data\.of/],
    ['a toJSON that returns a function', { of: { toJSON: () => () => {} } }, /Function .*data\.of/],
    [
      'a getter that returns a Set',
      {
        get of() {
          return new Set();
        },
      },
      / Set .*data\.of/,
    ],
    ['bytes inside', { photo: new Uint8Array(1) }, /bytes can only be the whole data.*data\.photo/],
    ['depth', deep, /deeper than 64/],
    ['__proto__', JSON.parse('{"a":{"__proto__":1}}'), /"__proto__".*data\.a/],
    ['constructor.prototype', JSON.parse('{"constructor":{"prototype":1}}'), /"constructor"/],
    [
      'a toJSON that throws',
      {
        toJSON() {
          throw new Error('no');
        },
      },
      /cannot be represented as JSON/,
    ],
  ])('%s is refused', (_, value, reason) => {
    expect(() => normaliseData(value)).toThrow(reason);
    expect(() => normaliseData(value)).toThrow(/^invalid-payload: /);
  });
});

describe('attributes', () => {
  test.each([
    'to',
    'sequence',
    'id',
    'data',
    'specversion',
    'Upper',
    'with-dash',
    '',
    'a'.repeat(21),
    '__proto__',
    'constructor',
    'attributes',
  ])('the name %j is refused', (name) => {
    expect(() => checkExtensionName(name)).toThrow(/^invalid-event: /);
  });
  test.each(['region', 'traceparent', 'a1', '1a'])('the name %j is taken', (name) => {
    expect(checkExtensionName(name)).toBeUndefined();
  });
  test.each([
    1.5,
    2 ** 31,
    Number.NaN,
    null,
    {},
    [],
    'a\u0000',
    '\ud800',
    '\u{1fffe}',
    'x'.repeat(8_193),
    new Date(Number.NaN),
  ])('the value %j is refused', (value) => {
    expect(() => checkAttributeValue('region', value)).toThrow(/^invalid-event: attribute "region" /);
  });
  test('values of CloudEvents are taken', () => {
    for (const value of ['', 'ä😀', true, -(2 ** 31), 2 ** 31 - 1])
      expect(checkAttributeValue('region', value)).toBe(value);
    expect(checkAttributeValue('region', new Date(0))).toBe('1970-01-01T00:00:00.000Z');
  });
});

describe('time', () => {
  const anyMs = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });
  test('is written as Date writes it, and read back', () => {
    const writer = new TimeWriter();
    fc.assert(
      fc.property(fc.array(fc.oneof(anyMs, fc.integer({ min: 0, max: 200_000 }))), (times) => {
        for (const ms of times) {
          expect(writer.write(ms)).toBe(new Date(ms).toISOString());
          expect(parseTime(new Date(ms).toISOString())).toBe(ms);
        }
      }),
    );
  });
  test.each([
    ['2026-11-21T04:00:00+05:30', Date.UTC(2026, 10, 20, 22, 30)],
    ['2026-11-21t04:00:00.1239z', Date.UTC(2026, 10, 21, 4, 0, 0, 123)],
    ['2026-12-31T23:59:60Z', Date.UTC(2026, 11, 31, 23, 59, 59)],
    ['0001-01-01T00:00:00Z', -62_135_596_800_000],
  ])('%s is read', (text, ms) => expect(parseTime(text)).toBe(ms));
  test.each([
    '',
    '2026-11-21',
    '2026-02-29T00:00:00Z',
    '2026-11-21T24:00:00Z',
    '2026-11-21T04:00:00',
    '2026-11-21 04:00:00Z',
    '2026-13-01T00:00:00Z',
  ])('%j is none', (text) => expect(parseTime(text)).toBeNaN());
});
