import { describe, expect, it, test } from 'vitest';
import {
  FilterEvaluationError,
  type PropertyValue,
  RuleError,
  TimeSpan,
  Uuid,
} from '../../../src/service-bus/rules/index.ts';
import { messageOf, ruleOf, truthOf } from './messages.ts';

const id = '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9';
const message = messageOf(
  {
    Colour: 'red',
    quantity: 10n,
    price: 2.5,
    huge: 2n ** 53n + 1n,
    most: 2n ** 63n - 1n,
    least: -(2n ** 63n),
    urgent: true,
    nothing: null,
    empty: '',
    numeral: '10',
    at: new Date('2026-11-21T10:00:00Z'),
    until: new Date('2026-11-21T10:01:30Z'),
    id: new Uuid(id),
    bytes: new Uint8Array([1, 2]),
    nan: Number.NaN,
    'Property With Space': 'x',
    'sys.To': 'mine',
    p: 'quantity',
  },
  { label: 'Order', to: 'role:kitchen', timetolive: TimeSpan.ofMs(60_000), sequencenumber: 7n },
);
const T = true;
const F = false;
const U = undefined;

const expectTruths = (cases: Record<string, boolean | undefined>, parameters?: ReadonlyMap<string, PropertyValue>) =>
  test.each(Object.entries(cases))('%s', (expression, truth) => {
    expect(truthOf(expression, message, parameters)).toBe(truth);
  });

describe('logic', () => {
  expectTruths({
    '1 = 1': T,
    '1 = 0': F,
    'none = 1': U,
    'NOT none = 1': U,
    '1 = 1 AND 1 = 1': T,
    '1 = 1 AND 1 = 0': F,
    '1 = 1 AND none = 1': U,
    'none = 1 AND 1 = 1': U,
    '1 = 0 AND none = 1': F,
    'none = 1 AND 1 = 0': F,
    'none = 1 AND none = 2': U,
    '1 = 0 OR 1 = 0': F,
    '1 = 1 OR none = 1': T,
    'none = 1 OR 1 = 1': T,
    '1 = 0 OR none = 1': U,
    'none = 1 OR 1 = 0': U,
    'none = 1 OR none = 2': U,
  });
});

describe('comparisons', () => {
  expectTruths({
    "colour = 'red'": T,
    "COLOUR = 'red'": T,
    "'red' = user.[colour]": T,
    "colour = 'Red'": F,
    "colour <> 'Red'": T,
    "colour < 's'": T,
    "colour >= 'red'": T,
    "empty = ''": T,
    'quantity = 10': T,
    'quantity = 10.0': T,
    'quantity <> 10': F,
    'quantity > 9.5': T,
    'price = 2.5': T,
    'price < 3': T,
    'price <= quantity': T,
    // Two integers as they are, an integer and a double as doubles.
    'huge = 9007199254740993': T,
    'huge = 9007199254740992': F,
    'huge = 9007199254740992.0': T,
    'most > least': T,
    'huge > 9007199254740992': T,
    '9007199254740992 < huge': T,
    'huge > 9007199254740992.0': F,
    'urgent = TRUE': T,
    'urgent <> FALSE': T,
    'urgent > FALSE': U,
    'nan = nan': F,
    'nan <> nan': T,
    'nan < 1': F,
    'at < until': T,
    'at = at': T,
    'bytes = bytes': T,
    'bytes < bytes': U,
    'id = id': T,
    'id <> newid()': T,
    'id > id': U,
    // Unlike types, nothing, and NULL compare with nothing.
    'quantity = numeral': U,
    'quantity <> numeral': U,
    "quantity = '10'": U,
    "urgent = 'true'": U,
    'quantity = TRUE': U,
    "at = '2026-11-21T10:00:00Z'": U,
    'id = colour': U,
    'nothing = nothing': U,
    'nothing <> 1': U,
    'colour = NULL': U,
    'NULL = NULL': U,
  });
});

describe('properties', () => {
  expectTruths({
    "sys.Label = 'Order'": T,
    "SYS.label = 'Order'": T,
    "sys.Subject = 'Order'": T,
    'sys.SequenceNumber > 6': T,
    "sys.CorrelationId = 'x'": U,
    'sys.CorrelationId IS NULL': T,
    'sys.Label IS NULL': F,
    'sys.Label IS NOT NULL': T,
    'EXISTS(sys.Label)': T,
    'EXISTS(sys.CorrelationId)': F,
    "label = 'Order'": U,
    "[sys.To] = 'mine'": T,
    "sys.To = 'role:kitchen'": T,
    "[Property With Space] = 'x'": T,
    'none IS NULL': T,
    'nothing IS NULL': T,
    'empty IS NULL': F,
    'none IS NOT NULL': F,
    'EXISTS(none)': F,
    'EXISTS(nothing)': T,
    'EXISTS(Colour)': T,
    "p('Colour') = 'red'": T,
    "property('COL' + 'our') = 'red'": T,
    'property(p) = 10': T,
    "p('sys.label') = 'Order'": T,
    "p('user.colour') = 'red'": T,
    "p('none') = 1": U,
    'p(none) = 1': U,
    'p(1) = 1': U,
  });
});

