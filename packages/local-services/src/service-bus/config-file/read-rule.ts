import type { JsonNode } from '../../config-file/json-node.ts';
import type {
  ActionDescription,
  CorrelationFilterDescription,
  FilterDescription,
  PropertyValue,
} from '../rules/index.ts';
import type { RuleDeclaration } from './declaration.ts';

const FILTERS = { Sql: 'SqlFilter', Correlation: 'CorrelationFilter' } as const;

const CORRELATED = {
  ContentType: 'contentType',
  CorrelationId: 'correlationId',
  Label: 'label',
  MessageId: 'messageId',
  ReplyTo: 'replyTo',
  ReplyToSessionId: 'replyToSessionId',
  SessionId: 'sessionId',
  To: 'to',
} as const satisfies Record<string, keyof CorrelationFilterDescription>;

/** `Properties` of a rule. */
export function readRule(node: JsonNode): RuleDeclaration['properties'] {
  const members = node.members(['FilterType', ...Object.values(FILTERS), 'Action']);
  const typeNode = members.get('FilterType');
  if (typeNode === undefined) throw node.fault('FilterType is missing: "Sql" or "Correlation"');
  const type = typeNode.oneOf(['Sql', 'Correlation']);
  const other = members.get(type === 'Sql' ? FILTERS.Correlation : FILTERS.Sql);
  if (other !== undefined) throw other.fault(`the rule's FilterType is "${type}"`);
  const filterNode = members.get(FILTERS[type]);
  if (filterNode === undefined) throw node.fault(`${FILTERS[type]} is missing`);
  const action = members.get('Action');
  return {
    filter: type === 'Sql' ? { kind: 'sql', ...readExpression(filterNode) } : readCorrelation(filterNode),
    ...(action !== undefined && { action: readExpression(action) }),
  };
}

function readExpression(node: JsonNode): Pick<ActionDescription, 'expression'> {
  const expression = node.members(['SqlExpression']).get('SqlExpression');
  if (expression === undefined) throw node.fault('SqlExpression is missing');
  return { expression: expression.text() };
}

function readCorrelation(node: JsonNode): FilterDescription {
  const members = node.members([...Object.keys(CORRELATED), 'Properties']);
  if (members.size === 0) throw node.fault('must name at least one property');
  const filter: { -readonly [Key in keyof CorrelationFilterDescription]: CorrelationFilterDescription[Key] } = {
    kind: 'correlation',
  };
  for (const [name, member] of members) {
    if (name === 'Properties') filter.properties = readValues(member);
    else filter[CORRELATED[name as keyof typeof CORRELATED]] = member.text();
  }
  return filter;
}

function readValues(node: JsonNode): ReadonlyMap<string, PropertyValue> {
  const members = [...node.anyMembers()];
  if (members.length === 0) throw node.fault('must name at least one property');
  return new Map(members.map(([name, member]) => [name, readValue(member)]));
}

/** JSON has one kind of number; a whole one is an integer here, as in SQL. */
function readValue(node: JsonNode): PropertyValue {
  const { value } = node;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value !== 'number') throw node.fault('must be a string, a number, true or false');
  return Number.isSafeInteger(value) ? BigInt(value) : value;
}
