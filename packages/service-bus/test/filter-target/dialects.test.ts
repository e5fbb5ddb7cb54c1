import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { conditionOf } from '../../../core/src/filter/condition-of.ts';
import type { PushOptions } from '../../../core/src/filter/target.ts';
import { filters, TYPES } from '../../../core/test/filter/push-down-cases.ts';
import { listOf, pushedTo } from '../../../core/test/filter/push-down-pushed.ts';
import { serviceBusCorrelation, serviceBusSql } from '../../src/filter-target.ts';
import { readSql } from './sql-reader.ts';

describe('Service Bus, SQL filter', () => {
  test.each([
    ["type = 'order.moved'", "user.cloudEvents_type = 'order.moved'", 'TRUE'],
    ["region != 'it''s'", "user.cloudEvents_region <> 'it''s'", 'TRUE'],
    [
      "type IN ('a', 'b') AND priority > 5",
      "user.cloudEvents_type IN ('a', 'b') AND user.cloudEvents_priority >= 6",
      'TRUE',
    ],
    ['priority >= 3 AND priority <= 5', 'user.cloudEvents_priority >= 3 AND user.cloudEvents_priority <= 5', 'TRUE'],
    ['urgent', 'user.cloudEvents_urgent = TRUE', 'TRUE'],
    ['NOT EXISTS region', 'user.cloudEvents_region IS NULL', 'TRUE'],
    ['EXISTS id', '', 'TRUE'],
    ["subject LIKE '%5\\%'", "user.cloudEvents_subject LIKE '%5\\%' ESCAPE '\\'", 'TRUE'],
    ["subject LIKE 'a%'", "user.cloudEvents_subject LIKE 'a%'", "subject LIKE 'a%'"],
    ["subject LIKE '1_2'", "user.cloudEvents_subject LIKE '1_%2'", "subject LIKE '1_2'"],
    ["subject NOT LIKE 'a%'", 'user.cloudEvents_subject IS NOT NULL', "subject NOT LIKE 'a%'"],
    ["subject NOT LIKE '5%'", "user.cloudEvents_subject NOT LIKE '5%'", 'TRUE'],
    ['priority + table < 9', '(user.cloudEvents_priority + user.cloudEvents_table) < 9', 'priority + table < 9'],
    ['priority < table', 'user.cloudEvents_priority < user.cloudEvents_table', 'TRUE'],
    ['source = subject', 'user.cloudEvents_source = user.cloudEvents_subject', 'TRUE'],
    ["datacontenttype = 'text/plain'", "sys.ContentType = 'text/plain'", "datacontenttype = 'text/plain'"],
    ["time > 5 OR time = 'x'", 'user.cloudEvents_time IS NOT NULL', undefined],
    ['LENGTH(region) = 2', 'user.cloudEvents_region IS NOT NULL', 'LENGTH(region) = 2'],
  ])('%s', (filter, native, left) => {
    const pushed = pushedTo(serviceBusSql, filter);
    expect(pushed.text).toBe(native);
    if (left !== undefined) expect(pushed.left).toBe(left);
  });

  it('compares an attribute of unknown type with each type', () => {
    expect(pushedTo(serviceBusSql, "note != 'x'", {})).toMatchObject({
      text: "user.cloudEvents_note <> 'x' OR user.cloudEvents_note >= -2147483648 OR user.cloudEvents_note IN (TRUE, FALSE)",
      left: 'TRUE',
    });
    expect(pushedTo(serviceBusSql, "note = '5'", {}).text).toBe(
      "user.cloudEvents_note = '5' OR user.cloudEvents_note = 5",
    );
    const { text, reasons } = pushedTo(serviceBusSql, 'note > 5', {});
    expect(text).toBe("user.cloudEvents_note LIKE '%' OR user.cloudEvents_note >= 6");
    expect(reasons).toEqual([expect.stringContaining('declare note an integer')]);
    expect(pushedTo(serviceBusSql, 'note = -5', {}).text).toBe(
      "user.cloudEvents_note LIKE '%5' OR user.cloudEvents_note = -5",
    );
  });

  it('writes what it means, in no more than 1,024 characters', () => {
    fc.assert(
      fc.property(filters, fc.constantFrom<PushOptions>({}, { types: TYPES }), (tree, options) => {
        const { native, text } = serviceBusSql.push(conditionOf(tree), options);
        expect(text.length).toBeLessThanOrEqual(1_024);
        if (native !== undefined) expect(readSql(text)).toEqual(native.formula);
      }),
      { numRuns: 3_000 },
    );
  });

  it('sends what drops most when there is no room for all', () => {
    const pushed = pushedTo(
      serviceBusSql,
      `type IN (${listOf(200)}) AND region = 'eu' AND subject NOT IN (${listOf(100)})`,
    );
    expect(pushed.text).toBe(
      "user.cloudEvents_type LIKE 'order.number.%' AND user.cloudEvents_region = 'eu' AND user.cloudEvents_subject IS NOT NULL",
    );
    expect(pushed.reasons).toEqual([
      'a filter is limited to 1024 characters',
      'a filter is limited to 1024 characters',
    ]);
  });
});

describe('Service Bus, correlation filters', () => {
  test.each([
    ["type = 'a' AND priority = 5", [{ cloudEvents_type: 'a', cloudEvents_priority: 5 }], 'TRUE'],
    [
      "type IN ('a', 'b') AND region = 'eu'",
      [
        { cloudEvents_type: 'a', cloudEvents_region: 'eu' },
        { cloudEvents_type: 'b', cloudEvents_region: 'eu' },
      ],
      'TRUE',
    ],
    [
      'priority >= 1 AND priority <= 3',
      [{ cloudEvents_priority: 1 }, { cloudEvents_priority: 2 }, { cloudEvents_priority: 3 }],
      'TRUE',
    ],
    ["note = '5'", [{ cloudEvents_note: '5' }, { cloudEvents_note: 5 }], 'TRUE'],
    ['urgent', [{ cloudEvents_urgent: true }], 'TRUE'],
    ["type = 'a' AND subject LIKE 'b%'", [{ cloudEvents_type: 'a' }], "subject LIKE 'b%'"],
    ["type = 'a' AND (subject = 'b' OR priority > 5)", [{ cloudEvents_type: 'a' }], undefined],
  ])('%s', (filter, properties, left) => {
    const pushed = pushedTo(serviceBusCorrelation, filter);
    expect(pushed.native).toEqual(properties.map((applicationProperties) => ({ applicationProperties })));
    if (left !== undefined) expect(pushed.left).toBe(left);
  });

  it('has no rule for what passes nothing', () => {
    expect(pushedTo(serviceBusCorrelation, "type = 'a' AND type = 'b'")).toMatchObject({ native: [], text: 'no rule' });
  });

  it('makes no more rules than a subscription should have', () => {
    const pushed = pushedTo(
      serviceBusCorrelation,
      `type IN (${listOf(40)}) AND subject IN (${listOf(20)}) AND region = 'eu'`,
    );
    expect(pushed.native).toHaveLength(20);
    expect(pushed.reasons).toEqual(['it takes more than 50 rules']);
    expect(pushedTo(serviceBusCorrelation, `type IN (${listOf(51)})`).native).toBeUndefined();
  });
});
