import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeStamper, readStamp } from '../src/latency/stamp.ts';

describe('stamp', () => {
  it('is as long as asked and says what was put in', () => {
    const time = fc.double({ min: 1_000, max: 1e10, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 64, max: 5_000 }),
        fc.nat(10_000_000),
        time,
        time,
        (bytes, number, intended, sent) => {
          const text = JSON.stringify(makeStamper(bytes)(1, number, intended, sent));
          expect(text.length).toBe(bytes);
          const [phase, back, intendedMs, sentMs] = readStamp(JSON.parse(text))!;
          expect([phase, back]).toEqual([1, number]);
          expect(intendedMs).toBeCloseTo(intended, 4);
          expect(sentMs).toBeCloseTo(sent, 4);
        },
      ),
    );
  });

  it.each([63, 100.5, Number.NaN])('refuses %s bytes', (bytes) => {
    expect(() => makeStamper(bytes)).toThrow(TypeError);
  });

  it('knows what is no stamp', () => {
    for (const other of [undefined, null, 'x', {}, [1, 2], [0, 1, 2, 3, 4], ['0', 1, 2, 3, '']]) {
      expect(readStamp(other)).toBeUndefined();
    }
  });
});
