/** Rules of subscriptions: which messages they take, and what they change in them. Pure, but for `newid()`. */

export { type CompiledRule, compileRule } from './compiled-rule.ts';
export type {
  ActionDescription,
  CorrelationFilterDescription,
  FilterDescription,
  Parameters,
  RuleDescription,
  SqlFilterDescription,
  WrittenTypes,
} from './description.ts';
export type { Matched, OnRuleError } from './matched.ts';
export { FilterEvaluationError, RuleError } from './rule-error.ts';
export type { Changes, RuleMessage } from './rule-message.ts';
export { RuleSet } from './rule-set.ts';
export { SYSTEM_PROPERTIES } from './system-property.ts';
export { TopicIndex } from './topic-index.ts';
export { type PropertyValue, TimeSpan, Uuid } from './value.ts';
