import { type AmqpMap, type AmqpValue, Described } from '../../message/encoding/value.ts';
import type { Writer } from '../../message/encoding/writer.ts';
import { isPropertyValue } from '../../message/message.ts';
import type { ActionDescription, FilterDescription, PropertyValue, RuleDescription } from '../../rules/index.ts';
import { bad } from './arguments.ts';

/** Descriptors of rules (request-response guide). Those of filters have one hex digit fewer than the others. */
const DESCRIPTOR = {
  rule: 0x137_0000_0004,
  noAction: 0x137_0000_0005,
  sqlAction: 0x137_0000_0006,
  sqlFilter: 0x13_7000_0006,
  trueFilter: 0x13_7000_0007,
  falseFilter: 0x13_7000_0008,
  correlationFilter: 0x13_7000_0009,
} as const;

/** The only one there is. */
const COMPATIBILITY_LEVEL = 20;

/** Fields of a correlation filter: their names in a request, and ours, in the order of the described list. */
const CORRELATION = [
  ['correlation-id', 'correlationId'],
  ['message-id', 'messageId'],
  ['to', 'to'],
  ['reply-to', 'replyTo'],
  ['label', 'label'],
  ['session-id', 'sessionId'],
  ['reply-to-session-id', 'replyToSessionId'],
  ['content-type', 'contentType'],
] as const;

/** @param description the map `rule-description` of an add-rule request @throws BrokerError `com.microsoft:argument-error` */
export function readRule(name: string, description: AmqpMap): Omit<RuleDescription, 'createdAtMs'> {
  const action = readAction(description);
  return { name, filter: readFilter(description), ...(action === undefined ? undefined : { action }) };
}

function readFilter(description: AmqpMap): FilterDescription {
  const sql = description.get('sql-filter');
  if (sql instanceof Map) return { kind: 'sql', ...readSql(sql, 'sql-filter') };
  const correlation = description.get('correlation-filter');
  if (correlation instanceof Map) return readCorrelation(correlation);
  if (description.has('true-filter')) return { kind: 'true' };
  if (description.has('false-filter')) return { kind: 'false' };
  return bad('rule-description has no filter');
}

function readAction(description: AmqpMap): ActionDescription | undefined {
  const action = description.get('sql-rule-action') ?? undefined;
  if (action === undefined) return undefined;
  return action instanceof Map ? readSql(action, 'sql-rule-action') : bad('sql-rule-action is not a map');
}

function readSql(map: AmqpMap, of: string): { expression: string; parameters?: ReadonlyMap<string, PropertyValue> } {
  const expression = map.get('expression');
  if (typeof expression !== 'string') return bad(`${of} has no expression`);
  const parameters = map.get('parameters');
  return { expression, ...(parameters instanceof Map ? { parameters: propertiesOf(parameters, of) } : undefined) };
}

function readCorrelation(map: AmqpMap): FilterDescription {
  const fields: Record<string, string> = {};
  for (const [wire, ours] of CORRELATION) {
    const value = map.get(wire) ?? undefined;
    if (typeof value === 'string') fields[ours] = value;
    else if (value !== undefined) bad(`correlation-filter has a ${wire} that is not a string`);
  }
  const properties = map.get('properties');
  return {
    kind: 'correlation',
    ...fields,
    ...(properties instanceof Map ? { properties: propertiesOf(properties, 'correlation-filter') } : undefined),
  };
}

function propertiesOf(map: AmqpMap, of: string): ReadonlyMap<string, PropertyValue> {
  const properties = new Map<string, PropertyValue>();
  for (const [key, value] of map) {
    if (typeof key !== 'string' || !isPropertyValue(value)) bad(`${of} has a property that is not simple`);
    properties.set(key as string, value as PropertyValue);
  }
  return properties;
}

/** The described list that enumerate-rules answers. */
export function writeRule(writer: Writer, rule: RuleDescription): void {
  writer.value(new Described(BigInt(DESCRIPTOR.rule), [filterValue(rule.filter), actionValue(rule.action), rule.name]));
}

function filterValue(filter: FilterDescription): AmqpValue {
  switch (filter.kind) {
    case 'true':
      return new Described(BigInt(DESCRIPTOR.trueFilter), []);
    case 'false':
      return new Described(BigInt(DESCRIPTOR.falseFilter), []);
    case 'sql':
      return new Described(BigInt(DESCRIPTOR.sqlFilter), sqlFields(filter));
    case 'correlation':
      return new Described(BigInt(DESCRIPTOR.correlationFilter), [
        ...CORRELATION.map(([, field]) => filter[field] ?? null),
        filter.properties ?? new Map(),
      ]);
  }
}

function actionValue(action: ActionDescription | undefined): AmqpValue {
  if (action === undefined) return new Described(BigInt(DESCRIPTOR.noAction), []);
  return new Described(BigInt(DESCRIPTOR.sqlAction), sqlFields(action));
}

function sqlFields({ expression, compatibilityLevel }: ActionDescription): AmqpValue[] {
  return [expression, BigInt(compatibilityLevel ?? COMPATIBILITY_LEVEL)];
}
