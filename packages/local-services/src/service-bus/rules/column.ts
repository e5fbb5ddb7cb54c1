import { compileLike } from './like.ts';
import { type IndexKey, indexKey, type Requirement } from './requirements.ts';
import type { RuleMessage } from './rule-message.ts';
import type { Scope } from './tree.ts';

/** What is found by the values of one property. */
export class Column<Item> {
  readonly #scope: Scope;
  readonly #name: string;
  readonly #byKey = new Map<IndexKey, Set<Item>>();
  /** Each pattern is tried once for all that ask for it. */
  readonly #byPattern = new Map<string, { readonly fits: (text: string) => boolean; readonly items: Set<Item> }>();
  readonly #byAbsence = new Set<Item>();

  constructor({ scope, name }: Requirement) {
    this.#scope = scope;
    this.#name = name;
  }

  get isEmpty(): boolean {
    return this.#byKey.size + this.#byPattern.size + this.#byAbsence.size === 0;
  }

  add({ is }: Requirement, item: Item): void {
    if (is === null) this.#byAbsence.add(item);
    else if ('key' in is) {
      const items = this.#byKey.get(is.key);
      if (items === undefined) this.#byKey.set(is.key, new Set([item]));
      else items.add(item);
    } else {
      const id = patternId(is);
      const entry = this.#byPattern.get(id);
      if (entry !== undefined) entry.items.add(item);
      else this.#byPattern.set(id, { fits: compileLike(is.pattern, is.escapedBy), items: new Set([item]) });
    }
  }

  delete({ is }: Requirement, item: Item): void {
    if (is === null) this.#byAbsence.delete(item);
    else if ('key' in is) {
      const items = this.#byKey.get(is.key);
      items?.delete(item);
      if (items?.size === 0) this.#byKey.delete(is.key);
    } else {
      const id = patternId(is);
      const entry = this.#byPattern.get(id);
      entry?.items.delete(item);
      if (entry?.items.size === 0) this.#byPattern.delete(id);
    }
  }

  /** Tells of those whose requirement the message meets; of one that has several, perhaps more than once. */
  find(message: RuleMessage, found: (item: Item) => void): void {
    const value = this.#scope === 'sys' ? message.system(this.#name) : message.user(this.#name);
    if (value === undefined || value === null) {
      this.#byAbsence.forEach(found);
      return;
    }
    const key = indexKey(value);
    if (key !== undefined) this.#byKey.get(key)?.forEach(found);
    if (typeof value !== 'string') return;
    for (const { fits, items } of this.#byPattern.values()) if (fits(value)) items.forEach(found);
  }
}

/** An escape is one character, so this is no other pattern's. */
function patternId({ pattern, escapedBy = '' }: { readonly pattern: string; readonly escapedBy?: string }): string {
  return `${escapedBy.length}${escapedBy}${pattern}`;
}
