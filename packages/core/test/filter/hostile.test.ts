import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PolycastError } from '../../src/contract/error.ts';
import { evaluateFilter } from '../../src/filter/evaluate.ts';
import { type FilterInput, parseFilter } from '../../src/filter/parse.ts';
import { printFilter } from '../../src/filter/print.ts';
import { simplify } from '../../src/filter/simplify.ts';
import { withinCpuMs } from './cpu-time.ts';
import { allTrees, events, trees } from './trees.ts';

/** 50 ms is the aim; code that was not compiled yet, and its compilation, take more. */
const QUICK_MS = 250;

const timed = <Result>(act: () => Result): Result => withinCpuMs(QUICK_MS, act);

/** A tree that can be written and read, or the one error. */
function parses(input: unknown): boolean {
  try {
    const tree = timed(() => parseFilter(input as FilterInput));
    expect(parseFilter(printFilter(tree))).toEqual(tree);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof PolycastError) || thrown.code !== 'invalid-filter') throw thrown;
    expect(thrown.message.length).toBeLessThan(2_000);
    return false;
  }
}

const nested = (depth: number, make: (of: unknown) => unknown, leaf: unknown): unknown => {
  let tree = leaf;
  for (let at = 0; at < depth; at++) tree = make(tree);
  return tree;
};
const leaf = { kind: 'attribute', name: 'a' };
const times = (count: number, text: string, between = '') => Array.from({ length: count }, () => text).join(between);

