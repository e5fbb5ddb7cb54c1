import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { conditionOf } from '../../src/filter/condition-of.ts';
import { treeOf } from '../../src/filter/condition-tree.ts';
import { parseFilter } from '../../src/filter/parse.ts';
import { planFilter } from '../../src/filter/plan.ts';
import { printFilter } from '../../src/filter/print.ts';
import type { FilterTarget, PushOptions } from '../../src/filter/target.ts';
import { FILTER_TARGETS, type FilterTargetName } from '../../src/filter/targets/index.ts';
import { withinCpuMs } from './cpu-time.ts';
import { filters, TYPES } from './push-down-cases.ts';
import { readSql } from './sql-reader.ts';

const DECLARED: PushOptions = { types: { priority: 'integer', region: 'text', urgent: 'boolean', table: 'integer' } };

function push(name: FilterTargetName, filter: string, options: PushOptions = DECLARED) {
  const target: FilterTarget = FILTER_TARGETS[name];
  const { text, residual, reasons, native } = target.push(conditionOf(parseFilter(filter)), options);
  return { text, left: printFilter(treeOf(residual)), reasons: reasons.map(({ reason }) => reason), native };
}

const list = (count: number) => Array.from({ length: count }, (_, at) => `'order.number.${at}'`).join(', ');

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
    const pushed = push('service-bus-sql', filter);
    expect(pushed.text).toBe(native);
    if (left !== undefined) expect(pushed.left).toBe(left);
  });

  it('compares an attribute of unknown type with each type', () => {
    expect(push('service-bus-sql', "note != 'x'", {})).toMatchObject({
      text: "user.cloudEvents_note <> 'x' OR user.cloudEvents_note >= -2147483648 OR user.cloudEvents_note IN (TRUE, FALSE)",
      left: 'TRUE',
    });
    expect(push('service-bus-sql', "note = '5'", {}).text).toBe(
      "user.cloudEvents_note = '5' OR user.cloudEvents_note = 5",
    );
    const { text, reasons } = push('service-bus-sql', 'note > 5', {});
    expect(text).toBe("user.cloudEvents_note LIKE '%' OR user.cloudEvents_note >= 6");
    expect(reasons).toEqual([expect.stringContaining('declare note an integer')]);
    expect(push('service-bus-sql', 'note = -5', {}).text).toBe(
      "user.cloudEvents_note LIKE '%5' OR user.cloudEvents_note = -5",
    );
  });

  it('writes what it means, in no more than 1,024 characters', () => {
    fc.assert(
      fc.property(filters, fc.constantFrom<PushOptions>({}, { types: TYPES }), (tree, options) => {
        const { native, text } = FILTER_TARGETS['service-bus-sql'].push(conditionOf(tree), options);
        expect(text.length).toBeLessThanOrEqual(1_024);
        if (native !== undefined) expect(readSql(text)).toEqual(native.formula);
      }),
      { numRuns: 3_000 },
    );
  });

  it('sends what drops most when there is no room for all', () => {
    const pushed = push(
      'service-bus-sql',
      `type IN (${list(200)}) AND region = 'eu' AND subject NOT IN (${list(100)})`,
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
    const pushed = push('service-bus-correlation', filter);
    expect(pushed.native).toEqual(properties.map((applicationProperties) => ({ applicationProperties })));
    if (left !== undefined) expect(pushed.left).toBe(left);
  });

  it('has no rule for what passes nothing', () => {
    expect(push('service-bus-correlation', "type = 'a' AND type = 'b'")).toMatchObject({ native: [], text: 'no rule' });
  });

  it('makes no more rules than a subscription should have', () => {
    const pushed = push(
      'service-bus-correlation',
      `type IN (${list(40)}) AND subject IN (${list(20)}) AND region = 'eu'`,
    );
    expect(pushed.native).toHaveLength(20);
    expect(pushed.reasons).toEqual(['it takes more than 50 rules']);
    expect(push('service-bus-correlation', `type IN (${list(51)})`).native).toBeUndefined();
  });
});

