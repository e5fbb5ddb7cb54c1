import { describe, expect, test } from 'vitest';
import { and, attr, call, literal, not, or } from '../../src/filter/builder.ts';
import { evaluateFilter } from '../../src/filter/evaluate.ts';
import { parseFilter } from '../../src/filter/parse.ts';

describe('the builder', () => {
  test.each([
    [attr('type').like('order.%').and(attr('priority').gt(3)), "type LIKE 'order.%' AND priority > 3"],
    [attr('a').eq('x').and(attr('b').ne(1)).or(attr('c').eq(true)), "(a = 'x' AND b != 1) OR c = TRUE"],
    [attr('a').exists().and(attr('b').exists(), attr('c').exists().not()), 'EXISTS a AND EXISTS b AND NOT EXISTS c'],
    [and(attr('a'), and(attr('b'), attr('c'))), 'a AND b AND c'],
    [or(attr('a'), attr('b').and(attr('c'))), 'a OR (b AND c)'],
    [and(attr('a').eq(1)), 'a = 1'],
    [attr('a').xor(attr('b')), 'a XOR b'],
    [not(attr('a').lte(-1)), 'NOT (a <= -1)'],
    [attr('a').in(['x', 5, true, attr('b')]), "a IN ('x', 5, TRUE, b)"],
    [attr('a').notIn([1]), 'a NOT IN (1)'],
    [attr('a').notLike('_'), "a NOT LIKE '_'"],
    [attr('a').startsWith('50%_'), "a LIKE '50\\%\\_%'"],
    [attr('a').endsWith('\\x'), "a LIKE '%\\x'"],
    [attr('a').contains("it's"), 'a LIKE "%it\'s%"'],
    [attr('a').plus(1).times(attr('b')).minus(2).dividedBy(3).remainder(4).lt(5), '((a + 1) * b - 2) / 3 % 4 < 5'],
    [attr('a').negative().gte(literal(-5)), '-a >= -5'],
    [call('length', attr('a')).gt(3), 'LENGTH(a) > 3'],
    [call('concat'), 'CONCAT()'],
    [literal('x').eq(attr('a')), "'x' = a"],
    [attr('averyverylongattributename').eq(1), 'averyverylongattributename = 1'],
  ])('%s', (expression, text) => {
    expect(expression.tree).toEqual(parseFilter(text));
    expect(parseFilter(expression)).toEqual(parseFilter(text));
    expect(parseFilter(String(expression))).toEqual(expression.tree);
  });

  test('a prefix that ends with a backslash', () => {
    const filter = attr('a').startsWith('C:\\');
    expect(String(filter)).toBe("LEFT(a, 3) = 'C:\\\\'");
    expect(evaluateFilter(filter, { a: 'C:\\x' })).toEqual({ value: true });
    expect(evaluateFilter(filter, { a: 'C:%' })).toEqual({ value: false });
    expect(evaluateFilter(attr('a').endsWith('\\'), { a: 'x\\' })).toEqual({ value: true });
    expect(() => attr('a').contains('\\')).toThrow(/invalid-filter.*backslash/);
  });

  test.each([
    ['orderId', '"orderId" is not an attribute name: use lower-case letters and digits; did you mean "orderid"?'],
    ['Type', 'did you mean "type"?'],
    ['order_id', 'did you mean "orderid"?'],
    ['data', 'filters cannot access the data'],
    ['in', 'is a reserved word'],
    ['42', 'integer'],
    ['', 'empty'],
    ['__proto__', 'did you mean "proto"?'],
  ])('%s is no attribute', (name, message) => {
    expect(() => attr(name)).toThrow(expect.objectContaining({ code: 'invalid-filter' }));
    expect(() => attr(name)).toThrow(message);
  });

  test('the compiler knows names', () => {
    // @ts-expect-error: not lower case
    expect(() => attr('orderId')).toThrow();
    // @ts-expect-error: no attribute
    expect(() => attr('data')).toThrow();
    // @ts-expect-error: a comparison has no pattern
    expect(() => attr('a').eq(1).like('x')).toThrow();
  });

  test('bad values', () => {
    for (const value of [1.5, 2 ** 31, Number.NaN, null, undefined, {}, 5n]) {
      expect(() => attr('a').eq(value as never)).toThrow(expect.objectContaining({ code: 'invalid-filter' }));
    }
    expect(() => attr('a').in([])).toThrow(expect.objectContaining({ code: 'invalid-filter' }));
    expect(() => attr('a').like(5 as never)).toThrow(expect.objectContaining({ code: 'invalid-filter' }));
    expect(() => call('no-name')).toThrow(expect.objectContaining({ code: 'invalid-filter' }));
    expect(() => (and as unknown as () => void)()).toThrow(expect.objectContaining({ code: 'invalid-filter' }));
  });

  test('never changes', () => {
    const filter = attr('a')
      .eq(1)
      .and(attr('b').in([1]));
    expect(() => {
      (filter.tree as { kind: string }).kind = 'or';
    }).toThrow(TypeError);
    const before = String(filter);
    filter.and(attr('c').eq(1));
    filter.or(attr('c').eq(1));
    expect(String(filter)).toBe(before);
  });

  test('too deep is refused when it is used', () => {
    let deep = attr('a').eq(1);
    for (let at = 0; at < 100_000; at++) deep = deep.not();
    expect(() => parseFilter(deep)).toThrow(expect.objectContaining({ code: 'invalid-filter' }));
    expect(() => String(deep)).toThrow(expect.objectContaining({ code: 'invalid-filter' }));
  });
});
