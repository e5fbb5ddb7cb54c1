import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRule, writeRule } from '../../../src/service-bus/http/atom/rule.ts';
import { SERVICE_BUS, XSI } from '../../../src/service-bus/http/xml/namespaces.ts';
import { readXml } from '../../../src/service-bus/http/xml/read.ts';
import { createRoot, declare, serialize } from '../../../src/service-bus/http/xml/write.ts';
import { type PropertyValue, type RuleDescription, TimeSpan, Uuid } from '../../../src/service-bus/rules/index.ts';

const write = (rule: RuleDescription): string => {
  const root = createRoot(SERVICE_BUS, 'RuleDescription');
  declare(root, 'i', XSI);
  writeRule(root, rule);
  return serialize(root);
};
const read = (text: string) => readRule(readXml(Buffer.from(text)));
const description = (inside: string): string =>
  `<RuleDescription xmlns="${SERVICE_BUS}" xmlns:i="${XSI}">${inside}</RuleDescription>`;

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const value: fc.Arbitrary<PropertyValue> = fc.oneof(
  text,
  fc.boolean(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.integer({ min: -5, max: 5 }).map(BigInt),
  fc.double(),
  fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') }),
  fc.uuid().map((uuid) => new Uuid(uuid)),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => new Uint8Array(bytes)),
  fc.integer({ min: -1e12, max: 1e12 }).map((ms) => TimeSpan.ofMs(ms)),
  fc.constant(null),
);
const pairs = fc.dictionary(text, value, { minKeys: 1, maxKeys: 4 }).map((found) => new Map(Object.entries(found)));
const sql = fc.record({ expression: text, parameters: pairs }, { requiredKeys: ['expression'] });
const correlation = fc.record(
  {
    kind: fc.constant('correlation' as const),
    correlationId: text,
    messageId: text,
    to: text,
    replyTo: text,
    label: text,
    sessionId: text,
    replyToSessionId: text,
    contentType: text,
    properties: pairs,
  },
  { requiredKeys: ['kind'] },
);
const rule = fc.record(
  {
    filter: fc.oneof(
      fc.constantFrom({ kind: 'true' as const }, { kind: 'false' as const }),
      sql.map((found) => ({ kind: 'sql' as const, ...found })),
      correlation,
    ),
    action: sql,
  },
  { requiredKeys: ['filter'] },
);

describe('rules in XML', () => {
  it('are read back as they were written', () => {
    fc.assert(
      fc.property(rule, (content) => {
        const written = write({ ...content, name: 'r', createdAtMs: 1_600_000_000_000 });
        const { name, ...again } = read(written);
        expect(name).toBe('r');
        const withLevel = (found: typeof content) => ({
          filter: found.filter.kind === 'sql' ? { ...found.filter, compatibilityLevel: 20 } : found.filter,
          ...(found.action === undefined ? {} : { action: { ...found.action, compatibilityLevel: 20 } }),
        });
        expect(again).toEqual(withLevel(content));
      }),
    );
  });

  it('mean the same under other prefixes', () => {
    const pair = (type: string, xsd: string, xsi: string) =>
      `<KeyValueOfstringanyType><Key>k</Key><Value xmlns:${xsd}="http://www.w3.org/2001/XMLSchema" ${xsi}:type="${xsd}:${type}">5</Value></KeyValueOfstringanyType>`;
    const plain = description(
      `<Filter i:type="CorrelationFilter"><Label>x</Label><Properties>${pair('int', 'l28', 'i')}</Properties></Filter>`,
    );
    const asClientsSend = `<RuleDescription xmlns="${SERVICE_BUS}"><Filter p4:type="CorrelationFilter" xmlns:p4="${XSI}"><Label>x</Label><Properties>${pair('int', 'd6p1', 'p4')}</Properties></Filter></RuleDescription>`;
    const prefixed = plain
      .replace(`xmlns="${SERVICE_BUS}"`, `xmlns:s="${SERVICE_BUS}"`)
      .replace(/<(\/?)(?=[A-Z])/g, '<$1s:')
      .replace('"CorrelationFilter"', '"s:CorrelationFilter"');
    const expected = {
      name: undefined,
      filter: { kind: 'correlation', label: 'x', properties: new Map([['k', 5n]]) },
    };
    for (const document of [plain, asClientsSend, prefixed]) expect(read(document)).toEqual(expected);
  });

  it('do not take names of another namespace for their own', () => {
    expect(read(description('<Filter xmlns="urn:other" i:type="FalseFilter"/>')).filter).toEqual({ kind: 'true' });
  });

  it.each([
    ['<Filter/>', /type/],
    ['<Filter i:type="XPathFilter"/>', /XPathFilter/],
    ['<Filter i:type="SqlFilter"/>', /SqlExpression/],
    ['<Filter i:type="SqlFilter"><SqlExpression><b/></SqlExpression></Filter>', /text only/],
    ['<Filter i:type="TrueFilter"/><Action i:type="Explode"/>', /Explode/],
    ['<Filter i:type="CorrelationFilter"><Properties><Pair/></Properties></Filter>', /pairs/],
  ])('are refused: %s', (inside, message) => expect(() => read(description(inside))).toThrow(message));

  it.each([
    ['int', '2147483648'],
    ['int', '1.5'],
    ['byte', '128'],
    ['unsignedLong', '-1'],
    ['long', '9223372036854775808'],
    ['boolean', 'yes'],
    ['double', '0x10'],
    ['decimal', '1e5'],
    ['dateTime', 'yesterday'],
    ['dateTime', '2020-13-01T00:00:00Z'],
    ['dateTime', '2021-02-29T00:00:00Z'],
    ['double', `${'1'.repeat(240_000)}x`],
    ['decimal', `${'1'.repeat(240_000)}.x`],
    ['duration', 'P99999999D'],
    ['base64Binary', '*'],
    ['anyURI', 'urn:x'],
    ['constructor', '1'],
  ])('are refused with a value that is no %s: %s', (type, content) => {
    const document = description(
      `<Filter i:type="CorrelationFilter"><Properties><KeyValueOfstringanyType><Key>k</Key><Value xmlns:x="http://www.w3.org/2001/XMLSchema" i:type="x:${type}">${content}</Value></KeyValueOfstringanyType></Properties></Filter>`,
    );
    expect(() => read(document)).toThrow(expect.objectContaining({ status: 400 }));
  });

  it('are refused when a type has a prefix that nobody declared', () => {
    const document = description(
      '<Filter i:type="CorrelationFilter"><Properties><KeyValueOfstringanyType><Key>k</Key><Value i:type="y:int">1</Value></KeyValueOfstringanyType></Properties></Filter>',
    );
    expect(() => read(document)).toThrow(/not declared/);
  });
});
