import { describe, expect, test } from 'vitest';
import { PolycastError } from '../../src/contract/error.ts';
import { parseFilter } from '../../src/filter/parse.ts';
import { FilterSyntaxError } from '../../src/filter/syntax-error.ts';
import type { FilterTree } from '../../src/filter/tree.ts';

const a: FilterTree = { kind: 'attribute', name: 'a' };
const b: FilterTree = { kind: 'attribute', name: 'b' };
const c: FilterTree = { kind: 'attribute', name: 'c' };
const literal = (value: string | number | boolean): FilterTree => ({ kind: 'literal', value });
const like: FilterTree = { kind: 'like', of: a, pattern: 'p' };

function errorOf(text: string): PolycastError {
  try {
    parseFilter(text);
  } catch (thrown) {
    if (thrown instanceof PolycastError && thrown.code === 'invalid-filter') return thrown;
    throw thrown;
  }
  throw new Error(`${text} was read`);
}

describe('what a text is', () => {
  test.each<[string, FilterTree]>([
    ['a OR b AND c', { kind: 'and', of: [{ kind: 'or', of: [a, b] }, c] }],
    ['a AND b OR c', { kind: 'or', of: [{ kind: 'and', of: [a, b] }, c] }],
    ['a XOR b OR c', { kind: 'or', of: [{ kind: 'xor', left: a, right: b }, c] }],
    ['a OR (b OR c)', { kind: 'or', of: [a, b, c] }],
    ['(a OR b) OR c', { kind: 'or', of: [a, b, c] }],
    ['NOT a = b', { kind: 'compare', operator: '=', left: { kind: 'not', of: a }, right: b }],
    ["NOT a LIKE 'p'", { kind: 'like', of: { kind: 'not', of: a }, pattern: 'p' }],
    ["a NOT LIKE 'p'", { kind: 'not', of: like }],
    ["NOT (a LIKE 'p')", { kind: 'not', of: like }],
    ["-a LIKE 'p'", { kind: 'like', of: { kind: 'negate', of: a }, pattern: 'p' }],
    ["a LIKE 'p' = b", { kind: 'compare', operator: '=', left: like, right: b }],
    ["b * a LIKE 'p'", { kind: 'arithmetic', operator: '*', left: b, right: like }],
    ['a IN (b) IN (c)', { kind: 'in', of: { kind: 'in', of: a, values: [b] }, values: [c] }],
    ['EXISTS a AND b', { kind: 'and', of: [{ kind: 'exists', name: 'a' }, b] }],
    ['NOT EXISTS A', { kind: 'not', of: { kind: 'exists', name: 'a' } }],
    [
      'a = b < c',
      { kind: 'compare', operator: '<', left: { kind: 'compare', operator: '=', left: a, right: b }, right: c },
    ],
    ['-5', literal(-5)],
    ['+5', literal(5)],
    ['- 5', { kind: 'negate', of: literal(5) }],
    ['--5', { kind: 'negate', of: literal(-5) }],
    ['-2147483648', literal(-2147483648)],
    ['4 -1', { kind: 'arithmetic', operator: '-', left: literal(4), right: literal(1) }],
    ['4-1', { kind: 'arithmetic', operator: '-', left: literal(4), right: literal(1) }],
    ['4 - -1', { kind: 'arithmetic', operator: '-', left: literal(4), right: literal(-1) }],
    ['007', literal(7)],
    ['1abc', { kind: 'attribute', name: '1abc' }],
    ['-1abc', { kind: 'negate', of: { kind: 'attribute', name: '1abc' } }],
    ['tRuE', literal(true)],
    ['abs', { kind: 'attribute', name: 'abs' }],
    ['aBs ( A )', { kind: 'call', name: 'ABS', args: [a] }],
    ['my_fn()', { kind: 'call', name: 'MY_FN', args: [] }],
    ['\t\r\n a \n', a],
    ["''", literal('')],
    ["'a''b'", literal("a'b")],
    ["'a\\'b'", literal("a'b")],
    ["'a\\\"b'", literal('a\\"b')],
    ['"a""b\\"c\'"', literal('a"b"c\'')],
    ["'a\\%\\\\b'", literal('a\\%\\\\b')],
    ["'a\\\\'", literal('a\\')],
    ["'a\\\\\\''", literal("a\\'")],
    ["'\ud800'", literal('\ud800')],
    ["'AND'", literal('AND')],
  ])('%s', (text, tree) => {
    expect(parseFilter(text)).toEqual(tree);
  });
});

