import type { FilterEvent } from '../attribute-value.ts';
import type { Access } from './access.ts';
import type { IndexedTest } from './indexed-test.ts';
import type { Node } from './node.ts';

/** More tests than a bit mask of a small integer has room for are folded into one. */
export const MAX_TESTS = 30;
const NO_TESTS: readonly IndexedTest[] = [];
/** Tests that a place holds without a list. */
const INLINE = 4;

/**
 * Where a filter stands in the index: one conjunction of tests in one node. A filter has several places when it accepts
 * several values of one attribute, or is an OR; the first of them speaks for all.
 */
export class Place<Id> {
  // What a match looks at comes first, so that it lies together.
  /** A bit for each test that the way to this place does not prove. */
  unproven: number;
  /** The first place of the filter. */
  readonly owner: Place<Id>;
  /** Of the owner: all others. */
  others: Place<Id>[] | undefined;
  readonly #test0: IndexedTest | undefined;
  readonly #test1: IndexedTest | undefined;
  readonly #test2: IndexedTest | undefined;
  readonly #test3: IndexedTest | undefined;
  readonly id: Id;
  /** Undefined once it is removed, and for a filter that no event passes. */
  node: Node<Id> | undefined;
  /** Where in the node. */
  at: number;
  /** Of the owner: the last match that found it, where several places may be found by one event. */
  foundBy: number;
  readonly #moreTests: readonly IndexedTest[];

  constructor(id: Id, tests: readonly IndexedTest[], unproven: number, owner: Place<Id> | undefined) {
    // Tests not as one list: with many filters, each step from object to object waits for the memory.
    this.unproven = unproven;
    this.owner = owner ?? this;
    this.others = undefined;
    this.#test0 = tests[0];
    this.#test1 = tests[1];
    this.#test2 = tests[2];
    this.#test3 = tests[3];
    this.id = id;
    this.node = undefined;
    this.at = 0;
    this.foundBy = 0;
    this.#moreTests = tests.length > INLINE ? tests.slice(INLINE) : NO_TESTS;
  }

  get placeCount(): number {
    return 1 + (this.owner.others?.length ?? 0);
  }

  /** The same conjunction for another key. */
  copy(): Place<Id> {
    const copy = new Place(this.id, this.tests, this.unproven, this.owner);
    this.owner.others ??= [];
    this.owner.others.push(copy);
    return copy;
  }

  get tests(): readonly IndexedTest[] {
    const tests: IndexedTest[] = [];
    if (this.#test0 !== undefined) tests.push(this.#test0);
    if (this.#test1 !== undefined) tests.push(this.#test1);
    if (this.#test2 !== undefined) tests.push(this.#test2);
    if (this.#test3 !== undefined) tests.push(this.#test3);
    for (const test of this.#moreTests) tests.push(test);
    return tests;
  }

  /** Does the event pass what the way here has not proven? */
  holds(event: FilterEvent): boolean {
    const { unproven } = this;
    if ((unproven & 1) !== 0 && !this.#test0!.holds(event)) return false;
    if ((unproven & 2) !== 0 && !this.#test1!.holds(event)) return false;
    if ((unproven & 4) !== 0 && !this.#test2!.holds(event)) return false;
    if ((unproven & 8) !== 0 && !this.#test3!.holds(event)) return false;
    for (let left = unproven >> INLINE, at = 0; left !== 0; left >>= 1, at++) {
      if ((left & 1) !== 0 && !this.#moreTests[at]!.holds(event)) return false;
    }
    return true;
  }
}

/** All ways to find a place with these tests. */
export function waysOf(tests: readonly IndexedTest[]): Access[] {
  const ways: Access[] = [];
  for (let test = 0; test < tests.length; test++) {
    for (const way of tests[test]!.accesses()) {
      // Written into it, as it was made for us: a copy of each would take longer than all the rest of adding a filter.
      way.test = test;
      ways.push(way);
    }
  }
  return ways;
}
