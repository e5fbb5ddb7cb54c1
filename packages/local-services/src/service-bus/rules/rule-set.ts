import type { CompiledRule } from './compiled-rule.ts';
import { type Matched, type OnRuleError, withMatch } from './matched.ts';
import { FilterEvaluationError } from './rule-error.ts';
import type { RuleMessage } from './rule-message.ts';

/** The rules of one subscription. Names compare without case. */
export class RuleSet {
  readonly #rules = new Map<string, CompiledRule>();

  get size(): number {
    return this.#rules.size;
  }

  /** @returns false when there is a rule of that name: it stays */
  add(rule: CompiledRule): boolean {
    const name = keyOf(rule.description.name);
    if (this.#rules.has(name)) return false;
    this.#rules.set(name, rule);
    return true;
  }

  get(name: string): CompiledRule | undefined {
    return this.#rules.get(keyOf(name));
  }

  /** @returns the rule that was removed, if there was one */
  remove(name: string): CompiledRule | undefined {
    const rule = this.get(name);
    this.#rules.delete(keyOf(name));
    return rule;
  }

  /** In the order in which they were added. */
  list(): readonly CompiledRule[] {
    return [...this.#rules.values()];
  }

  /**
   * The copies of the message for the subscription: none when no rule matches.
   * @throws FilterEvaluationError of the first rule that could not be evaluated, unless `onError` is told
   */
  match(message: RuleMessage, onError?: OnRuleError): readonly Matched[] {
    let made: readonly Matched[] | undefined;
    for (const rule of this.#rules.values()) {
      try {
        if (rule.matches(message)) made = withMatch(made, rule, message);
      } catch (error) {
        if (onError === undefined || !(error instanceof FilterEvaluationError)) throw error;
        onError(error, rule);
      }
    }
    return made ?? [];
  }
}

function keyOf(name: string): string {
  return name.toLowerCase();
}
