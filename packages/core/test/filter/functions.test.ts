import { describe, expect, test } from 'vitest';
import { evaluateFilter } from '../../src/filter/evaluate.ts';
import type { FilterFunction, FilterFunctions } from '../../src/filter/tree.ts';

const functions: FilterFunctions = {
  reverse: { takes: ['text'], gives: 'text', call: (text) => [...String(text)].reverse().join('') },
  Sum: [
    { takes: [], gives: 'integer', call: () => 0 },
    { takes: ['integer'], gives: 'integer', call: (one) => one },
    {
      takes: ['integer', 'integer'],
      more: 'integer',
      gives: 'integer',
      call: (...all) => all.reduce<number>((sum, one) => sum + Number(one), 0),
    },
  ],
  type_of: { takes: ['any'], gives: 'text', call: (value) => typeof value },
  throws: {
    takes: [],
    gives: 'text',
    call: () => {
      throw new Error('not today');
    },
  },
  throws_oddly: {
    takes: [],
    gives: 'boolean',
    call: () => {
      throw Object.create(null);
    },
  },
  lies: { takes: ['any'], gives: 'integer', call: (value) => value },
};

describe('functions of users', () => {
  test.each<[string, string | number | boolean, string?]>([
    ["reverse('abc')", 'cba'],
    ['REVERSE(12)', '21'],
    ['Reverse(missing)', '', 'missingAttribute'],
    ['reverse()', false, 'missingFunction'],
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

  const one: FilterFunction = { takes: ['any'], gives: 'boolean', call: () => true };
  const any: FilterFunction = { takes: ['any'], more: 'any', gives: 'boolean', call: () => true };
  test.each<[string, unknown]>([
    ['LENGTH is built in', { length: one }],
    ['f is there twice for one number of arguments', { f: [one, one] }],
    ['the same in other case', { f: one, F: one }],
    ['as many arguments as it takes at least', { f: [one, any] }],
    ['two of any number', { f: [any, { ...any, takes: ['any', 'any'] }] }],
    ['a digit', { f2: one }],
    ['a keyword', { not: one }],
    ['__proto__', Object.fromEntries([['__proto__', one]])],
    ['no call', { f: { takes: [], gives: 'text' } }],
    ['no types', { f: { gives: 'text', call: () => '' } }],
    ['an unknown type', { f: { takes: ['number'], gives: 'text', call: () => '' } }],
    ['an unknown type of more', { f: { takes: [], more: 'number', gives: 'text', call: () => '' } }],
    ['any as a result', { f: { takes: [], gives: 'any', call: () => '' } }],
    ['null', { f: null }],
    ['no object', 5],
  ])('refused: %s', (_name, given) => {
    expect(() => evaluateFilter('TRUE', {}, { functions: given as FilterFunctions })).toThrow(TypeError);
  });

  test('the example of the specification', () => {
    const text: FilterFunction = { takes: ['text'], gives: 'integer', call: () => 1 };
    const abc = [
      text,
      { ...text, takes: ['text', 'text'] as const },
      { ...text, takes: ['text', 'text', 'text'] as const, more: 'text' as const },
    ];
    expect(evaluateFilter("abc('a', 'b', 'c', 'd')", {}, { functions: { abc } })).toEqual({ value: 1 });
  });
});
