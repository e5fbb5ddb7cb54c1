import type { CompiledRule } from './compiled-rule.ts';
import { type Matched, withMatch } from './matched.ts';
import { type IndexKey, indexKey, type RequiredValue } from './required-values.ts';
import { FilterEvaluationError } from './rule-error.ts';
import type { RuleMessage } from './rule-message.ts';
import { RuleSet } from './rule-set.ts';
import type { Scope } from './tree.ts';

/**
 * The rules of all subscriptions of a topic. Those that ask a property to be equal to something are found by the message's
 * value of that property; the others are evaluated for each message. Says the same as a `RuleSet` for each subscription.
 *
 * `Key` is whatever the subscription is known by; keys are told apart as a Map does.
 */
export class TopicIndex<Key> {
  readonly #sets = new Map<Key, RuleSet>();
  readonly #indexed = new Map<CompiledRule, Indexed<Key>>();
  /** Rules that every message is asked of. */
  readonly #always = new Set<Indexed<Key>>();
  /** By scope and name. */
  readonly #columns = new Map<string, Column<Key>>();
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
    else for (const required of own.requires) this.#column(required).add(required.key, indexed);
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
    for (const column of this.#columns.values()) {
      for (const indexed of column.find(message)) {
        if (indexed.foundIn === search) continue;
        indexed.foundIn = search;
        candidates.push(indexed);
      }
    }
    return candidates;
  }

  #column(required: RequiredValue): Column<Key> {
    const id = columnId(required);
    let column = this.#columns.get(id);
    if (column === undefined) this.#columns.set(id, (column = new Column(required)));
    return column;
  }

  #forget(rule: CompiledRule): void {
    const indexed = this.#indexed.get(rule)!;
    this.#indexed.delete(rule);
    this.#always.delete(indexed);
    for (const required of rule.requires ?? []) {
      const column = this.#columns.get(columnId(required));
      column?.delete(required.key, indexed);
      if (column?.isEmpty) this.#columns.delete(columnId(required));
    }
  }
}

function columnId({ scope, name }: RequiredValue): string {
  return `${scope}.${name}`;
}

interface Indexed<Key> {
  readonly key: Key;
  readonly rule: CompiledRule;
  /** The last search that found it, so that it is found once. */
  foundIn: number;
}

/** The rules that ask for values of one property. */
class Column<Key> {
  readonly #scope: Scope;
  readonly #name: string;
  readonly #rules = new Map<IndexKey, Set<Indexed<Key>>>();

  constructor({ scope, name }: RequiredValue) {
    this.#scope = scope;
    this.#name = name;
  }

  get isEmpty(): boolean {
    return this.#rules.size === 0;
  }

  add(key: IndexKey, indexed: Indexed<Key>): void {
    const rules = this.#rules.get(key);
    if (rules === undefined) this.#rules.set(key, new Set([indexed]));
    else rules.add(indexed);
  }

  delete(key: IndexKey, indexed: Indexed<Key>): void {
    const rules = this.#rules.get(key);
    rules?.delete(indexed);
    if (rules?.size === 0) this.#rules.delete(key);
  }

  find(message: RuleMessage): Iterable<Indexed<Key>> {
    const value = this.#scope === 'sys' ? message.system(this.#name) : message.user(this.#name);
    const key = indexKey(value);
    return key === undefined ? [] : (this.#rules.get(key) ?? []);
  }
}
