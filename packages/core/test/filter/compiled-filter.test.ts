import { describe, expect, test } from 'vitest';
import { CompiledFilter, compileFilter } from '../../src/filter/filter.ts';
import { BroadcastEvent, PolycastError } from '../../src/index.ts';

const order = { specversion: '1.0', id: '1', source: '/till', type: 'order.moved', subject: 'table-7', level: 7 };

describe('compileFilter', () => {
  test('matches plain objects and events alike', () => {
    const filter = compileFilter("type LIKE 'order.%' AND level > 5 AND subject IN ('table-7', 'table-8')");
    expect(filter.matches(order)).toBe(true);
    expect(filter.matches({ ...order, level: '5' })).toBe(false);
    const event = new BroadcastEvent({
      type: 'order.moved',
      source: '/till',
      id: 3,
      epoch: 'e',
      attributes: { subject: 'table-8', level: 6 },
    });
    expect(filter.matches(event)).toBe(true);
    expect(compileFilter("id = 'e.3'").matches(event)).toBe(true);
    expect(compileFilter('EXISTS epoch OR EXISTS constructor OR EXISTS with').matches(event)).toBe(false);
  });

  test('takes every form, and what it made itself', () => {
    const filter = compileFilter({ exact: { type: 'order.moved' } });
    expect(filter.matches(order)).toBe(true);
    expect(compileFilter(filter)).toBe(filter);
    expect(compileFilter(String(filter)).matches(order)).toBe(true);
    expect(compileFilter({ tree: filter.tree })).toBeInstanceOf(CompiledFilter);
  });

  test.each([
    ['5', /5.* is an integer/],
    ["'x'", /x.* is a string/],
    ['level + 1', /its value is an integer/],
    ['-level', /its value is an integer/],
    ["CONCAT('a', type)", /its value is a string/],
    ['LENGHT(type) = 3', /unknown function LENGHT.*LENGTH/],
    ["type = 'a' AND LENGTH(type, 2) = 3", /LENGTH takes 1 argument/],
  ])('%s is no filter', (text, message) => {
    expect(() => compileFilter(text)).toThrow(PolycastError);
    expect(() => compileFilter(text)).toThrow(expect.objectContaining({ code: 'invalid-filter' }) as Error);
    expect(() => compileFilter(text)).toThrow(message);
  });

  test('an attribute that may be a boolean is a filter', () => {
    const filter = compileFilter('urgent');
    expect([true, 'true', 1, false, undefined].map((urgent) => filter.matches({ urgent }))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  test('with functions of the user', () => {
    const functions = {
      IS_EVEN: { takes: ['integer'], gives: 'boolean', evaluate: (n: unknown) => Number(n) % 2 === 0 },
    };
    const filter = compileFilter('IS_EVEN(level)', { functions: functions as never });
    expect([7, 8, 'x'].map((level) => filter.matches({ level }))).toEqual([false, true, false]);
  });

  test('never throws, whatever an event does', () => {
    const event = {
      type: 'a',
      get level(): never {
        throw new Error('no');
      },
    };
    expect(compileFilter("type = 'a' AND NOT EXISTS level").matches(event)).toBe(true);
    expect(compileFilter('level = 5').matches(event)).toBe(false);
    for (const strange of [null, undefined, 5, 'x']) {
      expect(compileFilter('NOT EXISTS level').matches(strange as never)).toBe(true);
      expect(compileFilter("type = 'a'").matches(strange as never)).toBe(false);
    }
  });
});
