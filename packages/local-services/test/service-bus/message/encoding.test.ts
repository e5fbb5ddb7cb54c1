import fc from 'fast-check';
import rhea from 'rhea';
import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../../src/service-bus/broker/error.ts';
import { readDecimal } from '../../../src/service-bus/message/encoding/decimal.ts';
import { MAX_DEPTH, Reader } from '../../../src/service-bus/message/encoding/reader.ts';
import { type AmqpValue, Described } from '../../../src/service-bus/message/encoding/value.ts';
import { Writer } from '../../../src/service-bus/message/encoding/writer.ts';
import { TimeSpan, Uuid } from '../../../src/service-bus/rules/index.ts';

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.double({ noNaN: true }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.date({ noInvalidDate: true }),
  fc.uuid().map((text) => new Uuid(text)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((ticks) => new TimeSpan(ticks)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
);

const value: fc.Arbitrary<AmqpValue> = fc.letrec<{ value: AmqpValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .uniqueArray(fc.tuple(fc.string(), tie('value')), { selector: ([key]) => key, maxLength: 5 })
      .map((m) => new Map(m)),
    fc
      .tuple(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), tie('value'))
      .map(([code, inner]) => new Described(code, inner)),
  ),
})).value;

function write(written: AmqpValue): Buffer {
  const writer = new Writer(1);
  writer.value(written);
  return writer.takeBytes();
}

/** Reads and skips: both must agree on where the value ends. */
function read(bytes: Buffer): AmqpValue {
  const reader = new Reader(bytes);
  const result = reader.value();
  const skipper = new Reader(bytes);
  skipper.skip();
  expect(skipper.at).toBe(reader.at);
  const checker = new Reader(bytes);
  checker.check();
  expect(checker.at).toBe(reader.at);
  return result;
}

describe('AMQP values', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(value, (written) => {
        expect(read(write(written))).toEqual(written);
      }),
      { numRuns: 500 },
    );
  });

  it('are what rhea writes, in every type it has', () => {
    const { types } = rhea;
    const table: [unknown, AmqpValue][] = [
      [types.wrap_ubyte(200), 200n],
      [types.wrap_byte(-3), -3n],
      [types.wrap_ushort(60_000), 60_000n],
      [types.wrap_short(-30_000), -30_000n],
      [types.wrap_uint(0), 0n],
      [types.wrap_uint(7), 7n],
      [types.wrap_uint(4_000_000_000), 4_000_000_000n],
      [types.wrap_int(-5), -5n],
      [types.wrap_int(-500), -500n],
      [types.wrap_ulong(0), 0n],
      [types.wrap_ulong(9), 9n],
      [types.wrap_ulong(2 ** 40), 2n ** 40n],
      [types.wrap_long(-9), -9n],
      [types.wrap_long(-(2 ** 40)), -(2n ** 40n)],
      [types.wrap_float(0.5), 0.5],
      [types.wrap_double(0.1), 0.1],
      [types.wrap_boolean(true), true],
      [types.wrap_timestamp(1_700_000_000_000), new Date(1_700_000_000_000)],
      [types.wrap_char(0x1f600), '😀'],
      [types.wrap_symbol('a-symbol'), 'a-symbol'],
      [types.wrap_string('ü'.repeat(200)), 'ü'.repeat(200)],
      [types.wrap_list([]), []],
      [types.wrap_map({ a: 'b' }), new Map([['a', 'b']])],
      [types.wrap_array([1, 2, 3], 0x71, undefined), [1n, 2n, 3n]],
      [types.wrap_described('v', 'a:b'), new Described('a:b', 'v')],
    ];
    for (const [wrapped, expected] of table) {
      const writer = new (
        types as unknown as { Writer: new () => { write(v: unknown): void; toBuffer(): Buffer } }
      ).Writer();
      writer.write(wrapped);
      expect(read(writer.toBuffer())).toEqual(expected);
    }
  });

  it('of 64 bits are written by the same bytes from a number as from a bigint', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (number) => {
        const writer = new Writer();
        writer.long(number);
        writer.long(BigInt(number));
        const bytes = writer.takeBytes();
        expect(bytes.subarray(0, 9)).toEqual(bytes.subarray(9));
      }),
    );
  });

  it.each([
    ['7c000000', Number.NaN],
    ['32800001', 1],
    ['b2800001', -1],
    ['3200007b', 12.3],
    ['78000000', Number.POSITIVE_INFINITY],
    ['3040000000000000000000000000000f', 15],
    ['303e00000000000000000000000000e1', 22.5],
    ['31c0000000000005', 5],
  ])('decimal %s', (hex, expected) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(readDecimal(bytes)).toBe(expected);
  });

  it('from strangers end in a value or in amqp:decode-error, and soon', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      // Mostly right, so that it gets further.
      fc.tuple(value, fc.nat(), fc.nat(255)).map(([written, at, byte]) => {
        const bytes = write(written);
        bytes[at % bytes.length] = byte;
        return bytes;
      }),
    );
    fc.assert(
      fc.property(hostile, (bytes) => {
        for (const method of ['value', 'skip', 'check', 'list', 'map'] as const) {
          try {
            new Reader(Buffer.from(bytes))[method]();
          } catch (error) {
            expect(error).toBeInstanceOf(BrokerError);
            expect(error).toHaveProperty('condition', 'amqp:decode-error');
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['an array of four thousand million nulls', 'f000000005ffffffff40'],
    ['a list of as many', 'd000000004ffffffff'],
    ['a map of as many', 'd100000004fffffffe'],
    ['a text longer than the bytes', 'b1ffffffff00'],
    ['descriptors of descriptors', '00'.repeat(100_000)],
    ['lists in lists', `${'c07f01'.repeat(5_000)}40`],
    ['arrays in arrays', `${'e07f01'.repeat(5_000)}40`],
  ])('refuses %s', (_name, hex) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(() => new Reader(bytes).value()).toThrow(BrokerError);
    expect(() => new Reader(bytes).check()).toThrow(BrokerError);
  });

  it(`refuses more than ${MAX_DEPTH} levels and reads as many`, () => {
    const nest = (levels: number) => {
      let nested: AmqpValue = 'core';
      for (let i = 0; i < levels; i++) nested = [nested];
      return write(nested);
    };
    expect(() => new Reader(nest(MAX_DEPTH)).value()).not.toThrow();
    expect(() => new Reader(nest(MAX_DEPTH + 1)).value()).toThrow('nested too deeply');
  });
});
