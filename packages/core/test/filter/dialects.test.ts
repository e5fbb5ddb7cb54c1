import { describe, expect, test } from 'vitest';
import { evaluateFilter } from '../../src/filter/evaluate.ts';
import { parseFilter } from '../../src/filter/parse.ts';
import { printFilter } from '../../src/filter/print.ts';

const EVENT = {
  type: 'order.moved',
  source: '/a',
  id: '1',
  subject: 'x%y',
  table: 7,
  label: '7',
  wanted: true,
  path: 'C:\\a',
};

describe('the dialects of the Subscriptions API', () => {
  test.each<[string, unknown, boolean]>([
    ['exact', { exact: { type: 'order.moved' } }, true],
    ['case counts', { exact: { type: 'Order.moved' } }, false],
    ['all of exact', { exact: { type: 'order.moved', subject: 'x' } }, false],
    ['an integer', { exact: { table: 7 } }, true],
    ['an integer as a text', { exact: { table: '7' } }, true],
    ['a text as an integer', { exact: { label: 7 } }, true],
    ['another integer', { exact: { table: 8 } }, false],
    ['a boolean', { exact: { wanted: true } }, true],
    ['missing', { exact: { missing: 'x' } }, false],
    ['not missing', { not: { exact: { missing: 'x' } } }, true],
    ['not a text that is no integer', { not: { exact: { subject: 7 } } }, true],
    ['prefix', { prefix: { type: 'order.', subject: 'x%' } }, true],
    ['a wildcard is a character', { prefix: { subject: '_' } }, false],
    ['a backslash at the end', { prefix: { path: 'C:\\' } }, true],
    ['the same of an integer', { prefix: { table: '7\\' } }, false],
    ['suffix', { suffix: { subject: '%y' } }, true],
    ['a suffix of an integer', { suffix: { table: '7' } }, true],
    ['all', { all: [{ exact: { id: '1' } }, { prefix: { source: '/' } }] }, true],
    ['any', { any: [{ exact: { missing: '1' } }, { prefix: { source: '/' } }] }, true],
    ['none', { any: [{ exact: { missing: '1' } }, { not: { prefix: { source: '/' } } }] }, false],
    ['sql', { sql: "type LIKE 'order.%' AND table > 5" }, true],
    ['sql with an error', { sql: 'missing = 1' }, false],
    ['not sql with an error', { not: { sql: 'missing = 1' } }, true],
    ['sql that is no boolean', { sql: 'table' }, false],
    ['not sql that is no boolean', { not: { sql: 'table' } }, true],
    ['sql that is the text true', { any: [{ sql: "'true'" }] }, false],
    ['any with an error first', { any: [{ sql: 'missing = 1' }, { exact: { id: '1' } }] }, true],
    ['all with an error', { all: [{ exact: { id: '1' } }, { sql: 'missing = 1' }] }, false],
    ['one of all', { all: [{ exact: { id: '1' } }] }, true],
  ])('%s', (_name, dialect, passes) => {
    const tree = parseFilter(dialect as never);
    const { value, error } = evaluateFilter(tree, EVENT);
    expect(value === true && error === undefined).toBe(passes);
    expect(parseFilter(JSON.stringify(dialect))).toEqual(tree);
    expect(parseFilter(printFilter(tree))).toEqual(tree);
  });

  test.each<[unknown, string]>([
    [{}, 'a filter must have exactly one of: exact, prefix'],
    [{ exact: { type: 'a' }, prefix: { type: 'a' } }, 'exactly one of'],
    [{ exacts: { type: 'a' } }, 'unknown dialect "exacts"'],
    [{ exact: {} }, 'exact: expected at least one attribute'],
    [{ exact: { type: '' } }, 'exact.type: the value must not be empty'],
    [{ exact: { type: null } }, 'exact.type: the value must be a string'],
    [{ exact: { level: 1.5 } }, 'exact.level: the value must be'],
    [{ prefix: { type: 5 } }, 'prefix.type: the value must be a string'],
    [
      { exact: { Type: 'a' } },
      'exact: "Type" is not an attribute name: use lower-case letters and digits; did you mean "type"?',
    ],
    [{ exact: { data: 'a' } }, 'exact: "data"'],
    [{ exact: ['a'] }, 'exact: expected an object'],
    [{ all: [] }, 'all: expected a list of at least one filter'],
    [{ any: { exact: { a: 'b' } } }, 'any: expected a list'],
    [{ any: [{ exact: { a: 'b' } }, { exact: { 'a-b': 'c' } }] }, 'any[1].exact: "a-b"'],
    [{ not: [{ exact: { a: 'b' } }] }, 'not: expected an object'],
    [{ not: { all: [{ not: 5 }] } }, 'not.all[0].not: expected an object'],
    [{ sql: 5 }, 'sql: expected a CESQL string'],
    [{ all: [{ sql: 'a =' }] }, 'all[0].sql: unexpected end of filter'],
    ['{"exact":}', 'must be JSON'],
    ['{"exact":{"__proto__":"a"}}', 'exact: "__proto__"'],
  ])('%j is refused', (dialect, message) => {
    expect(() => parseFilter(dialect as never)).toThrow(expect.objectContaining({ code: 'invalid-filter' }));
    expect(() => parseFilter(dialect as never)).toThrow(message);
  });
});