describe('a text that is none', () => {
  test('says what was found and expected, and shows where', () => {
    const error = errorOf("type LIEK 'order.%'");
    expect(error.message).toBe(
      [
        'invalid-filter: unexpected "LIEK"; did you mean "LIKE"?',
        'expected AND | OR | XOR | = | != | < | <= | > | >= | + | - | * | / | % | LIKE | IN | NOT | end of filter',
        'at line 1, column 6:',
        "  type LIEK 'order.%'",
        '       ^',
      ].join('\n'),
    );
    expect(error.cause).toBeInstanceOf(FilterSyntaxError);
    expect(error.cause).toMatchObject({ position: 5, line: 1, column: 6, found: '"LIEK"' });
    expect((error.cause as FilterSyntaxError).expected).toContain('LIKE');
  });

  test('cuts what is long, and counts lines', () => {
    const error = errorOf(`a = 1 AND\r\n  ${'b = 2 AND '.repeat(20)}=${' AND c = 3'.repeat(20)}`);
    expect(error.cause).toMatchObject({ line: 2, column: 203 });
    const [excerpt, caret] = error.message.split('\n').slice(-2) as [string, string];
    expect(excerpt).toBe('  …b = 2 AND b = 2 AND b = 2 AND = AND c = 3 AND c = 3 AND c = …');
    expect(excerpt[caret.indexOf('^')]).toBe('=');
  });

  test('a caret stands under its character, whatever stands before it', () => {
    const [excerpt, caret] = errorOf("a = '😀\t\u0007\ud800' b").message.split('\n').slice(-2) as [string, string];
    expect(excerpt).toBe("  a = '😀···' b");
    expect([...excerpt][caret.indexOf('^')]).toBe('b');
  });

  test.each([
    ['', 'unexpected end of filter', 0],
    ['  ', 'unexpected end of filter', 2],
    ['a =', 'unexpected end of filter', 3],
    ['a = 1)', '")"', 5],
    ['(a = 1', 'unexpected end of filter', 6],
    ['ABC(', 'unexpected end of filter', 4],
    ['ABC(a', 'unexpected end of filter', 5],
    ['ABC(a,)', '")"', 6],
    ['a IN ()', '")"', 6],
    ['a IN 5', '"5"', 5],
    ['a IN (1 2)', '"2"', 8],
    ['x LIKE 123', 'the LIKE pattern must be a string literal', 7],
    ['x LIKE y', 'the LIKE pattern must be a string literal', 7],
    ['x NOT = 1', '"="', 6],
    ['EXISTS 5', '"5"', 7],
    ['EXISTS', 'unexpected end of filter', 6],
    ['EXISTS in', '"in"', 7],
    ['a == 1', 'use a single "=" for equality', 3],
    ['a && b', 'use AND', 2],
    ['a || b', 'use OR', 2],
    ['!a', 'use NOT', 0],
    ['a.b = 1', 'an attribute is a single word', 1],
    ['a IN [1]', 'lists are written in parentheses', 5],
    ['a = ‘x’', "'text'", 4],
    ['a = 1;', 'a single expression', 5],
    ["a = 'x", 'unterminated string', 4],
    ["a = 'x\\'", 'unterminated string', 4],
    ['a IS NULL', 'EXISTS name', 2],
    ['a BETWEEN 1', 'a >= 1'.replace('a', 'name'), 2],
    ['NTO a = 1', 'did you mean "NOT" instead of "NTO"', 4],
    ['EXIST a', 'did you mean "EXISTS" instead of "EXIST"', 6],
    ['a = 1 adn b', 'did you mean "AND"', 6],
    ['data = 1', 'filters cannot access the data', 0],
    ['a = 1 AND order_id = 5', 'did you mean "orderid"', 10],
    ['a2b(1)', 'is not a function name', 0],
    ['größe = 1', 'unexpected "ö"', 2],
    ['a = 2147483648', 'between -2147483648 and 2147483647', 4],
    ['a = -2147483649', 'between', 4],
    ['+a', 'directly followed by digits', 1],
    ['a b', 'expected', 2],
    ['AND', 'unexpected "AND"', 0],
    ['a AND', 'unexpected end of filter', 5],
    ['a = NOT', 'unexpected end of filter', 7],
    ["'a' 'b'", 'unexpected string "b"', 4],
  ])('%s', (text, message, position) => {
    const error = errorOf(text);
    expect(error.message).toContain(message);
    expect(error.cause).toMatchObject({ position });
  });
});
