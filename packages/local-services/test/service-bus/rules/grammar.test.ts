import { describe, expect, it, test } from 'vitest';
import { RuleError } from '../../../src/service-bus/rules/index.ts';
import { parseAction, parseFilter } from '../../../src/service-bus/rules/parse.ts';
import type { Expression, Predicate, Property } from '../../../src/service-bus/rules/tree.ts';

const user = (name: string): Property => ({ kind: 'property', scope: 'user', name });
const sys = (name: string): Property => ({ kind: 'property', scope: 'sys', name });
const constant = (value: string | bigint | number | boolean | null): Expression => ({ kind: 'constant', value });
const is = (name: string, value = 1n): Predicate => ({
  kind: 'compare',
  operator: '=',
  left: user(name),
  right: constant(value),
});
const [a, b, c] = [is('a'), is('b'), is('c')];
const compare = (left: Expression, right: Expression, operator: '=' | '<>' | '<=' = '='): Predicate => ({
  kind: 'compare',
  operator,
  left,
  right,
});
const sum = (operator: '+' | '-' | '*' | '/' | '%', left: Expression, right: Expression): Expression => ({
  kind: 'arithmetic',
  operator,
  left,
  right,
});
const [x, y, z] = [user('x'), user('y'), user('z')];

describe('what a filter is', () => {
  test.each<[string, Predicate]>([
    ['a=1', a],
    ['  a\t=\r\n1  ', a],
    ['a = 1 OR b = 1 AND c = 1', { kind: 'or', of: [a, { kind: 'and', of: [b, c] }] }],
    ['(a = 1 OR b = 1) and c = 1', { kind: 'and', of: [{ kind: 'or', of: [a, b] }, c] }],
    ['NOT a = 1 AND b = 1', { kind: 'and', of: [{ kind: 'not', of: a }, b] }],
    ['not NOT ((a = 1))', { kind: 'not', of: { kind: 'not', of: a } }],
    ['a = 1 AnD b = 1 AND c = 1', { kind: 'and', of: [a, b, c] }],
    ['x <> y', compare(x, y, '<>')],
    ['x != y', compare(x, y, '<>')],
    ['x<=y', compare(x, y, '<=')],
    ['x - y - z = 0', compare(sum('-', sum('-', x, y), z), constant(0n))],
    ['x + y * z = 0', compare(sum('+', x, sum('*', y, z)), constant(0n))],
    ['(x + y) * z % 2 = 0', compare(sum('%', sum('*', sum('+', x, y), z), constant(2n)), constant(0n))],
    [
      '-x = + -y',
      compare(
        { kind: 'sign', operator: '-', of: x },
        { kind: 'sign', operator: '+', of: { kind: 'sign', operator: '-', of: y } },
      ),
    ],
    ['x = -5', compare(x, constant(-5n))],
    ['x = -9223372036854775808', compare(x, constant(-(2n ** 63n)))],
    ['x = 9223372036854775807', compare(x, constant(2n ** 63n - 1n))],
    ['x = 1894.1204', compare(x, constant(1894.1204))],
    ['x = 101.5E5', compare(x, constant(10_150_000))],
    ['x = -0.5e-2', compare(x, constant(-0.005))],
    ['x = .5', compare(x, constant(0.5))],
    ["x = 'it''s'", compare(x, constant("it's"))],
    ["x = ''", compare(x, constant(''))],
    ["x = 'é😀\n'", compare(x, constant('é😀\n'))],
    ['x = TRUE', compare(x, constant(true))],
    ['x = false', compare(x, constant(false))],
    ['x = NULL', compare(x, constant(null))],
    ['x IS NULL', { kind: 'null', property: x, negated: false }],
    ['sys.Label is not null', { kind: 'null', property: sys('Label'), negated: true }],
    ['EXISTS(x)', { kind: 'exists', property: x }],
    ['exists ( user . x )', { kind: 'exists', property: x }],
    ['x IN (1)', { kind: 'in', of: x, values: [constant(1n)], negated: false }],
    ['x + 1 NOT IN (y, -1)', { kind: 'in', of: sum('+', x, constant(1n)), values: [y, constant(-1n)], negated: true }],
    ["x LIKE 'a%'", { kind: 'like', of: x, pattern: constant('a%'), negated: false }],
    ["x NOT LIKE y ESCAPE '\\'", { kind: 'like', of: x, pattern: y, escapedBy: constant('\\'), negated: true }],
    ['[Property With Space] = 1', is('Property With Space')],
    ['[a]]b] = 1', is('a]b')],
    ['"Contoso & ""Northwind""" = 1', is('Contoso & "Northwind"')],
    ['[AND] = 1', is('AND')],
    ['"sys.To" = 1', is('sys.To')],
    ['SYS.[To] = 1', compare(sys('To'), constant(1n))],
    ['User."x y" = 1', is('x y')],
    ['größe_2 = 1', is('größe_2')],
    ['名 = 1', is('名')],
    // No name of a function, no scope and no word of actions is reserved.
    ['p = 1', is('p')],
    ['property = 1', is('property')],
    ['sys = 1', is('sys')],
    ['set = 1', is('set')],
    ["p('x') = newid()", compare({ kind: 'named', name: constant('x') }, { kind: 'newid' })],
    ['PROPERTY ( x + y ) = 1', compare({ kind: 'named', name: sum('+', x, y) }, constant(1n))],
  ])('%s', (text, tree) => expect(parseFilter(text)).toEqual(tree));
});