describe('lists', () => {
  expectTruths({
    "colour IN ('green', 'red')": T,
    "colour IN ('green')": F,
    "colour NOT IN ('green')": T,
    "colour NOT IN ('green', 'red')": F,
    "none IN ('red')": U,
    "none NOT IN ('red')": U,
    "quantity IN ('red')": U,
    "quantity IN (1, 'red', 10.0)": T,
    "quantity IN (1, 'red')": U,
    "quantity NOT IN (1, 'red')": U,
    'quantity IN (1, none)': U,
    'quantity IN (none, 10)': T,
    'quantity IN (price * 4)': T,
    'quantity + 1 IN (11)': T,
    'nothing IN (NULL)': U,
  });
});

describe('patterns', () => {
  expectTruths({
    "colour LIKE 'r%'": T,
    "colour LIKE 'R%'": F,
    "colour NOT LIKE 'r%'": F,
    "colour LIKE '_e_'": T,
    "colour LIKE '_e'": F,
    "colour LIKE '%'": T,
    "empty LIKE '%'": T,
    "empty LIKE '_'": F,
    "empty LIKE ''": T,
    "none LIKE '%'": U,
    "none NOT LIKE '%'": U,
    "quantity LIKE '%'": U,
    'colour LIKE 1': U,
    'colour LIKE none': U,
    'colour LIKE NULL': U,
    'colour LIKE colour': T,
    "colour LIKE 'r' + '%'": T,
    "colour LIKE '!r%' ESCAPE '!'": T,
    "colour LIKE '!%' ESCAPE '!'": F,
    "'a%' LIKE 'a!%' ESCAPE '!'": T,
    "'ab' LIKE 'a!%' ESCAPE '!'": F,
    "'a_' LIKE 'a\\_' ESCAPE '\\'": T,
    "'a%' LIKE 'a%%' ESCAPE '%'": T,
    "'ab' LIKE 'a%%' ESCAPE '%'": F,
    "'a!' LIKE 'a!!' ESCAPE '!'": T,
    "'a!' LIKE 'a!' ESCAPE '!'": T,
    "colour LIKE 'r%' ESCAPE none": U,
    "colour LIKE 'r%' ESCAPE empty + '!'": T,
  });

  it('is escaped by one character alone', () => {
    expect(() => ruleOf("colour LIKE 'r%' ESCAPE 'ab'")).toThrow(RuleError);
    expect(() => ruleOf("colour LIKE 'r%' ESCAPE ''")).toThrow(RuleError);
    expect(() => ruleOf('colour LIKE colour ESCAPE colour').matches(message)).toThrow(FilterEvaluationError);
  });

  it('is as long as a filter at most, wherever it comes from', () => {
    const like = (length: number) => ruleOf('text LIKE text').matches(messageOf({ text: 'x'.repeat(length) }));
    expect(like(1_024)).toBe(true);
    expect(() => like(1_025)).toThrow(FilterEvaluationError);
  });
});

describe('arithmetic', () => {
  expectTruths({
    '7 / 2 = 3': T,
    '-7 / 2 = -3': T,
    '-7 % 3 = -1': T,
    '7 / 2.0 = 3.5': T,
    '7.5 % 2 = 1.5': T,
    'quantity * price = 25': T,
    'most + 1 = least': T,
    'least - 1 = most': T,
    '-least = least': T,
    'most * 2 = -2': T,
    '-(-quantity) = + quantity': T,
    '1 / 0.0 > most': T,
    'none + 1 = 1': U,
    '-none = 1': U,
    "quantity + '1' = 11": U,
    "-colour = 'x'": U,
    "colour + '!' = 'red!'": T,
    "colour - '!' = 'red'": U,
    'urgent + 1 = 2': U,
    'until - at > at - until': T,
    'until - at = until - at': T,
    'until - (until - at) = at': T,
    'at + (until - at) = until': T,
    'at + at = at': U,
    'sys.TimeToLive < until - at': T,
    'sys.TimeToLive = 60000': U,
  });

  test.each(['1 / 0 = 1', 'quantity % 0 = 1', 'least / -1 = 1'])('%s is an error', (expression) => {
    expect(() => ruleOf(expression).matches(message)).toThrow(FilterEvaluationError);
  });
});

describe('parameters', () => {
  expectTruths(
    {
      'quantity = @quantity': T,
      'at < @date': T,
      'until - at <= @timespan': T,
      'id = @id': T,
      'price = @double': T,
      'colour = @null': U,
      'colour LIKE @pattern ESCAPE @escape': T,
      'colour IN (@pattern, @colour)': T,
    },
    new Map<string, PropertyValue>([
      ['@quantity', 10n],
      ['@date', new Date('2026-11-22')],
      ['timespan', TimeSpan.ofMs(90_000)],
      ['@ID', new Uuid(id.toUpperCase())],
      ['@double', 2.5],
      ['@null', null],
      ['@pattern', 'r%'],
      ['@escape', '!'],
      ['@colour', 'red'],
    ]),
  );
});

describe('a system property that the service has none of', () => {
  test.each([
    "sys.Body = 'x'",
    'sys.Body IS NULL',
    'EXISTS(sys.Body)',
    "p('sys.body') = 1",
    "1 = 1 AND sys.Body = 'x'",
  ])('%s is an error', (expression) => {
    expect(() => ruleOf(expression).matches(message)).toThrow(
      new FilterEvaluationError("There is no system property 'body'."),
    );
  });

  it('is none where the result is known before', () => {
    expect(truthOf("1 = 0 AND sys.Body = 'x'", message)).toBe(false);
    expect(truthOf("1 = 1 OR sys.Body = 'x'", message)).toBe(true);
  });
});

it('newid() is another at each time', () => {
  expect(truthOf('newid() = newid()', message)).toBe(false);
  expect(truthOf('newid() IN (newid(), id)', message)).toBe(false);
});
