import { describe, expect, test } from 'vitest';
import { evaluateFilter } from '../../src/filter/evaluate.ts';
import type { FilterFunction, FilterFunctions } from '../../src/filter/tree.ts';

const functions: FilterFunctions = {
  reverse: { takes: ['text'], gives: 'text', evaluate: (text) => [...String(text)].reverse().join('') },
  Sum: [
    { takes: [], gives: 'integer', evaluate: () => 0 },
    { takes: ['integer'], gives: 'integer', evaluate: (one) => one },
    {
      takes: ['integer', 'integer'],
      more: 'integer',
      gives: 'integer',
      evaluate: (...all) => all.reduce<number>((sum, one) => sum + Number(one), 0),
    },
  ],
  type_of: { takes: ['any'], gives: 'text', evaluate: (value) => typeof value },
  throws: {
    takes: [],
    gives: 'text',
    evaluate: () => {
      throw new Error('not today');
    },
  },
  throws_oddly: {
    takes: [],
    gives: 'boolean',
    evaluate: () => {
      throw Object.create(null);
    },
  },
  lies: { takes: ['any'], gives: 'integer', evaluate: (value) => value },
  double: (value) => Number(value) * 2,
  count: (...all) => all.length,
  either: { takes: ['boolean'], gives: 'any', evaluate: (yes) => (yes ? 'yes' : 0) },
};

describe('functions of users', () => {
  test.each<[string, string | number | boolean, string?]>([
    ["reverse('abc')", 'cba'],
    ['REVERSE(12)', '21'],
    ['Reverse(missing)', '', 'missingAttribute'],
    ['reverse()', false, 'missingFunction'],
    ['double(4) + 1', 9],
    ["DOUBLE('x') = 1", false, 'functionEvaluation'],
    ['double()', false, 'missingFunction'],
    ["count() = 0 AND count(1, 'a', TRUE) = 3", true],
    ['either(TRUE)', 'yes'],
    ['either(FALSE)', 0],
    ['double(missing)', false, 'missingAttribute'],
    ['sum()', 0],
    ["sum('5')", 5],
    ["sum(1, '2', TRUE, 4)", 8],
    ["sum(1, 2, 'x')", 0, 'cast'],
    ['type_of(5)', 'number'],
    ["type_of('5')", 'string'],
    ['throws()', '', 'functionEvaluation'],
    ['throws_oddly()', false, 'functionEvaluation'],
    ["lies('x')", 0, 'functionEvaluation'],
    ['lies(7)', 7],
    ['sum(2147483647, 1)', 0, 'functionEvaluation'],
    ['nobody()', false, 'missingFunction'],
  ])('%s', (expression, value, code) => {
    const given = evaluateFilter(expression, {}, { functions });
    expect(given.error?.code).toBe(code);
    expect(given.value).toBe(value);
  });

  test('are suggested too', () => {
    expect(evaluateFilter("revers('a')", {}, { functions }).error?.message).toContain('did you mean "REVERSE"');
    expect(evaluateFilter('throws()', {}, { functions }).error?.message).toBe('THROWS: not today');
  });

  const one: FilterFunction = { takes: ['any'], gives: 'boolean', evaluate: () => true };
  const any: FilterFunction = { takes: ['any'], more: 'any', gives: 'boolean', evaluate: () => true };
  test.each<[string, unknown]>([
    ['LENGTH is built in', { length: one }],
    ['f is there twice for one number of arguments', { f: [one, one] }],
    ['the same in other case', { f: one, F: one }],
    ['as many arguments as it takes at least', { f: [one, any] }],
    ['two of any number', { f: [any, { ...any, takes: ['any', 'any'] }] }],
    ['a digit', { f2: one }],
    ['a keyword', { not: one }],
    ['__proto__', Object.fromEntries([['__proto__', one]])],
    ['no evaluate', { f: { takes: [], gives: 'text' } }],
    ['no types', { f: { gives: 'text', evaluate: () => '' } }],
    ['an unknown type', { f: { takes: ['number'], gives: 'text', evaluate: () => '' } }],
    ['an unknown type of more', { f: { takes: [], more: 'number', gives: 'text', evaluate: () => '' } }],
    ['an unknown type as a result', { f: { takes: [], gives: 'text or so', evaluate: () => '' } }],
    ['null', { f: null }],
    ['no object', 5],
  ])('refused: %s', (_name, given) => {
    expect(() => evaluateFilter('TRUE', {}, { functions: given as FilterFunctions })).toThrow(TypeError);
  });

  test('the example of the specification', () => {
    const text: FilterFunction = { takes: ['text'], gives: 'integer', evaluate: () => 1 };
    const abc = [
      text,
      { ...text, takes: ['text', 'text'] as const },
      { ...text, takes: ['text', 'text', 'text'] as const, more: 'text' as const },
    ];
    expect(evaluateFilter("abc('a', 'b', 'c', 'd')", {}, { functions: { abc } })).toEqual({ value: 1 });
  });
});
