import { describe, expect, expectTypeOf, it, test } from 'vitest';
import { ably } from '../../../ably/src/filter-target.ts';
import { type EventGridFilter, eventGrid } from '../../../event-grid/src/filter-target.ts';
import { redisChannel } from '../../../redis/src/filter-target.ts';
import { serviceBusSql } from '../../../service-bus/src/filter-target.ts';
import { BroadcastEvent } from '../../src/envelope/event.ts';
import { explainFilter } from '../../src/filter/explain.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import { parseFilter } from '../../src/filter/parse.ts';
import { planFilter } from '../../src/filter/plan.ts';
import { filterWarnings } from '../../src/filter/warnings.ts';

const event = { specversion: '1.0', id: '1', source: '/till', type: 'order.moved' };

describe('planFilter', () => {
  it('splits a filter into two that both can be asked', () => {
    const { native, residual, reasons } = planFilter("region = 'eu' AND LENGTH(subject) > 3", serviceBusSql);
    expect(String(native)).toBe("user.cloudEvents_region = 'eu' AND user.cloudEvents_subject IS NOT NULL");
    expect(String(residual)).toBe('LENGTH(subject) > 3');
    expect([native.isEverything, residual.isEverything]).toEqual([false, false]);
    expect(native.value).toMatchObject({ sqlExpression: native.text });
    expect(reasons).toMatchObject([{ part: 'LENGTH(subject) > 3' }]);
    expect(native.matches({ ...event, region: 'eu', subject: 'x' })).toBe(true);
    expect(native.matches({ ...event, region: 'eu' })).toBe(false);
    expect(residual.matches({ ...event, region: 'eu', subject: 'x' })).toBe(false);
    expect(residual.matches({ ...event, subject: 'table-7' })).toBe(true);
  });

  it('is an object on both sides when there is nothing to send, or nothing left', () => {
    const nothing = planFilter('LENGTH(type) > 3', redisChannel);
    expect(nothing.native).toMatchObject({ isEverything: true, value: undefined, text: '' });
    expect(nothing.native.matches(event)).toBe(true);
    const all = planFilter("type = 'x'", ably);
    expect(all.residual).toMatchObject({ isEverything: true });
    expect([String(all.residual), all.residual.matches(event), all.reasons]).toEqual(['TRUE', true, []]);
  });

  it('takes any form of a filter', () => {
    const tree = parseFilter("type = 'x'");
    const text = planFilter("type = 'x'", eventGrid).native.text;
    for (const filter of [tree, { tree }, { exact: { type: 'x' } }, '{"exact":{"type":"x"}}'] as const) {
      expect(planFilter(filter, eventGrid).native.text).toBe(text);
    }
    expectTypeOf(planFilter('EXISTS a', eventGrid).native.value).toEqualTypeOf<
      readonly EventGridFilter[] | undefined
    >();
  });

  it('takes a compiled filter with its functions, and events of a broadcaster', () => {
    const functions = {
      HOT: { takes: ['integer'] as const, gives: 'boolean' as const, evaluate: (n: unknown) => Number(n) > 3 },
    };
    const filter = compileFilter("HOT(priority) AND region = 'eu' AND time = '2026-11-21T10:00:00Z'", { functions });
    const { native, residual } = planFilter(filter, serviceBusSql);
    expect(String(native)).toContain("user.cloudEvents_region = 'eu'");
    expect(String(residual)).toBe("HOT(priority) AND time = '2026-11-21T10:00:00Z'");
    const hot = new BroadcastEvent({
      ...event,
      time: '2026-11-21T10:00:00Z',
      attributes: { region: 'eu', priority: 5 },
    });
    expect([native.matches(hot), residual.matches(hot)]).toEqual([true, true]);
    expect(residual.matches(hot.with({ attributes: { priority: 3 } }))).toBe(false);
  });

  it('refuses what is not a target', () => {
    for (const wrong of ['some-name', undefined, null, {}]) {
      expect(() => planFilter('EXISTS a', wrong as never)).toThrow(TypeError);
      expect(() => explainFilter('EXISTS a', wrong as never)).toThrow(TypeError);
    }
    expect(() => planFilter('EXISTS a', 'some-name' as never)).toThrow(
      /the filter target "some-name" is not an object/,
    );
    expect(() => planFilter('EXISTS', ably)).toThrow(expect.objectContaining({ code: 'invalid-filter' }));
  });
});

