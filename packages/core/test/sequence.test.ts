import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochEnd, formatSequence, newEpoch, numberIn } from '../src/publish/sequence-generator.ts';
import { GapDetector } from '../src/receive/gap-detector.ts';
import { systemRuntime } from '../src/timing/runtime.ts';

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

test('epochs of ten thousand that start in the same millisecond differ', () => {
  let state = 1;
  const bits = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) ^ (state >>> 12)) >>> 0;
  };
  const runtime = { ...systemRuntime(), epochMs: () => 1_767_225_600_000, randomBits: bits };
  const epochs = Array.from({ length: 10_000 }, () => newEpoch(runtime));
  expect(new Set(epochs).size).toBe(epochs.length);
});

test('any other text has no number', () => {
  for (const text of ['', '.', 'e', 'e.', 'e.1', 'e.2', 'e.25', 'e.1x', '.11', 'e.0', 'e.g1', 'e.-1', 'e.11.']) {
    expect([text, numberIn(text, epochEnd(text))]).toEqual([text, 0]);
  }
  fc.assert(fc.property(fc.string(), (text) => numberIn(text, epochEnd(text)) >= 0));
});

test('whatever order numbers come in, the gaps signalled are what was missing at the time', () => {
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
      const detector = new GapDetector(({ count }) => {
        told += count;
      });
      const lanes = new Map<string, { highest: number; seen: Set<number> }>();
      for (const { epoch, list, number } of all) {
        const key = `${epoch} ${list}`;
        const lane = lanes.get(key);
        // A duplicate is known by its id, and never gets as far as this.
        if (lane?.seen.has(number)) continue;
        detector.add('/s', formatSequence(epoch, number), list, false);
        if (lane === undefined) {
          lanes.set(key, { highest: number, seen: new Set([number]) });
          continue;
        }
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

test('a false number costs a signal at worst: what follows is watched as before', () => {
  const gaps: number[] = [];
  const detector = new GapDetector(({ count }) => gaps.push(count));
  const come = (...numbers: number[]) => {
    for (const number of numbers) detector.add('/s', formatSequence('a', number), '*', false);
  };
  come(1, 2);
  come(9_000_000_000); // forged
  come(3, 4, 5);
  expect(gaps).toHaveLength(1);
  come(7);
  expect(gaps.slice(1)).toEqual([1]);
  // Another source with the same epoch is another publisher.
  detector.add('/stranger', formatSequence('a', 100), '*', false);
  come(8);
  expect(gaps).toHaveLength(2);
});

test('an event that is delivered again fills its place, and moves nothing back', () => {
  const gaps: number[] = [];
  const detector = new GapDetector(({ count }) => gaps.push(count));
  detector.add('/s', formatSequence('a', 1), '*', false);
  detector.add('/s', formatSequence('a', 2), '*', true);
  detector.add('/s', formatSequence('a', 1), '*', true);
  detector.add('/s', formatSequence('a', 3), '*', false);
  expect(gaps).toEqual([]);
});

test('what an earlier life left behind says nothing about what it handled', () => {
  const gaps: number[] = [];
  const detector = new GapDetector(({ count }) => gaps.push(count));
  for (const number of [16, 18, 32]) detector.add('/s', formatSequence('a', number), '*', true, false);
  detector.add('/s', formatSequence('a', 40), '*', false);
  expect(gaps).toEqual([]);
  // From here on everything is ours, whether it comes for the first time or not.
  detector.add('/s', formatSequence('a', 41), '*', true, false);
  detector.add('/s', formatSequence('a', 43), '*', false);
  expect(gaps).toEqual([1]);
});