describe('Event Grid', () => {
  test.each<[string, object[], string]>([
    ["type = 'Order'", [{ operatorType: 'StringIn', key: 'type', values: ['Order'] }], "type = 'Order'"],
    ["type = '5.1'", [{ operatorType: 'StringIn', key: 'type', values: ['5.1'] }], 'TRUE'],
    ["type != 'Order'", [], "type != 'Order'"],
    [
      "region != '5'",
      [
        { operatorType: 'IsNotNull', key: 'region' },
        { operatorType: 'StringNotIn', key: 'region', values: ['5'] },
      ],
      'TRUE',
    ],
    ["region != 'x'", [{ operatorType: 'IsNotNull', key: 'region' }], "region != 'x'"],
    ["subject LIKE '/1/%'", [{ operatorType: 'StringBeginsWith', key: 'subject', values: ['/1/'] }], 'TRUE'],
    ["subject LIKE '%-%'", [{ operatorType: 'StringContains', key: 'subject', values: ['-'] }], 'TRUE'],
    [
      "subject LIKE 'a%b%c'",
      [
        { operatorType: 'StringBeginsWith', key: 'subject', values: ['a'] },
        { operatorType: 'StringContains', key: 'subject', values: ['b'] },
        { operatorType: 'StringEndsWith', key: 'subject', values: ['c'] },
      ],
      "subject LIKE 'a%b%c'",
    ],
    [
      "subject NOT LIKE '%.5'",
      [
        { operatorType: 'IsNotNull', key: 'subject' },
        { operatorType: 'StringNotEndsWith', key: 'subject', values: ['.5'] },
      ],
      'TRUE',
    ],
    ['priority > 5', [{ operatorType: 'NumberGreaterThanOrEquals', key: 'priority', value: 6 }], 'TRUE'],
    ['priority >= 2 AND priority <= 4', [{ operatorType: 'NumberInRange', key: 'priority', values: [[2, 4]] }], 'TRUE'],
    [
      'priority != 5',
      [
        { operatorType: 'IsNotNull', key: 'priority' },
        { operatorType: 'NumberNotIn', key: 'priority', values: [5] },
      ],
      'TRUE',
    ],
    ['note > 5', [{ operatorType: 'IsNotNull', key: 'note' }], 'note >= 6'],
    ['urgent', [{ operatorType: 'BoolEquals', key: 'urgent', value: true }], 'TRUE'],
    ['NOT EXISTS note', [{ operatorType: 'IsNullOrUndefined', key: 'note' }], 'TRUE'],
    ["region = '1' OR region = '2'", [{ operatorType: 'StringIn', key: 'region', values: ['1', '2'] }], 'TRUE'],
    [
      "subject LIKE '1%' OR subject LIKE '2%'",
      [{ operatorType: 'StringBeginsWith', key: 'subject', values: ['1', '2'] }],
      'TRUE',
    ],
    [
      "subject = '1' OR subject LIKE '2%'",
      [{ operatorType: 'StringBeginsWith', key: 'subject', values: ['2', '1'] }],
      "subject LIKE '2%' OR subject = '1'",
    ],
    [
      "(type = '1' AND region = '1') OR (type = '2' AND priority = 1)",
      [{ operatorType: 'StringIn', key: 'type', values: ['1', '2'] }],
      "(type = '1' AND region = '1') OR (EXISTS region AND type = '2' AND priority = 1)",
    ],
    ["NOT EXISTS region OR region != '5'", [{ operatorType: 'StringNotIn', key: 'region', values: ['5'] }], 'TRUE'],
    ["type = '1' OR EXISTS region", [], "type = '1' OR EXISTS region"],
  ])('%s', (filter, native, left) => {
    const pushed = push('event-grid', filter);
    expect(pushed.native ?? []).toEqual(native);
    if (!filter.startsWith('(')) expect(pushed.left).toBe(left);
  });

  it('keeps to 25 filters, 25 values and 512 characters', () => {
    const pushed = push(
      'event-grid',
      `type IN (${list(30)}) AND subject IN (${list(20)}) AND region = '${'x'.repeat(513)}'`,
    );
    expect(pushed.native).toEqual([
      { operatorType: 'StringBeginsWith', key: 'type', values: ['order.number.'] },
      expect.objectContaining({ operatorType: 'StringIn', key: 'subject' }),
      { operatorType: 'IsNotNull', key: 'region' },
    ]);
    fc.assert(
      fc.property(filters, fc.constantFrom<PushOptions>({}, { types: TYPES }), (tree, options) => {
        const { native = [] } = FILTER_TARGETS['event-grid'].push(conditionOf(tree), options);
        const values: unknown[] = native.flatMap((filter): readonly unknown[] =>
          'values' in filter ? filter.values.flat() : 'value' in filter ? [filter.value] : [],
        );
        expect(native.length).toBeLessThanOrEqual(25);
        expect(values.length).toBeLessThanOrEqual(25);
        for (const value of values) expect(String(value).length).toBeLessThanOrEqual(512);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('Ably', () => {
  test.each([
    ["type = 'a' AND region = 'b'", 'name == `"a"` && headers.region == `"b"`', 'TRUE'],
    ["type = 'a' OR source = 'b'", 'name == `"a"` || headers.source == `"b"`', 'TRUE'],
    ["note = '5'", 'headers.note == `"5"` || headers.note == `5`', 'TRUE'],
    ["note != 'x'", 'headers.note != `null` && headers.note != `"x"`', 'TRUE'],
    ['priority > 5', 'headers.priority != `null` && headers.priority >= `6`', 'TRUE'],
    ['note > 5', 'headers.note != `null`', 'note >= 6'],
    ["subject = '`'", 'headers.subject == `"\\u0060"`', 'TRUE'],
    ["2nd = 'x'", 'headers."2nd" == `"x"`', 'TRUE'],
    ["type LIKE 'order.%'", '', "type LIKE 'order.%'"],
    ["EXISTS region AND type LIKE 'order.%'", 'headers.region != `null`', "type LIKE 'order.%'"],
  ])('%s', (filter, native, left) => {
    const pushed = push('ably', filter);
    expect([pushed.text, pushed.left]).toEqual([native, left]);
  });

  it('leaves a list out that is too long for the name of a channel', () => {
    const pushed = push('ably', `type IN (${list(200)}) AND region = 'eu'`);
    expect(pushed.text).toBe('headers.region == `"eu"`');
    const both = push('ably', `type IN (${list(30)}) AND source IN (${list(30)})`);
    expect(both.text).toMatch(/^name == [^&]*$/);
    expect(both.reasons).toEqual([expect.stringContaining('1300 bytes')]);
    expect(pushed.reasons).toEqual([expect.stringContaining('more than 100 values')]);
  });
});

describe.each(['redis-channel', 'signalr-group'] as const)('%s', (name) => {
  test.each([
    ["to = 'role:kitchen'", ['role:kitchen']],
    ["to IN ('role:a', 'instance:b,role:a') AND priority > 3", ['role:a', 'instance:b']],
    ["NOT EXISTS to OR to = 'role:a'", ['*', 'role:a']],
    ["to = 'role:a' OR type = 'b'", undefined],
    ["to = 'nobody'", undefined],
    ["to != 'role:a'", undefined],
    ["to LIKE 'role:%'", undefined],
    ["to = 'role:a' AND to = 'role:b'", []],
  ])('%s', (filter, native) => {
    const pushed = push(name, filter);
    expect(pushed.native).toEqual(native);
    if (native?.length !== 0) expect(pushed.left).not.toBe('TRUE');
  });
});

describe('a hostile filter', () => {
  const hostile = {
    'a list of 15,000 values': () => `subject IN (${Array.from({ length: 15_000 }, (_, at) => `'${at}'`).join()})`,
    'an OR of 3,500 branches': () =>
      Array.from({ length: 3_500 }, (_, at) => `(EXISTS a${at % 50} AND a${at % 50} = '${at}')`).join(' OR '),
    'a pattern of many pieces': () => `type LIKE '${'%a_'.repeat(20_000)}'`,
    'an AND of 5,000 tests': () => Array.from({ length: 5_000 }, (_, at) => `a${at} = '${at}'`).join(' AND '),
  };
  it.each(Object.entries(hostile))('%s takes no target long', (_, make) => {
    const filter = parseFilter(make());
    const condition = conditionOf(filter);
    for (const target of Object.values<FilterTarget>(FILTER_TARGETS)) {
      withinCpuMs(1_000, () => {
        target.push(condition, {});
        planFilter(filter, target);
      });
    }
  });
});
