import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tally } from '../src/latency/tally.ts';

describe('tally', () => {
  it('agrees with a plain count of any sequence of arrivals', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000)), fc.uniqueArray(fc.nat(20_000)), (arrivals, failed) => {
        const tally = new Tally();
        const seen = new Set<number>();
        let [reordered, highest] = [0, -1];
        for (const number of arrivals) {
          expect(tally.add(number)).toBe(!seen.has(number));
          if (!seen.has(number) && number < highest) reordered += 1;
          highest = Math.max(highest, number);
          seen.add(number);
        }
        const promised = Array.from({ length: 20_001 }, (_, number) => number).filter(
          (number) => !failed.includes(number),
        );
        expect(tally).toMatchObject({ received: arrivals.length, duplicated: arrivals.length - seen.size, reordered });
        expect(tally.lost(0, 20_001, new Set(failed))).toBe(promised.filter((number) => !seen.has(number)).length);
      }),
      { numRuns: 30 },
    );
  });
});
