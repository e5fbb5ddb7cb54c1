import type { CompiledRule } from './compiled-rule.ts';
import type { FilterEvaluationError } from './rule-error.ts';
import type { Changes, RuleMessage } from './rule-message.ts';

/**
 * One copy of a message for the subscription. Rules without action make one together, which is the message as it came;
 * each rule with an action makes one of its own, changed, that bears the rule's name.
 */
export interface Matched {
  readonly rule?: string;
  readonly changes?: Changes;
}

/** What the rules without action make. */
const UNCHANGED: Matched = {};
export const ONE_UNCHANGED: readonly Matched[] = [UNCHANGED];

/**
 * What this rule adds to what others made of the message.
 * @throws FilterEvaluationError of the action
 */
export function withMatch(
  made: readonly Matched[] | undefined,
  { description, apply }: CompiledRule,
  message: RuleMessage,
): readonly Matched[] {
  if (apply !== undefined) return [...(made ?? []), { rule: description.name, changes: apply(message) }];
  if (made === undefined) return ONE_UNCHANGED;
  return made.includes(UNCHANGED) ? made : [UNCHANGED, ...made];
}

/** Told of a rule that could not be evaluated; the others are, all the same. */
export type OnRuleError = (error: FilterEvaluationError, rule: CompiledRule) => void;
