import { describe, expect, it } from 'vitest';
import { AttemptCounter, type Deliveries } from '../src/attempt-counter.ts';

const delivery = (more: Partial<Deliveries> = {}): Deliveries => ({
  sequenceNumber: '7',
  counted: 0,
  tries: 0,
  countedThen: 0,
  isOurs: false,
  maxAttempts: 100,
  ...more,
});

describe('tries', () => {
  it('are what was handed on, one after another', () => {
    const counter = new AttemptCounter();
    expect([0, 1, 2].map((counted) => counter.next(delivery({ counted })))).toEqual([1, 2, 3]);
  });

  it('are not what was lost on the way to the only reader', () => {
    const counter = new AttemptCounter();
    expect([5, 6, 9].map((counted) => counter.next(delivery({ counted, isOurs: true })))).toEqual([1, 2, 3]);
  });

  it('count as one where another reader may have crashed with it', () => {
    const counter = new AttemptCounter();
    expect([5, 6, 9].map((counted) => counter.next(delivery({ counted })))).toEqual([2, 3, 5]);
  });

  it('are known from who released it', () => {
    const counter = new AttemptCounter();
    expect(counter.next(delivery({ counted: 3, tries: 2, countedThen: 2 }))).toBe(3);
    // Another member had it meanwhile.
    expect(counter.next(delivery({ counted: 5, tries: 4, countedThen: 4 }))).toBe(5);
  });

  it('are bounded by what the service counts: what kills its readers ends', () => {
    expect(new AttemptCounter().next(delivery({ counted: 100 }))).toBe(101);
  });

  it('believe no number that a stranger wrote', () => {
    expect(new AttemptCounter().next(delivery({ counted: 1, tries: 1_000, countedThen: 1_000 }))).toBe(2);
  });

  it('may be more than deliveries: a member tries by itself as well', () => {
    const counter = new AttemptCounter();
    expect(counter.next(delivery({ counted: 1, tries: 3 }))).toBe(4);
    counter.tried('7', 6);
    expect(counter.next(delivery({ counted: 2, tries: 3 }))).toBe(7);
  });

  it('leave one to what a stranger wrote too much on', () => {
    expect(new AttemptCounter().next(delivery({ counted: 1, tries: 1_000 }))).toBe(100);
  });

  it.each([
    [1, 2],
    [2, 3],
  ])('are kept of what goes back without another, and then was counted %s times', (counted, attempt) => {
    const counter = new AttemptCounter();
    expect([0, 1].map((before) => counter.next(delivery({ counted: before })))).toEqual([1, 2]);
    counter.untried('7', 1);
    expect(counter.next(delivery({ counted }))).toBe(attempt);
  });

  it('begin anew with what is forgotten', () => {
    const counter = new AttemptCounter();
    counter.next(delivery());
    counter.forget('7');
    expect(counter.next(delivery())).toBe(1);
  });
});
