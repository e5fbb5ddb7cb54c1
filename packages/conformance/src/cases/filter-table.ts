import { attr, type FilterInput } from '@polycast/core';
import { compileFilter } from '@polycast/core/filter';

/** Attributes of an event; `type` is `order` unless said. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface FilterRow {
  readonly name: string;
  readonly clause: string;
  readonly filter: FilterInput;
  readonly events: readonly Attributes[];
  /** Which of the events fit. */
  readonly fits: readonly number[];
}

const row = (
  clause: string,
  name: string,
  filter: FilterInput,
  events: readonly Attributes[],
  fits: readonly number[],
): FilterRow => ({ clause, name, filter, events, fits });

const of = (name: string, values: readonly (string | number | boolean)[]): readonly Attributes[] =>
  values.map((value) => ({ [name]: value }));

const REGIONS = [{ region: 'west' }, { region: 'east' }, {}];
const DISHES = of('subject', ['order-1', 'order_1', 'ORDER_1', 'order_', 'reorder_1', 'order%1']);

export const FILTER_TABLE: readonly FilterRow[] = [
  row('filter.1', 'equality', "type = 'a'", of('type', ['a', 'b', 'A', 'aa']), [0]),
  row('filter.1', 'nothing', "type = 'never'", of('type', ['a', 'b']), []),
  row('filter.1', 'everything', 'TRUE', of('type', ['a', 'b']), [0, 1]),
  row(
    'filter.1',
    'conjunction',
    "type = 'a' AND region = 'west' AND table > 3",
    [
      { type: 'a', region: 'west', table: 4 },
      { type: 'b', region: 'west', table: 4 },
      { type: 'a', region: 'east', table: 4 },
      { type: 'a', region: 'west', table: 3 },
      { type: 'a', region: 'west' },
    ],
    [0],
  ),
  row(
    'filter.1',
    'disjunction',
    "type = 'a' OR type = 'b' AND table = 1",
    [{ type: 'a' }, { type: 'a', table: 1 }, { type: 'b', table: 1 }, { type: 'b', table: 2 }, { type: 'c', table: 1 }],
    // AND and OR are of equal rank and read from the left.
    [1, 2],
  ),
  row(
    'filter.1',
    'exclusive-or',
    "type = 'a' XOR table = 1",
    [{ type: 'a', table: 1 }, { type: 'a', table: 2 }, { table: 1 }],
    [1, 2],
  ),
  row('filter.1', 'in', "region IN ('west', 'north')", of('region', ['west', 'North', 'north', 'west ']), [0, 2]),
  row('filter.1', 'not-in', "region NOT IN ('west', 'north')", [...REGIONS, { region: 'north' }], [1]),
  row('filter.1', 'like-prefix', "subject LIKE 'order%'", DISHES, [0, 1, 3, 5]),
  row('filter.1', 'like-suffix', "subject LIKE '%1'", DISHES, [0, 1, 2, 4, 5]),
  row('filter.1', 'like-inner', "subject LIKE '%er%1'", DISHES, [0, 1, 4, 5]),
  row('filter.1', 'like-one', "subject LIKE 'order_1'", DISHES, [0, 1, 5]),
  row('filter.1', 'like-escaped', "subject LIKE 'order\\_%'", DISHES, [1, 3]),
  row('filter.1', 'not-like', "subject NOT LIKE 'order%'", [...DISHES, {}], [2, 4]),
  row('filter.1', 'range', 'table >= -2 AND table < 3', of('table', [-3, -2, 0, 2, 3, 2_147_483_647]), [1, 2, 3]),
  row('filter.1', 'not-equal', 'table != 7', of('table', [7, 8, -7]), [1, 2]),
  row('filter.1', 'arithmetic', 'table % 2 = 0 AND table * 2 + 1 < 10', of('table', [1, 2, 4, 6]), [1, 2]),
  row(
    'filter.1',
    'functions',
    "UPPER(region) = 'WEST' AND LENGTH(region) = 4",
    of('region', ['west', 'West', 'wes', 'east']),
    [0, 1],
  ),
  row(
    'filter.1',
    'two-attributes',
    'region = subject',
    [
      { region: 'a', subject: 'a' },
      { region: 'a', subject: 'b' },
    ],
    [0],
  ),
  row('filter.1', 'exists', 'EXISTS region', REGIONS, [0, 1]),
  row('filter.1', 'not-exists', 'NOT EXISTS region', REGIONS, [2]),
  row(
    'filter.1',
    'long-list',
    `subject IN (${Array.from({ length: 3_000 }, (_, n) => `'dish-${n * 2}'`).join()})`,
    of('subject', ['dish-0', 'dish-1', 'dish-5998', 'dish-6000']),
    [0, 2],
  ),
  row(
    'filter.1',
    'long-text',
    Array.from({ length: 60 }, (_, n) => `(region = 'r-${n}' AND table > ${n})`).join(' OR '),
    [
      { region: 'r-5', table: 6 },
      { region: 'r-5', table: 5 },
      { region: 'r-59', table: 60 },
      { region: 'r-60', table: 99 },
    ],
    [0, 2],
  ),
  row(
    'filter.1',
    'hostile-names',
    'NOT EXISTS constructor AND NOT EXISTS epoch AND NOT EXISTS attributes AND NOT EXISTS with',
    REGIONS,
    [0, 1, 2],
  ),

  row('filter.2', 'missing-not-equal', "region != 'west'", REGIONS, [1]),
  row('filter.2', 'missing-negated', "NOT (region = 'west')", REGIONS, [1]),
  row(
    'filter.2',
    'missing-left-of-or',
    "region = 'west' OR table = 7",
    [{ region: 'west' }, { region: 'east', table: 7 }, { table: 7 }, { region: 'west', table: 7 }],
    [0, 1, 3],
  ),
  row(
    'filter.2',
    'missing-right-of-or',
    "table = 7 OR region = 'west'",
    [{ region: 'west' }, { table: 7 }, { table: 8, region: 'west' }],
    [1, 2],
  ),
  row(
    'filter.2',
    'missing-guarded',
    "(EXISTS region AND region = 'west') OR table = 7",
    [{ region: 'west' }, { table: 7 }, { region: 'east', table: 7 }, { region: 'east' }],
    [0, 1, 2],
  ),
  row('filter.2', 'missing-negated-like', "NOT (region LIKE 'w%')", REGIONS, [1]),
  row('filter.2', 'division-by-zero', '10 / table > 1', of('table', [0, 2, 10]), [1]),
  row('filter.2', 'overflow', 'table + 1 != 0', of('table', [2_147_483_647, 1]), [1]),
  row('filter.2', 'failed-cast', 'table > 5', of('table', ['seven', '7', '', '7.5', true]), [1]),
  row('filter.2', 'failed-cast-negated', 'NOT (table > 5)', of('table', ['seven', '7', '3']), [2]),
  row('filter.2', 'not-boolean', 'urgent', of('urgent', [true, false, 'true', 1]), [0]),

  row('filter.3', 'case', "region = 'West'", of('region', ['west', 'West', 'WEST']), [1]),
  row('filter.3', 'case-negated', "region != 'West'", of('region', ['west', 'West', 'WEST']), [0, 2]),
  row('filter.3', 'case-like', "region LIKE 'We%'", of('region', ['west', 'West', 'WEST']), [1]),
  row('filter.3', 'unicode', "subject = 'Tisch „7“ 🍜'", of('subject', ['Tisch „7“ 🍜', 'Tisch "7" 🍜']), [0]),
  row(
    'filter.3',
    'unicode-one-character',
    "subject LIKE '_'",
    of('subject', ['🍜', 'a', 'ab', 'é', 'e\u0301']),
    [0, 1, 3],
  ),
  row('filter.3', 'not-normalised', "subject = 'é'", of('subject', ['é', 'e\u0301']), [0]),
  row('filter.3', 'quotes', "subject = 'it\\'s' OR subject = \"a'b\"", of('subject', ["it's", "a'b", 'its']), [0, 1]),
  row('filter.3', 'wildcards-are-text', "subject = 'a%_'", of('subject', ['a%_', 'abc', 'a%b']), [0]),
  row('filter.3', 'integer-from-text', 'table = 7', of('table', [7, '7', '07', '+7', '7.0', ' 7', 70]), [0, 1, 2, 3]),
  row('filter.3', 'text-from-integer', "table = '7'", of('table', [7, '7', '07', true]), [0, 1]),
  row('filter.3', 'text-from-boolean', "urgent = 'true'", of('urgent', [true, 'true', 'TRUE', false]), [0, 1]),
  row(
    'filter.3',
    'boolean-cast',
    'urgent = TRUE',
    of('urgent', [true, 'TRUE', 'true', 1, 0, false, 'yes']),
    [0, 1, 2, 3],
  ),
  row('filter.3', 'in-takes-the-left-type', "table IN (7, '8')", of('table', [7, '7', 8, '8', '07']), [0, 1, 2, 3]),

  row(
    'filter.4',
    'exact',
    { exact: { type: 'a', region: 'west' } },
    [{ type: 'a', region: 'west' }, { type: 'a' }, { region: 'west' }],
    [0],
  ),
  row('filter.4', 'prefix', { prefix: { subject: 'order_' } }, DISHES, [1, 3]),
  row('filter.4', 'suffix', { suffix: { subject: '_1' } }, DISHES, [1, 2, 4]),
  row('filter.4', 'all', { all: [{ prefix: { subject: 'order' } }, { suffix: { subject: '1' } }] }, DISHES, [0, 1, 5]),
  row(
    'filter.4',
    'any',
    { any: [{ exact: { region: 'west' } }, { exact: { table: '7' } }] },
    [...REGIONS, { table: 7 }],
    [0, 3],
  ),
  row('filter.4', 'not', { not: { exact: { region: 'west' } } }, REGIONS, [1, 2]),
  row('filter.4', 'sql', { sql: "region = 'west'" }, REGIONS, [0]),
  row('filter.4', 'not-sql', { not: { sql: "region = 'west'" } }, REGIONS, [1, 2]),
  row(
    'filter.4',
    'any-sql',
    { any: [{ sql: 'table > 5' }, { sql: "region = 'west'" }] },
    [...REGIONS, { table: 6 }],
    [0, 3],
  ),

  row('filter.10', 'dialect-text', '{"prefix":{"region":"w"}}', REGIONS, [0]),
  row('filter.10', 'built', attr('region').eq('west').or(attr('region').startsWith('e')), REGIONS, [0, 1]),
  row('filter.10', 'compiled', compileFilter("region = 'west'"), REGIONS, [0]),
  row('filter.10', 'tree', { kind: 'exists', name: 'region' }, REGIONS, [0, 1]),
];
