import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFilter } from '../../src/filter/parse.ts';
import { printFilter } from '../../src/filter/print.ts';
import { allTrees, texts, trees } from './trees.ts';

describe('printing', () => {
  test('a tree is read back as the same tree', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        expect(parseFilter(printFilter(tree))).toEqual(tree);
      }),
      { numRuns: 5_000 },
    );
  });

  test('with passes, as JSON', () => {
    fc.assert(
      fc.property(allTrees, (tree) => {
        const text = printFilter(tree);
        expect(parseFilter(text)).toEqual(tree);
        expect(printFilter(parseFilter(text))).toBe(text);
      }),
      { numRuns: 5_000 },
    );
  });

  test('every text has words', () => {
    fc.assert(
      fc.property(fc.oneof(texts, fc.string({ unit: fc.constantFrom('\\', "'", '"', 'a') })), (value) => {
        const tree = { kind: 'literal', value } as const;
        expect(parseFilter(printFilter(tree))).toEqual(tree);
        const like = { kind: 'like', of: tree, pattern: value } as const;
        expect(parseFilter(printFilter(like))).toEqual(like);
      }),
      { numRuns: 20_000 },
    );
  });

  test.each([
    ['a and b AND c', 'a AND b AND c'],
    ['a AND (b AND c)', 'a AND b AND c'],
    ['a AND b OR c', '(a AND b) OR c'],
    ['a OR b AND c', '(a OR b) AND c'],
    ['a XOR b XOR c', 'a XOR b XOR c'],
    ['a XOR (b XOR c)', 'a XOR (b XOR c)'],
    ['NOT a = 1', '(NOT a) = 1'],
    ['NOT (a = 1)', 'NOT (a = 1)'],
    ['NOT x LIKE "p"', "(NOT x) LIKE 'p'"],
    ["x not like 'p'", "x NOT LIKE 'p'"],
    ["NOT (x LIKE 'p')", "x NOT LIKE 'p'"],
    ["NOT (x NOT LIKE 'p')", "NOT (x NOT LIKE 'p')"],
    ['NOT NOT EXISTS a', 'NOT NOT EXISTS a'],
    ['a NOT IN (1,"x")', "a NOT IN (1, 'x')"],
    ['1+2*3', '1 + 2 * 3'],
    ['(1+2)*3', '(1 + 2) * 3'],
    ['1-(2-3)', '1 - (2 - 3)'],
    ['1-2-3', '1 - 2 - 3'],
    ['-(5)', '-(5)'],
    ['--5', '--5'],
    ['- a', '-a'],
    ['4-1', '4 - 1'],
    ['4 - -1', '4 - -1'],
    ['length ( a )>3', 'LENGTH(a) > 3'],
    ['a <> +5', 'a != 5'],
    ['a = b = c', '(a = b) = c'],
    ["'it\\'s'", '"it\'s"'],
    ['"say ""x"""', '\'say "x"\''],
    ["'both \\' and \"'", "'both \\' and \"'"],
    ["'a\\b'", "'a\\b'"],
    ["'a\\\\'", "'a\\\\'"],
    ['concat()', 'CONCAT()'],
  ])('%s', (text, printed) => {
    expect(printFilter(parseFilter(text))).toBe(printed);
  });

  test('dialects stay dialects', () => {
    const dialect = {
      any: [
        { exact: { type: 'a' } },
        { all: [{ prefix: { subject: 'x%' } }, { sql: 'level > 5' }] },
        { not: { suffix: { note: '.b' } } },
      ],
    };
    expect(printFilter(parseFilter(dialect))).toBe(JSON.stringify(dialect));
    expect(printFilter(parseFilter({ all: [{ sql: 'a = 1' }, { any: [{ sql: 'b' }, { exact: { id: 'x' } }] }] }))).toBe(
      '{"all":[{"sql":"a = 1"},{"any":[{"sql":"b"},{"exact":{"id":"x"}}]}]}',
    );
  });

  test('a tree without an end is refused', () => {
    const tree: { kind: 'not'; of: unknown } = { kind: 'not', of: undefined };
    tree.of = tree;
    expect(() => printFilter(tree as never)).toThrow(/invalid-filter/);
  });
});
