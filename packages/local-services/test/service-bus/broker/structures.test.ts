import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Copy, PHASE } from '../../../src/service-bus/broker/copy.ts';
import { Line } from '../../../src/service-bus/broker/line.ts';
import { MessageLog } from '../../../src/service-bus/broker/message-log.ts';
import { TimeHeap } from '../../../src/time/time-heap.ts';
import { content } from './content.ts';

const origin = {
  enqueuedSequenceNumber: 0,
  enqueuedAtMs: 0,
  ttlMs: Number.POSITIVE_INFINITY,
  hops: 0,
  deliveryCount: 0,
  deadLetterSource: undefined,
  charge: 0,
};

describe('a time heap', () => {
  test('gives what is due, earliest first, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 200 }), fc.nat(1_000), (times, now) => {
        const heap = new TimeHeap();
        times.forEach((time, number) => {
          heap.add(time, number);
        });
        const taken: number[] = [];
        for (let number = heap.takeDue(now); number !== undefined; number = heap.takeDue(now))
          taken.push(times[number]!);
        expect(taken).toEqual(times.filter((time) => time <= now).sort((a, b) => a - b));
        const later = times.filter((time) => time > now);
        expect(heap.next(() => true)).toBe(Math.min(Number.POSITIVE_INFINITY, ...later));
        expect(heap.size).toBe(later.length);
      }),
    );
  });

  test('does not grow with what no longer holds', () => {
    const heap = new TimeHeap();
    for (let at = 0; at < 100_000; at++) {
      heap.add(1_000_000 - at, at);
      heap.sweep(10, (number) => number > at - 10);
    }
    expect(heap.size).toBeLessThan(2_000);
    const kept: number[] = [];
    for (let number = heap.takeDue(1e9); number !== undefined; number = heap.takeDue(1e9)) kept.push(number);
    expect(kept.slice(0, 3)).toEqual([99_999, 99_998, 99_997]);
  });
});

describe('a message log', () => {
  test('finds what was appended and not removed, in order', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant('append' as const) },
      { weight: 1, arbitrary: fc.constant('skip' as const) },
      { weight: 5, arbitrary: fc.nat(1_000_000) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600, size: 'max' }), fc.nat(400), (steps, from) => {
        const log = new MessageLog();
        const there = new Map<number, Copy>();
        for (const step of steps) {
          if (step === 'skip') log.skip();
          else if (step === 'append') {
            const copy = new Copy(content(), log.next, origin, PHASE.available);
            there.set(log.next, copy);
            log.append(copy);
          } else if (there.size > 0) {
            const number = [...there.keys()][step % there.size]!;
            log.remove(number);
            there.delete(number);
          }
        }
        expect(log.size).toBe(there.size);
        expect([...log.from(from)]).toEqual([...there.values()].filter(({ sequenceNumber }) => sequenceNumber >= from));
        for (let number = 0; number <= log.next; number++) expect(log.get(number)).toBe(there.get(number));
      }),
      { numRuns: 50 },
    );
  });
});

describe('a line', () => {
  test('gives the lowest number of those that wait', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.constant('append' as const) },
      { weight: 5, arbitrary: fc.constant('shift' as const) },
      { weight: 2, arbitrary: fc.record({ giveBack: fc.nat(1_000) }) },
      { weight: 3, arbitrary: fc.record({ forget: fc.nat(1_000) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600, size: 'max' }), (steps) => {
        const line = new Line();
        const waiting = new Set<number>();
        const taken = new Set<number>();
        let next = 1;
        for (const step of steps) {
          if (step === 'append') {
            waiting.add(next);
            line.append(next++);
          } else if (step === 'shift') {
            let number = line.shift();
            while (number !== undefined && !waiting.has(number)) number = line.shift();
            expect(number).toBe(waiting.size === 0 ? undefined : Math.min(...waiting));
            if (number === undefined) continue;
            line.taken();
            waiting.delete(number);
            taken.add(number);
          } else if ('giveBack' in step && taken.size > 0) {
            const number = [...taken][step.giveBack % taken.size]!;
            taken.delete(number);
            waiting.add(number);
            line.giveBack(number);
          } else if ('forget' in step && waiting.size > 0) {
            waiting.delete([...waiting][step.forget % waiting.size]!);
            line.forget((number) => waiting.has(number));
          }
          expect(line.size).toBe(waiting.size);
        }
      }),
    );
  });
});