describe('explainFilter', () => {
  it('says it all in texts', () => {
    expect(explainFilter("NOT (NOT (type = 'A')) AND 1 = 1", eventGrid)).toEqual({
      target: 'event-grid',
      title: 'Event Grid, advanced filters',
      filter: "type = 'A'",
      native: '{"operatorType":"StringIn","key":"type","values":["A"]}',
      residual: "type = 'A'",
      reasons: [{ part: "type = 'A'", reason: 'Event Grid compares strings case-insensitively' }],
      warnings: [],
    });
  });

  it('counts on a sample', () => {
    const events = ['A', 'a', 'b', 'A'].map((type) => ({ ...event, type }));
    expect(explainFilter("type = 'A' AND NOT EXISTS typ", eventGrid, { events })).toMatchObject({
      events: { count: 4, kept: 0.75, exact: 0.5 },
      warnings: ['unknown attribute "typ"; did you mean "type"?', 'no event of the sample has the attribute typ'],
    });
    expect(explainFilter("type = 'A'", eventGrid, { events: [] }).events).toEqual({ count: 0, kept: 0, exact: 0 });
  });

  it('knows functions of the user', () => {
    const functions = { YES: { takes: [], gives: 'boolean' as const, evaluate: () => true } };
    expect(explainFilter("YES() AND region = 'eu'", ably, { functions })).toMatchObject({
      native: 'headers.region == `"eu"`',
      residual: 'YES()',
    });
  });
});

describe('warnings', () => {
  const warnings = (text: string, options = {}) => filterWarnings(parseFilter(text), text, options);

  test.each([
    ["typ = 'x'", 'did you mean "type"?'],
    ["tpye = 'x'", 'did you mean "type"?'],
    ["sourcee = 'x'", 'did you mean "source"?'],
    ["NOT region = 'x'", "write NOT (region = 'x')"],
    ["NOT subject LIKE 'x%'", "write subject NOT LIKE 'x%'"],
    ["NOT region IN ('x')", "write region NOT IN ('x')"],
    ["a1 = 'x' AND b1 = 'y' OR c1 = 'z'", "as (a1 = 'x' AND b1 = 'y') OR c1 = 'z'"],
    ["a1 = 'x' OR b1 = 'y' XOR c1 = 'z'", 'evaluated from left to right'],
    ["(a1 = 'x' OR (b1 = 'y' AND c1 = 'z')) AND d1 = 'w' OR e1 = 'v'", 'evaluated from left to right'],
    ["priority < 'abc'", 'always fails'],
    ["abcdefghijabcdefghija = 'x'", 'longer than the 20 characters'],
    ["region = 'x' AND region = 'y'", 'matches no event'],
    ['EXISTS region OR NOT EXISTS region', 'matches every event'],
    ["priority = 'x'", 'declared to be of type integer'],
  ])('%s', (text, warning) => {
    expect(warnings(text, { types: { priority: 'integer' } })).toEqual(
      expect.arrayContaining([expect.stringContaining(warning)]),
    );
  });

  test.each([
    ["type = 'x' AND (subject = 'y' OR region = 'z')"],
    ["type IN ('a', 'b') AND NOT (region = 'x') AND NOT EXISTS note"],
    ['NOT urgent = TRUE'],
    ["CONCAT(type, 'x') = 'y' AND table = 7 AND size > 3 AND note != 'x' AND tag = 'x'"],
    ["type = 'a AND b OR c' AND subject = 'AND'"],
    ['LENGTH(subject) > 2 OR CONCAT(region, note) = CONCAT(a1, b1)'],
  ])('none on %s', (text) => {
    expect(warnings(text)).toEqual([]);
  });

  it('takes attributes that a sample has for right', () => {
    expect(warnings("typ = 'x'", { attributes: ['typ'] })).toEqual([]);
  });
});