describe('texts', () => {
  test.each<[string, string, boolean]>([
    ['10,000 brackets', `${'('.repeat(10_000)}a${')'.repeat(10_000)}`, false],
    ['10,000 brackets, open', '('.repeat(10_000), false],
    ['100 brackets', `${'('.repeat(100)}a${')'.repeat(100)}`, true],
    ['10,000 NOT', `${'NOT '.repeat(10_000)}a`, false],
    ['150 NOT', `${'NOT '.repeat(150)}a`, true],
    ['10,000 minuses', `${'-'.repeat(10_000)}a`, false],
    ['10,000 calls', `${'f('.repeat(10_000)}a${')'.repeat(10_000)}`, false],
    ['10,000 lists', `${'a IN ('.repeat(10_000)}a${')'.repeat(10_000)}`, false],
    ['10,000 ANDs are flat', times(10_000, 'a', ' AND '), true],
    ['10,000 sums are deep', times(10_000, 'a', ' + '), false],
    ['10,000 AND and OR', times(5_000, 'a AND b', ' OR '), false],
    ['a list of 25,000 values', `a IN (${times(25_000, '1', ',')})`, true],
    ['a list of 100,000 values', `a IN (${times(100_000, '12', ',')})`, false],
    ['1 MB of a text', `a = '${'x'.repeat(1_000_000)}'`, false],
    ['1 MB of a word', 'a'.repeat(1_000_000), false],
    ['125 kB of a word', 'a'.repeat(125_000), true],
    ['125 kB of digits', '1'.repeat(125_000), false],
    ['125 kB of backslashes', `'${'\\'.repeat(125_000)}'`, true],
    ['125 kB of backslashes, open', `'${'\\'.repeat(125_001)}'`, false],
    ['125 kB of quotes', "'".repeat(125_000), true],
    ['125 kB of newlines', '\n'.repeat(125_000), false],
    ['125 kB of white space', `${' '.repeat(125_000)}a`, true],
    ['125 kB before an error', `a = '${'x'.repeat(125_000)}' b`, false],
    ['125 kB of underscores', '_'.repeat(125_000), false],
    ['JSON without end', '{"not":'.repeat(30_000), false],
    ['JSON, 10,000 deep', `${'{"not":'.repeat(10_000)}{"exact":{"a":"b"}}${'}'.repeat(10_000)}`, false],
    ['JSON, 100 deep', `${'{"not":'.repeat(100)}{"exact":{"a":"b"}}${'}'.repeat(100)}`, true],
    ['4 MB of JSON', `{"exact":{"a":"${'x'.repeat(4_000_000)}"}}`, false],
    ['__proto__', '__proto__ = 1', false],
    ['constructor', 'constructor = 1 AND EXISTS constructor', true],
    ['a function named as one of Object', 'constructor(1)', true],
    ['NUL', 'a\0', false],
    ['lone surrogates', '\ud800 = 1', false],
    ['lone surrogates in a text', "a = '\udc00\ud800'", true],
  ])('%s', (_name, text, valid) => {
    expect(parses(text)).toBe(valid);
  });

  test('any text is read or refused', () => {
    const pieces = fc.constantFrom(
      ...[
        'a',
        'type',
        ' ',
        '(',
        ')',
        ',',
        'AND',
        'OR',
        'XOR',
        'NOT',
        'LIKE',
        'IN',
        'EXISTS',
        'TRUE',
        "'",
        '"',
        '\\',
        "'x'",
      ],
      ...[
        '=',
        '!=',
        '<',
        '>=',
        '+',
        '-',
        '*',
        '/',
        '%',
        '5',
        '2147483648',
        'LENGTH(',
        '{',
        '}',
        ':',
        '\n',
        '_',
        '!',
        '😀',
        '.',
      ],
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces, { maxLength: 30 }).map((all) => all.join('')),
      fc.array(pieces, { maxLength: 30 }).map((all) => all.join(' ')),
      fc.json(),
    );
    fc.assert(
      fc.property(text, (one) => void parses(one)),
      { numRuns: 20_000 },
    );
  });

  test('so is a filter with a mistake', () => {
    const mistakes = fc.tuple(allTrees, fc.nat(), fc.nat(5), fc.string({ unit: 'binary', maxLength: 3 }));
    fc.assert(
      fc.property(mistakes, ([tree, at, cut, more]) => {
        const text = printFilter(tree);
        const place = at % (text.length + 1);
        parses(text.slice(0, place) + more + text.slice(place + cut));
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('objects', () => {
  const cyclic: { kind: string; of: unknown } = { kind: 'not', of: undefined };
  cyclic.of = cyclic;
  const wide: { kind: string; of: unknown[] } = { kind: 'and', of: [] };
  wide.of = [wide, wide];
  const cyclicDialect: { all: unknown[] } = { all: [] };
  cyclicDialect.all = [cyclicDialect, cyclicDialect];
  const throwing = new Proxy(
    {},
    {
      get() {
        throw new Error('no');
      },
    },
  );
  const endless = new Proxy([], { get: (_target, name) => (name === 'length' ? 2 ** 32 - 1 : leaf) });
  let reads = 0;
  const changing = {
    get kind() {
      return ++reads > 0 ? 'attribute' : 'literal';
    },
    name: 'a',
  };

  test.each<[string, unknown, boolean]>([
    ['cyclic', cyclic, false],
    ['cyclic and wide', wide, false],
    ['a cyclic dialect', cyclicDialect, false],
    ['10,000 deep', nested(10_000, (of) => ({ kind: 'not', of }), leaf), false],
    ['199 deep', nested(199, (of) => ({ kind: 'not', of }), leaf), true],
    ['200 deep', nested(200, (of) => ({ kind: 'not', of }), leaf), false],
    ['shared, 2^60 in all', nested(60, (of) => ({ kind: 'xor', left: of, right: of }), leaf), false],
    ['a dialect 10,000 deep', nested(10_000, (not) => ({ not }), { exact: { a: 'b' } }), false],
    ['getters that throw', throwing, false],
    ['a tree of getters that throw', { kind: 'not', of: throwing }, false],
    ['a dialect of getters that throw', { not: throwing }, false],
    ['a list without end', { kind: 'and', of: endless }, false],
    ['a dialect without end', { all: endless }, false],
    ['a getter', changing, true],
    ['a sparse list', { kind: 'and', of: new Array(3) }, false],
    ['one operand', { kind: 'and', of: [leaf] }, false],
    ['no value', { kind: 'in', of: leaf, values: [] }, false],
    ['an unknown kind', { kind: 'constructor' }, false],
    ['no kind', { of: leaf }, false],
    ['a literal of no type', { kind: 'literal', value: null }, false],
    ['a fraction', { kind: 'literal', value: 1.5 }, false],
    ['an integer of 33 bits', { kind: 'literal', value: 2 ** 31 }, false],
    ['an attribute in upper case', { kind: 'attribute', name: 'A' }, false],
    ['__proto__', { kind: 'attribute', name: '__proto__' }, false],
    ['a keyword', { kind: 'attribute', name: 'in' }, false],
    ['digits', { kind: 'exists', name: '12' }, false],
    ['an unknown operator', { kind: 'compare', operator: '~', left: leaf, right: leaf }, false],
    ['a comparison as a sum', { kind: 'arithmetic', operator: '<', left: leaf, right: leaf }, false],
    ['a pattern that is no text', { kind: 'like', of: leaf, pattern: 5 }, false],
    ['a bad function name', { kind: 'call', name: 'a-b', args: [] }, false],
    ['null', null, false],
    ['undefined', undefined, false],
    ['a number', 5, false],
    ['a function', () => leaf, false],
    ['a list', [leaf], false],
    ['nothing', {}, false],
    ['a tree of nothing', { tree: {} }, false],
  ])('%s', (_name, input, valid) => {
    expect(parses(input)).toBe(valid);
  });

  test('any value is read or refused', () => {
    const keys = fc.constantFrom(
      'kind',
      'of',
      'left',
      'right',
      'name',
      'value',
      'values',
      'args',
      'operator',
      'exact',
      'all',
    );
    const any = fc.anything({ key: fc.oneof(keys, fc.string()), withNullPrototype: true, withDate: true, maxDepth: 4 });
    fc.assert(
      fc.property(any, (input) => void parses(input)),
      { numRuns: 5_000 },
    );
  });

  test('nothing of the original is kept', () => {
    const list = [{ kind: 'attribute', name: 'a' } as const, { kind: 'attribute', name: 'b' } as const];
    const tree = parseFilter({ kind: 'and', of: list });
    list.pop();
    expect(tree).toEqual(parseFilter('a AND b'));
  });
});

describe('evaluating', () => {
  test('never throws, and takes its time from the filter', () => {
    fc.assert(
      fc.property(trees, fc.oneof(events, fc.anything()), (tree, event) => {
        const { value, error } = evaluateFilter(tree, event as Record<string, unknown>);
        expect(['string', 'number', 'boolean']).toContain(typeof value);
        if (typeof value === 'number') expect(Object.is(value, value | 0)).toBe(true);
        if (error !== undefined) expect(typeof error.message).toBe('string');
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ['a pattern made to go back', `a LIKE '${'%a'.repeat(1_000)}%b'`, false],
    ['a long piece with _', `a LIKE '%${'a_'.repeat(2_000)}b%'`, false],
    ['the same with one character', `a LIKE '${'%a_'.repeat(500)}%b'`, false],
    ['many arguments', `LENGTH(CONCAT(${times(30_000, "'x'", ',')})) = 30000`, true],
    ['many operands', times(8_000, "a != 'x'", ' AND '), true],
    ['a long list', `a IN (${times(25_000, "'x'", ',')})`, false],
  ])('%s', (_name, text, value) => {
    const event = { a: 'a'.repeat(65_536) };
    const tree = timed(() => parseFilter(text));
    expect(timed(() => evaluateFilter(tree, event))).toEqual({ value });
    expect(
      evaluateFilter(
        timed(() => simplify(tree)),
        event,
      ),
    ).toEqual({ value });
  });

  test('texts that would take all memory are an error', () => {
    const text = `CONCAT(${times(20_000, 'a', ',')})`;
    expect(timed(() => evaluateFilter(text, { a: 'a'.repeat(65_536) }))).toMatchObject({
      value: '',
      error: { code: 'functionEvaluation' },
    });
  });
});
