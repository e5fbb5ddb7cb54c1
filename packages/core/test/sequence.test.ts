import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GapDetector } from '../src/gap-detector.ts';
import { systemRuntime } from '../src/runtime.ts';
import { epochEnd, formatSequence, newEpoch, numberIn } from '../src/sequence.ts';

const numbers = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

test('a sequence says its epoch and number, and sorts as the number does', () => {
  const epoch = newEpoch(systemRuntime());
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      const [textA, textB] = [formatSequence(epoch, a), formatSequence(epoch, b)];
      expect(textA.slice(0, epochEnd(textA))).toBe(epoch);
      expect(numberIn(textA, epochEnd(textA))).toBe(a);
      expect(textA < textB).toBe(a < b);
    }),
  );
});

test('later epochs sort later', () => {
  const epochs = Array.from({ length: 100 }, () => newEpoch(systemRuntime()));
  expect([...epochs].sort()).toEqual(epochs);
});

test('any other text has no number', () => {
  for (const text of ['', '.', 'e', 'e.', 'e.1', 'e.2', 'e.25', 'e.1x', '.11', 'e.0', 'e.g1', 'e.-1', 'e.11.']) {
    expect([text, numberIn(text, epochEnd(text))]).toEqual([text, 0]);
  }
  fc.assert(fc.property(fc.string(), (text) => numberIn(text, epochEnd(text)) >= 0));
});

test('whatever arrives, every number is handed on once, and the gaps told are what was missing at the time', () => {
  const arrivals = fc.array(
    fc.record({
      epoch: fc.constantFrom('a', 'b'),
      list: fc.constantFrom('*', 'role:x'),
      number: fc.integer({ min: 1, max: 30 }),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(arrivals, (all) => {
      let told = 0;
      let expected = 0;
      const detector = new GapDetector((_source, count) => {
        told += count;
      });
      const lanes = new Map<string, { first: number; highest: number; seen: Set<number> }>();
      for (const { epoch, list, number } of all) {
        const isRepeated = detector.isRepeated('/s', formatSequence(epoch, number), list);
        const key = `${epoch} ${list}`;
        const lane = lanes.get(key);
        if (lane === undefined) {
          lanes.set(key, { first: number, highest: number, seen: new Set([number]) });
          expect(isRepeated).toBe(false);
          continue;
        }
        // What came before the first number seen was never owed.
        expect(isRepeated).toBe(lane.seen.has(number) || number < lane.first);
        if (number > lane.highest) {
          expected += number - lane.highest - 1;
          lane.highest = number;
        }
        lane.seen.add(number);
      }
      expect(told).toBe(expected);
    }),
  );
});
