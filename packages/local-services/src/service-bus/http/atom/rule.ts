import type { Element } from '@xmldom/xmldom';
import { badRequest } from '../../../http/index.ts';
import type {
  ActionDescription,
  FilterDescription,
  Parameters,
  RuleDescription,
  WrittenTypes,
} from '../../rules/index.ts';
import { SERVICE_BUS, XSI } from '../xml/namespaces.ts';
import { child, children, isNil, textOf, typeOf } from '../xml/read.ts';
import { add } from '../xml/write.ts';
import { readBoolean, readInteger } from './part.ts';
import { formatTime } from './times.ts';
import { readTypedValue, typeToKeep, writeTypedValue } from './typed-value.ts';

/** The language of today's SQL expressions. */
const COMPATIBILITY_LEVEL = 20;

/** Properties a correlation filter names, in the order the service gives them. */
const CORRELATED = [
  ['CorrelationId', 'correlationId'],
  ['MessageId', 'messageId'],
  ['To', 'to'],
  ['ReplyTo', 'replyTo'],
  ['Label', 'label'],
  ['SessionId', 'sessionId'],
  ['ReplyToSessionId', 'replyToSessionId'],
  ['ContentType', 'contentType'],
] as const;

export type RuleContent = Pick<RuleDescription, 'filter' | 'action'>;

/** @returns filter and action of a `RuleDescription` or `DefaultRuleDescription`; no filter lets everything through */
export function readRule(element: Element): RuleContent & { readonly name: string | undefined } {
  const filter = present(element, 'Filter');
  const action = present(element, 'Action');
  const name = present(element, 'Name');
  const readAction = action === undefined ? undefined : readActionOf(action);
  return {
    name: name === undefined ? undefined : textOf(name).trim() || undefined,
    filter: filter === undefined ? { kind: 'true' } : readFilter(filter),
    ...(readAction === undefined ? {} : { action: readAction }),
  };
}

function readFilter(element: Element): FilterDescription {
  const type = typeOf(element)?.name;
  switch (type) {
    case 'TrueFilter':
      return { kind: 'true' };
    case 'FalseFilter':
      return { kind: 'false' };
    case 'SqlFilter':
      return { kind: 'sql', ...readSql(element, 'SqlFilter') };
    case 'CorrelationFilter': {
      const filter: { -readonly [Key in keyof Correlation]: Correlation[Key] } = { kind: 'correlation' };
      for (const [name, key] of CORRELATED) {
        const found = present(element, name);
        if (found !== undefined) filter[key] = textOf(found);
      }
      const { values, types } = readPairs(present(element, 'Properties'));
      if (values !== undefined) filter.properties = values;
      if (types !== undefined) filter.propertyTypes = types;
      return filter;
    }
    default:
      throw badRequest(
        type === undefined ? 'The filter does not say its type.' : `'${type.slice(0, 50)}' is not a filter.`,
      );
  }
}

type Correlation = Extract<FilterDescription, { kind: 'correlation' }>;

function readActionOf(element: Element): ActionDescription | undefined {
  const type = typeOf(element)?.name;
  if (type === 'EmptyRuleAction') return undefined;
  if (type === 'SqlRuleAction') return readSql(element, 'SqlRuleAction');
  throw badRequest(
    type === undefined ? 'The action does not say its type.' : `'${type.slice(0, 50)}' is not an action.`,
  );
}

function readSql(element: Element, type: string): ActionDescription {
  const expression = present(element, 'SqlExpression');
  if (expression === undefined) throw badRequest(`A ${type} needs an SqlExpression.`);
  const level = present(element, 'CompatibilityLevel');
  const preprocessing = present(element, 'RequiresPreprocessing');
  const { values, types } = readPairs(present(element, 'Parameters'));
  return {
    expression: textOf(expression),
    ...(level === undefined ? {} : { compatibilityLevel: readInteger(level) }),
    ...(preprocessing === undefined ? {} : { requiresPreprocessing: readBoolean(preprocessing) }),
    ...(values === undefined ? {} : { parameters: values }),
    ...(types === undefined ? {} : { parameterTypes: types }),
  };
}

