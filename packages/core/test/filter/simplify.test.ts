import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateTree } from '../../src/filter/evaluate.ts';
import { parseFilter } from '../../src/filter/parse.ts';
import { printFilter } from '../../src/filter/print.ts';
import { sameTree } from '../../src/filter/same-tree.ts';
import { simplify } from '../../src/filter/simplify.ts';
import type { FilterFunctions, FilterTree } from '../../src/filter/tree.ts';
import { withinCpuMs } from './cpu-time.ts';
import { allTrees, events } from './trees.ts';

const functions: FilterFunctions = {
  nobody_knows: { takes: ['any'], gives: 'boolean', evaluate: (value) => value !== 0 },
};

/** One simplification can make room for another, but not for ever. */
function settled(tree: FilterTree): boolean {
  const once = simplify(tree);
  const twice = simplify(once);
  return sameTree(once, twice) || sameTree(twice, simplify(twice));
}

describe('simplifying', () => {
  test('changes neither the value nor whether there is an error', () => {
    fc.assert(
      fc.property(allTrees, events, fc.boolean(), (tree, event, known) => {
        const own = known ? functions : undefined;
        const before = evaluateTree(tree, event, own);
        const after = evaluateTree(simplify(tree), event, own);
        expect(after.value).toBe(before.value);
        expect(after.error === undefined).toBe(before.error === undefined);
      }),
      { numRuns: 20_000 },
    );
  });

  test('of operands that are there twice, opposed, constant or lists', () => {
    const some = [
      ...[
        'level = 5',
        'NOT (level = 5)',
        'level',
        'NOT level',
        'EXISTS note',
        'NOT EXISTS note',
        'TRUE',
        'FALSE',
        "'abc'",
      ],
      ...['level IN (5)', "level IN ('a', 7)", 'level NOT IN (5, note)', 'level NOT IN (7)', "'true'", '0', 'wanted'],
      ...["LOWER(note) = 'a'", "LOWER(note) = 'b'", "LOWER(note) != 'a'", "LOWER(note) IN ('c')", "subject LIKE '%'"],
      ...[
        '(EXISTS note) = TRUE',
        'level + 1 = 6',
        '(level + 1) + 0',
        'ABS(level) + 0',
        "INT('x')",
        '1 / 0',
        'type XOR TRUE',
      ],
    ].map((text) => parseFilter(text));
    const operand = fc.constantFrom(...some);
    const group = (of: fc.Arbitrary<FilterTree>) =>
      fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        of: fc.array(of, { minLength: 2, maxLength: 5 }),
      });
    const groups = fc.oneof(
      group(operand),
      group(fc.oneof(operand, group(operand))),
      group(fc.oneof(operand, group(operand))).map((of): FilterTree => ({ kind: 'not', of })),
      fc.record({ kind: fc.constant('xor' as const), left: operand, right: fc.oneof(operand, group(operand)) }),
    );
    fc.assert(
      fc.property(groups, events, (given, event) => {
        const tree = parseFilter(given);
        const simple = simplify(tree);
        const before = evaluateTree(tree, event);
        const after = evaluateTree(simple, event);
        expect(after.value).toBe(before.value);
        expect(after.error === undefined).toBe(before.error === undefined);
        expect(settled(simple)).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });

  test('what is simple soon stays, and can be written', () => {
    fc.assert(
      fc.property(allTrees, (tree) => {
        const simple = simplify(tree);
        expect(settled(simple)).toBe(true);
        expect(parseFilter(printFilter(simple))).toEqual(simple);
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ['1 + 2 * 3 = 7', 'TRUE'],
    ['1 / 0', '1 / 0'],
    ["LEFT('abc', -1)", "LEFT('abc', -1)"],
    ["UPPER('a') = 'A'", 'TRUE'],
    ['mine(1)', 'MINE(1)'],
    ['EXISTS type', 'TRUE'],
    ['EXISTS subject', 'EXISTS subject'],
    ['NOT NOT (a = 1)', 'a = 1'],
    ['NOT NOT a', 'NOT NOT a'],
    ['NOT (a < 1)', 'a >= 1'],
    ["NOT (a = 'x' AND b LIKE 'y%')", "a != 'x' OR b NOT LIKE 'y%'"],
    ['NOT (EXISTS a OR NOT EXISTS b)', '(NOT EXISTS a) AND EXISTS b'],
    ["TRUE AND a = 'x'", "a = 'x'"],
    ['TRUE AND a', 'a AND TRUE'],
    ['EXISTS a AND FALSE', 'FALSE'],
    ['a = 1 AND EXISTS b AND FALSE AND c', 'a = 1 AND FALSE'],
    ['a = 1 OR EXISTS b OR TRUE', 'a = 1 OR TRUE'],
    ['FALSE OR a = 1 OR FALSE', 'a = 1'],
    ["a = 'x' AND b = 1 AND a = 'x'", "a = 'x' AND b = 1"],
    ["a = 'x' OR b = 1 OR a != 'x'", "a = 'x' OR b = 1 OR TRUE"],
    ['EXISTS a AND NOT EXISTS a', 'FALSE'],
    ['a IN (1) OR a IN (2, 1)', 'a IN (1, 2)'],
    ['a NOT IN (1) AND a NOT IN (2)', 'a NOT IN (1, 2)'],
    ["a = 'x' OR a = 'y'", "a = 'x' OR a = 'y'"],
    ["LOWER(a) = 'x' OR LOWER(a) = 'y'", "LOWER(a) IN ('x', 'y')"],
    ["LOWER(a) IN ('x')", "LOWER(a) = 'x'"],
    ["a IN ('x')", "a IN ('x')"],
    ["a IN ('x', 1, 'x')", "a IN ('x', 1)"],
    ["a LIKE 'x\\_y'", "a = 'x_y'"],
    ["a LIKE '%'", "a LIKE '%'"],
    ["(EXISTS a) LIKE '%'", 'TRUE'],
    ['(EXISTS a) = TRUE', 'EXISTS a'],
    ['(a = 1) != TRUE', 'a != 1'],
    ['EXISTS a XOR TRUE', 'NOT EXISTS a'],
    ['EXISTS a XOR EXISTS a', 'FALSE'],
    ['(a + 1) * 1 + 0', 'a + 1'],
    ['a + 0', 'a + 0'],
    ["'abc' AND a", "'abc' AND TRUE"],
  ])('%s becomes %s', (text, simple) => {
    expect(printFilter(simplify(parseFilter(text)))).toBe(printFilter(parseFilter(simple)));
  });

  const many = (count: number, make: (at: number) => string, between: string) =>
    Array.from({ length: count }, (_, at) => make(at)).join(between);
  test.each([
    ['many equalities', `NOT (${many(5_000, (at) => `a = 'v${at}'`, ' OR ')})`],
    ['many lists', many(7_500, (at) => `a IN (${at})`, ' OR ')],
    ['the same again and again', many(9_000, () => 'EXISTS a', ' AND ')],
    ['much inside of many NOTs', `${'NOT (a AND '.repeat(90)}(${many(9_000, () => 'a = 1', ' OR ')})${')'.repeat(90)}`],
    ['much inside of many XORs', `${'TRUE XOR ('.repeat(90)}${many(9_000, () => 'EXISTS a', ' OR ')}${')'.repeat(90)}`],
    [
      'a long text inside of many groups',
      `${many(95, (at) => `${many(13, (item) => `a = ${item}`, ' OR ')} OR (b${at} AND `, '')}c = '${'x'.repeat(100_000)}'${')'.repeat(95)}`,
    ],
  ])('%s: quick', (_name, text) => {
    const tree = parseFilter(text);
    withinCpuMs(300, () => simplify(tree));
  });
});
