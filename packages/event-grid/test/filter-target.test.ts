import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { conditionOf } from '../../core/src/filter/condition-of.ts';
import type { PushOptions } from '../../core/src/filter/target.ts';
import { filters, TYPES } from '../../core/test/filter/push-down-cases.ts';
import { listOf, pushedTo } from '../../core/test/filter/push-down-pushed.ts';
import { eventGrid } from '../src/filter-target.ts';

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
    const pushed = pushedTo(eventGrid, filter);
    expect(pushed.native ?? []).toEqual(native);
    if (!filter.startsWith('(')) expect(pushed.left).toBe(left);
  });

  it('keeps to 25 filters, 25 values and 512 characters', () => {
    const pushed = pushedTo(
      eventGrid,
      `type IN (${listOf(30)}) AND subject IN (${listOf(20)}) AND region = '${'x'.repeat(513)}'`,
    );
    expect(pushed.native).toEqual([
      { operatorType: 'StringBeginsWith', key: 'type', values: ['order.number.'] },
      expect.objectContaining({ operatorType: 'StringIn', key: 'subject' }),
      { operatorType: 'IsNotNull', key: 'region' },
    ]);
    fc.assert(
      fc.property(filters, fc.constantFrom<PushOptions>({}, { types: TYPES }), (tree, options) => {
        const { native = [] } = eventGrid.push(conditionOf(tree), options);
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