interface Pairs {
  readonly values?: Parameters;
  readonly types?: WrittenTypes;
}

function readPairs(element: Element | undefined): Pairs {
  if (element === undefined) return {};
  const pairs = new Map<string, ReturnType<typeof readTypedValue>>();
  const types = new Map<string, string>();
  for (const pair of children(element)) {
    // The names of key and value come from one of two namespaces, depending on the client.
    const [key, value] = ['Key', 'Value'].map((name) => children(pair).find((one) => one.localName === name));
    if (pair.localName !== 'KeyValueOfstringanyType' || key === undefined || value === undefined) {
      throw badRequest(`'${element.localName}' must hold pairs of key and value.`);
    }
    const name = textOf(key);
    if (pairs.has(name)) throw badRequest(`'${name.slice(0, 100)}' occurs twice in '${element.localName}'.`);
    const read = readTypedValue(value);
    const type = typeToKeep(value, read);
    pairs.set(name, read);
    if (type !== undefined) types.set(name, type);
  }
  return { ...(pairs.size > 0 && { values: pairs }), ...(types.size > 0 && { types }) };
}

function present(element: Element, name: string): Element | undefined {
  const found = child(element, SERVICE_BUS, name);
  return found === undefined || isNil(found) ? undefined : found;
}

/** Writes the inside of a `RuleDescription`. */
export function writeRule(parent: Element, rule: RuleDescription): void {
  const filter = add(parent, 'Filter');
  writeFilter(filter, rule.filter);
  const action = add(parent, 'Action');
  setType(action, rule.action === undefined ? 'EmptyRuleAction' : 'SqlRuleAction');
  if (rule.action !== undefined) writeSql(action, rule.action);
  add(parent, 'CreatedAt', formatTime(rule.createdAtMs));
  add(parent, 'Name', rule.name);
}

function writeFilter(element: Element, filter: FilterDescription): void {
  switch (filter.kind) {
    case 'true':
      setType(element, 'TrueFilter');
      return writeExpression(element, { expression: '1=1' });
    case 'false':
      setType(element, 'FalseFilter');
      return writeExpression(element, { expression: '1=0' });
    case 'sql':
      setType(element, 'SqlFilter');
      return writeSql(element, filter);
    case 'correlation':
      setType(element, 'CorrelationFilter');
      for (const [name, key] of CORRELATED) if (filter[key] !== undefined) add(element, name, filter[key]);
      if (filter.properties !== undefined) {
        writePairs(element, 'Properties', filter.properties, filter.propertyTypes);
      }
      return;
  }
}

const setType = (element: Element, type: string): void => element.setAttributeNS(XSI, 'i:type', type);

/** SQL always has its parameters, also where there are none. */
function writeSql(element: Element, sql: ActionDescription): void {
  writeExpression(element, sql);
  if (sql.requiresPreprocessing !== undefined) {
    add(element, 'RequiresPreprocessing', String(sql.requiresPreprocessing));
  }
  writePairs(element, 'Parameters', sql.parameters ?? new Map(), sql.parameterTypes);
}

function writeExpression(element: Element, sql: ActionDescription): void {
  add(element, 'SqlExpression', sql.expression);
  add(element, 'CompatibilityLevel', String(sql.compatibilityLevel ?? COMPATIBILITY_LEVEL));
}

function writePairs(parent: Element, name: string, pairs: Parameters, types: WrittenTypes | undefined): void {
  const list = add(parent, name);
  for (const [key, value] of pairs) {
    const pair = add(list, 'KeyValueOfstringanyType');
    add(pair, 'Key', key);
    writeTypedValue(pair, 'Value', value, types?.get(key));
  }
}
