import { MAX_VALUE } from './arithmetic.ts';
import type { CorrelationFilterDescription } from './description.ts';
import { RuleError } from './rule-error.ts';
import type { Predicate, Property } from './tree.ts';
import type { PropertyValue } from './value.ts';

/**
 * A correlation filter as what it stands for: an AND of equalities. One that asks for nothing takes everything.
 *
 * @throws RuleError for a value longer than a property may be
 * @see https://learn.microsoft.com/azure/service-bus-messaging/topic-filters, "Correlation filters"
 */
export function equalitiesOf(filter: CorrelationFilterDescription): Predicate {
  const of: Predicate[] = [];
  for (const [field, name] of SYSTEM_FIELDS) {
    const value = filter[field];
    if (value !== undefined) of.push(equality({ kind: 'property', scope: 'sys', name }, value));
  }
  for (const [name, value] of filter.properties ?? []) {
    of.push(equality({ kind: 'property', scope: 'user', name }, value));
  }
  return { kind: 'and', of };
}

const SYSTEM_FIELDS = [
  ['correlationId', 'CorrelationId'],
  ['messageId', 'MessageId'],
  ['to', 'To'],
  ['replyTo', 'ReplyTo'],
  ['label', 'Label'],
  ['sessionId', 'SessionId'],
  ['replyToSessionId', 'ReplyToSessionId'],
  ['contentType', 'ContentType'],
] as const;

/** Of a name, in a message. */
const MAX_QUOTED = 64;

function equality(property: Property, value: PropertyValue): Predicate {
  const length = typeof value === 'string' || value instanceof Uint8Array ? value.length : 0;
  if (length > MAX_VALUE) {
    const message = `A value of a correlation filter has at most ${MAX_VALUE} characters or bytes; that of ${property.name.slice(0, MAX_QUOTED)} has ${length}.`;
    throw new RuleError('com.microsoft:argument-out-of-range', message);
  }
  return { kind: 'compare', operator: '=', left: property, right: { kind: 'constant', value } };
}
