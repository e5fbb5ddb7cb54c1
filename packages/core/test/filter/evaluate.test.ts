import { describe, expect, test } from 'vitest';
import { BroadcastEvent } from '../../src/envelope/event.ts';
import { evaluateFilter } from '../../src/filter/evaluate.ts';

const EVENT = {
  specversion: '1.0',
  id: 'an-id',
  source: '/a',
  type: 'order.moved',
  text: 'abc',
  five: 5,
  word: '5',
  yes: true,
  emoji: '😀a😀',
  nothing: null,
};

describe('beyond the compatibility kit', () => {
  test.each<[string, string | number | boolean, string?]>([
    // Casts. The right value says the type for =, the left one for IN, and < knows integers only.
    ["five = '5'", true],
    ["five = '05'", false],
    ["word = 5 AND '05' = 5 AND '+5' = 5", true],
    ['text = 5', false, 'cast'],
    ['text != 5', false, 'cast'],
    ['5 = text', false],
    ["yes = 'true'", true],
    ["yes = 'TRUE'", false],
    ['yes = 1', true],
    ['five = TRUE', true],
    ["'TRUE' = TRUE", true],
    ["'yes' = TRUE", false, 'cast'],
    ["'a' < 5", false, 'cast'],
    ["'10' > '9'", true],
    ['TRUE > FALSE', true],
    ["'' = 0", false, 'cast'],
    ["' 5' = 5", false, 'cast'],
    ["'1e1' = 10", false, 'cast'],
    ["five IN ('4', 'x', 5)", false, 'cast'],
    ["five IN ('4', 5, 'x')", true],
    ['word IN (4, 5)', true],
    ["five NOT IN ('x')", false, 'cast'],
    ['yes IN (0, 1)', true],
    ['five IN (1, missing)', false, 'missingAttribute'],
    ['five IN (5, missing)', true],
    ["five LIKE '_'", true],
    ['NOT 10', false],
    ['NOT 0', true],
    ["NOT 'x'", false, 'cast'],
    ['5 AND TRUE', true],
    ['text OR TRUE', false, 'cast'],
    ['-text', 0, 'cast'],
    ['-TRUE', -1],
    // The integers end somewhere.
    ['2147483647 + 1', 0, 'math'],
    ['-2147483648 - 1', 0, 'math'],
    ['65536 * 65536', 0, 'math'],
    ['2147483647 * 2147483647', 0, 'math'],
    ['46340 * 46340', 2147395600],
    ['-2147483648 / -1', 0, 'math'],
    ['-2147483648 % -1', 0],
    ['-(-2147483648)', 0, 'math'],
    ['-7 / 2', -3],
    ['-7 % 2', -1],
    ['7 % -2', 1],
    ['0 * -5', 0],
    ["'2147483648' + 0", 0, 'cast'],
    // The first error wins; AND and OR look no further than they must.
    ['FALSE AND missing', false],
    ['missing AND FALSE', false, 'missingAttribute'],
    ['TRUE OR missing', true],
    ['missing OR TRUE', false, 'missingAttribute'],
    ['FALSE OR missing OR TRUE', false, 'missingAttribute'],
    ['TRUE XOR missing', false, 'missingAttribute'],
    ['missing XOR TRUE', false, 'missingAttribute'],
    ['NOT missing', false, 'missingAttribute'],
    ['missing', false, 'missingAttribute'],
    ['nothing', false, 'missingAttribute'],
    ['missing + 1 / 0', 0, 'missingAttribute'],
    ['LENGTH(missing)', 0, 'missingAttribute'],
    ["CONCAT('a', missing)", '', 'missingAttribute'],
    ['NOBODY(1 / 0)', false, 'missingFunction'],
    ['LENGTH()', false, 'missingFunction'],
    ["LENGTH('a', 'b')", false, 'missingFunction'],
    ["LENGTH(LEFT('abc', -1))", 0, 'functionEvaluation'],
    ["LEFT('abc', 'x')", '', 'cast'],
    ['ABS(-2147483648) > 0', false, 'math'],
    ['EXISTS id AND EXISTS constructor', false],
    ['constructor', false, 'missingAttribute'],
    ['data', false, 'parse'],
    // Characters are code points.
    ['LENGTH(emoji)', 3],
    ['LEFT(emoji, 1)', '😀'],
    ['LEFT(emoji, 3)', '😀a😀'],
    ['RIGHT(emoji, 2)', 'a😀'],
    ['RIGHT(emoji, 0)', ''],
    ['SUBSTRING(emoji, 2)', 'a😀'],
    ['SUBSTRING(emoji, -1)', '😀'],
    ['SUBSTRING(emoji, 3, 1)', '😀'],
    ['SUBSTRING(emoji, 4)', '', 'functionEvaluation'],
    ['SUBSTRING(emoji, -4)', '', 'functionEvaluation'],
    ["SUBSTRING('abc', 3, 100)", 'c'],
    ["SUBSTRING('abc', 2, 0)", ''],
    ["SUBSTRING('abc', 2, -1)", '', 'functionEvaluation'],
    ["SUBSTRING('abc', 0, -1)", '', 'functionEvaluation'],
    ["SUBSTRING('abc', -2, 1)", 'b'],
    ["SUBSTRING('', 1)", '', 'functionEvaluation'],
    ["LENGTH('\ud800\udc00\udc00')", 2],
    ["emoji LIKE '_a_'", true],
    ["LOWER('ÄİΣ')", 'ÄİΣ'.toLowerCase()],
    ["UPPER('straße')", 'STRASSE'],
    ["TRIM('\u0085\u00a0\u2003\n a \t\u3000')", 'a'],
    ["TRIM('\ufeffa\u200b\u0000')", '\ufeffa\u200b\u0000'],
    ["CONCAT(1, TRUE, 'x')", '1truex'],
    ["CONCAT_WS('-', 1, 2)", '1-2'],
    ["INT('+5') + INT(TRUE)", 6],
    ["INT(' 5')", 0, 'cast'],
    ["BOOL('x')", false, 'cast'],
    ['STRING(-0)', '0'],
  ])('%s', (expression, value, code) => {
    const given = evaluateFilter(expression, EVENT);
    expect(given.error?.code).toBe(code);
    expect(given.value).toBe(value);
  });

  test('on a BroadcastEvent', () => {
    const event = new BroadcastEvent({
      type: 'order.moved',
      source: '/a',
      id: 7,
      epoch: 'e1',
      time: 0,
      sequence: 'e1.0000000007',
      expiresAtMs: 1_000,
      data: { a: 1 },
      attributes: { subject: 'x', level: 5, epoch: 'mine' },
    });
    expect(evaluateFilter("id = 'e1.7' AND sequence LIKE 'e1.%' AND epoch = 'mine' AND level > 4", event).value).toBe(
      true,
    );
    expect(evaluateFilter("CONCAT_WS(' ', specversion, time, expirytime)", event).value).toBe(
      '1.0 1970-01-01T00:00:00.000Z 1970-01-01T00:00:01.000Z',
    );
    expect(evaluateFilter('EXISTS attributes OR EXISTS with OR EXISTS datatext OR EXISTS expiresatms', event)).toEqual({
      value: false,
    });
  });

  test('messages name what is missing, and what was perhaps meant', () => {
    expect(evaluateFilter("UPER('a')", {}).error?.message).toBe('unknown function UPER; did you mean "UPPER"?');
    expect(evaluateFilter("LENGTH('a', 'b')", {}).error?.message).toBe('LENGTH takes 1 argument, not 2');
    expect(evaluateFilter("SUBSTRING('a')", {}).error?.message).toBe('SUBSTRING takes 2 or 3 arguments, not 1');
    expect(evaluateFilter('CONCAT_WS()', {}).error?.message).toBe('CONCAT_WS takes 1 or more arguments, not 0');
    expect(evaluateFilter('priority > 5', {}).error?.message).toBe('the event has no attribute priority');
    expect(evaluateFilter("'five' + 1", {}).error?.message).toBe('"five" is not an integer');
    expect(evaluateFilter('2147483647 + 1', {}).error?.message).toBe('2147483647 + 1 does not fit into 32 bits');
    expect(evaluateFilter('a =', {}).error?.message).toMatch(/^invalid-filter: unexpected end of filter/);
  });

  test('events and expressions of the wrong kind are no exceptions', () => {
    expect(evaluateFilter("type = 'a'", null as never)).toMatchObject({ error: { code: 'missingAttribute' } });
    expect(evaluateFilter(undefined as never, {})).toMatchObject({ value: false, error: { code: 'parse' } });
  });
});