describe('what no filter is', () => {
  test.each<[text: string, position: number]>([
    ['', 0],
    ['   ', 3],
    ['a', 0],
    ['TRUE', 0],
    ['a AND b = 1', 0],
    ['b = 1 AND a', 10],
    ['b = 1 OR (a)', 9],
    ['NOT a', 4],
    ['a =', 3],
    ['a = = 1', 4],
    ['a == 1', 3],
    ['a = 1 b = 1', 6],
    ['a = 1;', 5],
    ['a = 1)', 5],
    ['(a = 1', 6],
    ['a = b = 1', 6],
    ['(a = 1) = TRUE', 0],
    ['a + (b = 1) = 2', 4],
    ['a IN ()', 6],
    ['a IN 1', 5],
    ['a IN (1,)', 8],
    ['a NOT = 1', 6],
    ["a LIKE 'x' ESCAPE", 17],
    ["'x' IS NULL", 0],
    ['a + 1 IS NULL', 0],
    ['a IS 1', 5],
    ['EXISTS(1)', 7],
    ['EXISTS a', 7],
    ["EXISTS(p('a'))", 8],
    ["x = 'open", 4],
    ["x = 'open''", 4],
    ['[open = 1', 0],
    ['"open = 1', 0],
    ['[] = 1', 0],
    ['_a = 1', 0],
    ['cloudEvents:type = 1', 11],
    ['order-id = 1 2', 13],
    ['foo.bar = 1', 0],
    ['[sys].To = 1', 0],
    ['sys. = 1', 5],
    ['sys.To.x = 1', 6],
    ['sys.in = 1', 4],
    ['5x = 1', 0],
    ['1_000 = 1', 0],
    ['1.2.3 = 1', 0],
    ['a = 9223372036854775808', 4],
    ['a = 1e999', 4],
    ['a = "text"x', 10],
    ['lower(a) = 1', 0],
    ['newid(1) = 1', 6],
    ["sys.p('x') = 1", 5],
    ['a = @none', 4],
    ['a = @', 4],
    ['a = 1 && b = 1', 6],
    ['a = `b`', 4],
    ['a = 😀', 4],
    ['𝒜 = 1', 0],
  ])('%s', (text, position) => {
    expect(() => parseFilter(text)).toThrow(RuleError);
    expect(() => parseFilter(text)).toThrow(expect.objectContaining({ position, status: 400 }));
  });

  it('is told with the place and what stands there', () => {
    expect(() => parseFilter("colour = 'red' AN size > 3")).toThrow(
      "There was an error parsing the SQL expression: the end is expected, at 'AN size > 3' (character 16).",
    );
  });

  it('a number too large is out of range', () => {
    expect(() => parseFilter('a = 9223372036854775808')).toThrow(
      expect.objectContaining({ condition: 'com.microsoft:argument-out-of-range' }),
    );
  });
});

describe('parameters', () => {
  it('are found with and without their @, by any case', () => {
    const parameters = new Map<string, bigint>([
      ['@One', 1n],
      ['two', 2n],
    ]);
    expect(parseFilter('x IN (@one, @TWO)', parameters)).toEqual(parseFilter('x IN (1, 2)'));
  });
});

describe('what an action is', () => {
  test.each<[string, ReturnType<typeof parseAction>]>([
    ['SET x = 1', [{ kind: 'set', property: x, to: constant(1n) }]],
    ['set x = y / 2;', [{ kind: 'set', property: x, to: sum('/', y, constant(2n)) }]],
    [
      "SET quantity = quantity / 2; REMOVE priority;SET sys.CorrelationId = 'low';",
      [
        { kind: 'set', property: user('quantity'), to: sum('/', user('quantity'), constant(2n)) },
        { kind: 'remove', property: user('priority') },
        { kind: 'set', property: sys('CorrelationId'), to: constant('low') },
      ],
    ],
    [
      'SET x = y REMOVE [y] SET z = p',
      [
        { kind: 'set', property: x, to: y },
        { kind: 'remove', property: y },
        { kind: 'set', property: z, to: user('p') },
      ],
    ],
  ])('%s', (text, statements) => expect(parseAction(text)).toEqual(statements));

  test.each<[text: string, position: number]>([
    ['', 0],
    [';', 0],
    ['SET x = 1;;', 10],
    ['SET x', 5],
    ['SET x = ', 8],
    ['SET x = (a = 1)', 8],
    ['SET x = a = 1', 10],
    ['SET 1 = 1', 4],
    ['SET set = 1', 4],
    ['REMOVE', 6],
    ["REMOVE 'x'", 7],
    ['UPDATE x = 1', 0],
    ['x = 1', 0],
    ['SET x = 1, y = 2', 9],
  ])('%s is none', (text, position) => {
    expect(() => parseAction(text)).toThrow(expect.objectContaining({ position, status: 400 }));
    expect(() => parseAction(text)).toThrow(RuleError);
  });
});
