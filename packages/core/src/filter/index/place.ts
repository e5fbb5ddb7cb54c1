import type { FilterEvent } from '../attribute-value.ts';
import type { Access } from './access.ts';
import type { IndexedTest } from './indexed-test.ts';
import type { Node } from './node.ts';

/** More tests than a bit mask of a small integer has room for are folded into one. */
export const MAX_TESTS = 30;

/**
 * Where a filter stands in the index: one conjunction of tests in one node. A filter has several places when it accepts
 * several values of one attribute, or is an OR; the first of them speaks for all.
 */
export class Place<Id> {
  readonly id: Id;
  readonly tests: readonly IndexedTest[];
  /** A bit for each test that the way to this place does not prove. */
  unproven: number;
  /** The first place of the filter. */
  readonly owner: Place<Id>;
  /** Of the owner: all others. */
  others: Place<Id>[] | undefined;
  /** Of the owner: the last match that found it, where several places may be found by one event. */
  foundBy: number;
  /** Undefined once it is removed, and for a filter that no event passes. */
  node: Node<Id> | undefined;
  /** Where in the node. */
  at: number;

  constructor(id: Id, tests: readonly IndexedTest[], unproven: number, owner: Place<Id> | undefined) {
    this.id = id;
    this.tests = tests;
    this.unproven = unproven;
    this.owner = owner ?? this;
    this.others = undefined;
    this.foundBy = 0;
    this.node = undefined;
    this.at = 0;
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

  /** Does the event pass what the way here has not proven? */
  holds(event: FilterEvent): boolean {
    for (let left = this.unproven; left !== 0; left &= left - 1) {
      if (!this.tests[31 - Math.clz32(left & -left)]!.holds(event)) return false;
    }
    return true;
  }
}

/** One way to find a place: by that test of it. */
export interface Way extends Access {
  readonly test: number;
}

export function waysOf({ tests }: Pick<Place<unknown>, 'tests'>): Way[] {
  const ways: Way[] = [];
  for (let test = 0; test < tests.length; test++) {
    for (const { kind, attribute, keys, proves, interval } of tests[test]!.accesses()) {
      ways.push({ kind, attribute, keys, proves, interval, test });
    }
  }
  return ways;
}
