import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FilterEvent } from '../../src/filter/attribute-value.ts';
import { compileCondition } from '../../src/filter/compile.ts';
import type { Condition } from '../../src/filter/condition.ts';
import { conditionOf } from '../../src/filter/condition-of.ts';
import { evaluateTree } from '../../src/filter/evaluate.ts';
import { parseFilter } from '../../src/filter/parse.ts';
import type { FilterFunctions, FilterTree } from '../../src/filter/tree.ts';
import { withinCpuMs } from './cpu-time.ts';
import { anyEvents, filterTrees } from './filter-trees.ts';
import { allTrees } from './trees.ts';

const conditionFor = (text: string) => conditionOf(parseFilter(text));

function passes(tree: FilterTree, event: FilterEvent, functions?: FilterFunctions): boolean {
  const { value, error } = evaluateTree(tree, event, functions);
  return error === undefined && value === true;
}

describe('a condition holds where the expression is true without an error', () => {
  test.each([
    ['filters', filterTrees],
    ['any expression', allTrees],
  ])('%s', (_name, trees) => {
    fc.assert(
      fc.property(trees, fc.array(anyEvents, { minLength: 1, maxLength: 8 }), (tree, events) => {
        const accepts = compileCondition(conditionOf(tree));
        for (const event of events) expect(accepts(event)).toBe(passes(tree, event));
      }),
      { numRuns: 10_000 },
    );
  });

  test('functions that users registered', () => {
    const functions: FilterFunctions = {
      HALF: { takes: ['integer'], gives: 'integer', evaluate: (value) => Number(value) >> 1 },
      LONG: { takes: ['text'], gives: 'boolean', evaluate: (value) => String(value).length > 3 },
    };
    for (const text of ['HALF(a) = 2', 'LONG(b)', 'HALF(a) AND b', 'NOT LONG(b) OR HALF(a)', 'a XOR LONG(b)']) {
      const tree = parseFilter(text);
      const accepts = compileCondition(conditionOf(tree, functions));
      for (const a of [undefined, 0, 1, 4, 'x', true]) {
        for (const b of [undefined, 'a', 'abcd', 'true', 0]) {
          expect(accepts({ a, b })).toBe(passes(tree, { a, b }, functions));
        }
      }
    }
  });
});

describe('as few tests as the filter needs', () => {
  const text = (attribute: string, values: string[], negated = false): Condition => ({
    kind: 'text',
    attribute,
    values,
    negated,
  });
  const integer = (attribute: string, low: number, high: number, negated = false): Condition => ({
    kind: 'integer',
    attribute,
    low,
    high,
    negated,
  });
  const present = (attribute: string, negated = false): Condition => ({ kind: 'present', attribute, negated });

  test.each<[string, Condition]>([
    ["type = 'a'", text('type', ['a'])],
    ["type = 'a' OR type = 'b' OR type IN ('b', 'c')", text('type', ['a', 'b', 'c'])],
    ["type IN ('a', 'b') AND type IN ('b', 'c')", text('type', ['b'])],
    ["type = 'a' AND type = 'b'", { kind: 'never' }],
    ["type != 'a' AND type != 'b'", text('type', ['a', 'b'], true)],
    ["NOT (type = 'a')", text('type', ['a'], true)],
    ['EXISTS type', { kind: 'always' }],
    ["EXISTS a AND a = 'v'", text('a', ['v'])],
    ["NOT (EXISTS a AND a = 'v')", { kind: 'any', of: [present('a', true), text('a', ['v'], true)] }],
    ['n > 5 AND n <= 9', integer('n', 6, 9)],
    ['n > 5 AND n != 6', integer('n', 7, 2147483647)],
    ['n < 5 OR n >= 5', integer('n', -2147483648, 2147483647)],
    ['INT(n) > 5', integer('n', 6, 2147483647)],
    ["'7' > n", integer('n', -2147483648, 6)],
    ["n < 'x'", { kind: 'never' }],
    ['n > 5 AND n < 5', { kind: 'never' }],
    ["a LIKE 'x'", text('a', ['x'])],
    ["a LIKE '%'", present('a')],
    ["a LIKE 'x\\%'", text('a', ['x%'])],
    ["a IN ('5', '6')", text('a', ['5', '6'])],
    ['a IN (5, 6)', { kind: 'element', attribute: 'a', elements: [5, 6], negated: false }],
    ["a IN ('05')", { kind: 'element', attribute: 'a', elements: ['05'], negated: false }],
    [
      "a = 'x' OR b = 'y'",
      { kind: 'any', of: [text('a', ['x']), { kind: 'all', of: [present('a'), text('b', ['y'])] }] },
    ],
    [
      "a = 'x' OR b = 'y' OR b = 'z'",
      { kind: 'any', of: [text('a', ['x']), { kind: 'all', of: [present('a'), text('b', ['y', 'z'])] }] },
    ],
  ])('%s', (filter, condition) => {
    const made = conditionFor(filter);
    if (made.kind !== 'any' || condition.kind !== 'any') expect(made).toEqual(condition);
    else expect(made.of).toEqual(expect.arrayContaining([...condition.of]));
  });

  test('in dialects, whose guards vanish', () => {
    const filter = { all: [{ exact: { type: 'a', level: '5' } }, { prefix: { subject: 'x' } }] };
    expect(conditionOf(parseFilter(filter))).toMatchObject({
      kind: 'all',
      of: [{ kind: 'text' }, { kind: 'text' }, { kind: 'like' }],
    });
    const any = { any: [{ exact: { type: 'a' } }, { exact: { type: 'b' } }] };
    expect(conditionOf(parseFilter(any))).toEqual(text('type', ['a', 'b']));
  });
});

describe('large filters', () => {
  test.each([
    ['a long OR of one attribute', Array.from({ length: 8_000 }, (_, at) => `a = 'v${at}'`).join(' OR ')],
    ['a long OR of many attributes', Array.from({ length: 8_000 }, (_, at) => `a${at} = 'v'`).join(' OR ')],
    ['a long AND of many attributes', Array.from({ length: 8_000 }, (_, at) => `a${at} = 'v'`).join(' AND ')],
    ['AND and OR in turn', chain(190, (at) => [`a${at} = 'v'`, at % 2 === 0 ? 'AND' : 'OR'])],
    ['XOR in XOR', chain(190, (at) => [`a${at} = 'v'`, 'XOR'])],
    ['NOT of all of that', `NOT (${chain(150, (at) => [`a${at} > 5`, ['AND', 'XOR', 'OR'][at % 3]!])})`],
  ])('%s becomes a condition in the order of its size, in time', (_name, filter) => {
    const tree = parseFilter(filter);
    const condition = withinCpuMs(250, () => conditionOf(tree));
    expect(JSON.stringify(condition).length).toBeLessThan(60 * filter.length);
    const accepts = compileCondition(condition);
    const event = { a0: 'v', a1: 'x', a7: 'v', a: 'v77', a9: '9' };
    expect(accepts(event)).toBe(passes(tree, event));
  });

  /** Without brackets it is read from the left, so each operator is one deeper. */
  function chain(length: number, part: (at: number) => [string, string]): string {
    let filter = part(0)[0];
    for (let at = 1; at < length; at++) filter = `${filter} ${part(at)[1]} ${part(at)[0]}`;
    return filter;
  }
});
