import type { FilterEvent } from '../attribute-value.ts';
import { type CompiledFilter, compileFilter } from '../filter.ts';
import type { FilterInput } from '../parse.ts';
import { readableCopy } from '../raw-value.ts';
import { branchesOf } from './branches.ts';
import { type IndexedTest, TestPool } from './indexed-test.ts';
import { Match } from './match.ts';
import { Node } from './node.ts';
import { Place, waysOf } from './place.ts';

/**
 * Many filters, one event: which of them does it pass? The time that takes grows with what passes, not with how many
 * filters there are, as long as the filters test for values, ranges or parts of texts; whatever else they say is looked at
 * once those have left few of them.
 *
 * An id is told apart as by `Map`. The order in which ids are found is not promised.
 */
export class FilterIndex<Id = unknown> {
  readonly #places = new Map<Id, Place<Id>>();
  readonly #pool = new TestPool();
  #root = new Node<Id>();
  #stamp = 0;
  /** Taken while in use, so that a visitor may match another event. */
  #spare: Match<Id> | undefined;

  /** How many filters it holds. */
  get size(): number {
    return this.#places.size;
  }

  /** The ids of all filters it holds. */
  ids(): IterableIterator<Id> {
    return this.#places.keys();
  }

  has(id: Id): boolean {
    return this.#places.has(id);
  }

  /**
   * Takes the place of the filter that had this id.
   * @throws PolycastError `invalid-filter`; the filter that had this id stays then.
   */
  add(id: Id, filter: FilterInput | CompiledFilter): void {
    const { condition } = compileFilter(filter);
    const [first, ...others] = branchesOf(condition, this.#pool);
    this.remove(id);
    const owner = new Place(id, first ?? NO_TESTS, allOf(first ?? NO_TESTS), undefined);
    this.#places.set(id, owner);
    // No event passes.
    if (first === undefined) return;
    const copies = others.map((tests) => new Place(id, tests, allOf(tests), owner));
    // Another list: it grows while these find their places.
    if (copies.length > 0) owner.others = [...copies];
    this.#root.add(owner, waysOf(first));
    for (const copy of copies) this.#root.add(copy, waysOf(copy.tests));
  }

  /** False: there was none. */
  remove(id: Id): boolean {
    const owner = this.#places.get(id);
    if (owner === undefined) return false;
    this.#places.delete(id);
    owner.node?.remove(owner);
    if (owner.others !== undefined) for (const other of owner.others) other.node?.remove(other);
    if (this.#places.size === 0) this.#pool.clear();
    return true;
  }

  clear(): void {
    for (const owner of this.#places.values()) owner.node = undefined;
    this.#places.clear();
    this.#pool.clear();
    this.#root = new Node<Id>();
  }

  /** The ids of all filters that the event passes. */
  match(event: FilterEvent): Id[] {
    const ids: Id[] = [];
    this.forEachMatch(event, (id) => ids.push(id));
    return ids;
  }

  /**
   * Calls `visit` with the id of each filter that the event passes. Nothing is allocated for it. `visit` may add and remove
   * filters: what is removed before its turn is not visited, what is added is not part of this match.
   */
  forEachMatch(event: FilterEvent, visit: (id: Id) => void): void {
    const match = this.#spare ?? new Match<Id>();
    this.#spare = undefined;
    match.begin(event, (this.#stamp += 1));
    try {
      this.#collect(match);
      const { found, count } = match;
      for (let at = 0; at < count; at++) {
        const place = found[at]!;
        if (place.node !== undefined) visit(place.id);
      }
    } finally {
      match.end();
      this.#spare = match;
    }
  }

  #collect(match: Match<Id>): void {
    try {
      this.#root.collect(match);
    } catch {
      // The event has getters that throw: those attributes are absent.
      match.begin(readableCopy(match.event), (this.#stamp += 1));
      this.#root.collect(match);
    }
  }
}

const NO_TESTS: readonly IndexedTest[] = [];

/** A bit for each test. */
function allOf(tests: readonly IndexedTest[]): number {
  return 2 ** tests.length - 1;
}
