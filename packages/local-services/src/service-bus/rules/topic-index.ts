import { Column } from './column.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { type Matched, withMatch } from './matched.ts';
import type { Requirement } from './requirements.ts';
import { FilterEvaluationError } from './rule-error.ts';
import type { RuleMessage } from './rule-message.ts';
import { RuleSet } from './rule-set.ts';

/**
 * The rules of all subscriptions of a topic. Those that ask a property to be equal to something, to fit a pattern or to be
 * missing are found by the message's value of that property; the others are evaluated for each message. Says the same as a `RuleSet` for each subscription.
 *
 * `Key` is whatever the subscription is known by; keys are told apart as a Map does.
 */
export class TopicIndex<Key> {
  readonly #sets = new Map<Key, RuleSet>();
  readonly #indexed = new Map<CompiledRule, Indexed<Key>>();
  /** Rules that every message is asked of. */
  readonly #always = new Set<Indexed<Key>>();
  /** By scope and name. */
  readonly #columns = new Map<string, Column<Indexed<Key>>>();
  #search = 0;

  /** @returns false when the subscription has a rule of that name: it stays */
  add(key: Key, rule: CompiledRule): boolean {
    let rules = this.#sets.get(key);
    if (rules === undefined) this.#sets.set(key, (rules = new RuleSet()));
    // The same compiled rule may serve several subscriptions.
    const own = { ...rule };
    if (!rules.add(own)) return false;
    const indexed: Indexed<Key> = { key, rule: own, foundIn: 0 };
    this.#indexed.set(own, indexed);
    if (own.requires === undefined) this.#always.add(indexed);
    else for (const requirement of own.requires) this.#column(requirement).add(requirement, indexed);
    return true;
  }

  /** @returns false when there is no such rule */
  remove(key: Key, ruleName: string): boolean {
    const rules = this.#sets.get(key);
    const rule = rules?.remove(ruleName);
    if (rules === undefined || rule === undefined) return false;
    this.#forget(rule);
    if (rules.size === 0) this.#sets.delete(key);
    return true;
  }

  /** All rules of a subscription. */
  delete(key: Key): void {
    for (const rule of this.list(key)) this.#forget(rule);
    this.#sets.delete(key);
  }

  /** The rules of a subscription, in the order in which they were added. */
  list(key: Key): readonly CompiledRule[] {
    return this.#sets.get(key)?.list() ?? [];
  }

  get(key: Key, ruleName: string): CompiledRule | undefined {
    return this.#sets.get(key)?.get(ruleName);
  }

  /**
   * The subscriptions that take the message, in no particular order, each with its copies.
   * @throws FilterEvaluationError of the first rule that could not be evaluated, unless `onError` is told: then the other
   * rules are evaluated all the same
   */
  match(
    message: RuleMessage,
    onError?: (key: Key, error: FilterEvaluationError, rule: CompiledRule) => void,
  ): Map<Key, readonly Matched[]> {
    const matched = new Map<Key, readonly Matched[]>();
    for (const { key, rule } of this.#candidates(message)) {
      try {
        if (rule.matches(message)) matched.set(key, withMatch(matched.get(key), rule, message));
      } catch (error) {
        if (onError === undefined || !(error instanceof FilterEvaluationError)) throw error;
        onError(key, error, rule);
      }
    }
    return matched;
  }

  /** Each rule once that may match. */
  #candidates(message: RuleMessage): Indexed<Key>[] {
    const candidates = [...this.#always];
    const search = ++this.#search;
    const found = (indexed: Indexed<Key>) => {
      if (indexed.foundIn === search) return;
      indexed.foundIn = search;
      candidates.push(indexed);
    };
    for (const column of this.#columns.values()) column.find(message, found);
    return candidates;
  }

  #column(requirement: Requirement): Column<Indexed<Key>> {
    const id = columnId(requirement);
    let column = this.#columns.get(id);
    if (column === undefined) this.#columns.set(id, (column = new Column(requirement)));
    return column;
  }

  #forget(rule: CompiledRule): void {
    const indexed = this.#indexed.get(rule)!;
    this.#indexed.delete(rule);
    this.#always.delete(indexed);
    for (const requirement of rule.requires ?? []) {
      const column = this.#columns.get(columnId(requirement));
      column?.delete(requirement, indexed);
      if (column?.isEmpty) this.#columns.delete(columnId(requirement));
    }
  }
}

function columnId({ scope, name }: Requirement): string {
  return `${scope}.${name}`;
}

interface Indexed<Key> {
  readonly key: Key;
  readonly rule: CompiledRule;
  /** The last search that found it, so that it is found once. */
  foundIn: number;
}
