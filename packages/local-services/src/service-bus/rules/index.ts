/** Rules of subscriptions: which messages they take, and what they change in them. Pure. */

export type {
  ActionDescription,
  CorrelationFilterDescription,
  FilterDescription,
  Parameters,
  RuleDescription,
  SqlFilterDescription,
} from './description.ts';
export type { Changes, RuleMessage } from './rule-message.ts';
export { type PropertyValue, TimeSpan, Uuid } from './value.ts';
