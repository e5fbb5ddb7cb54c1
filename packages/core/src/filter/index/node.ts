import type { AccessKey } from './access.ts';
import type { Match } from './match.ts';
import { makePartition, type Partition } from './partition.ts';
import { type Place, type Way, waysOf } from './place.ts';
import { type Choice, chooseSplit } from './split.ts';

/** A node with more places of its own looks for a way to part them. */
const MAX_LEAF = 16;
/** A filter may stand in so many places, lest they multiply on the way down. */
const MAX_PLACES = 32;

/** Places to look at one by one, and partitions that lead to those of them that an event may pass. */
export class Node<Id> {
  readonly #parent: Partition<Id> | undefined;
  readonly #key: AccessKey | undefined;
  /** Most nodes hold one place, and an empty list that grows has room for seventeen. */
  #places: Place<Id>[] | undefined;
  #partitions: readonly Partition<Id>[] | undefined;
  #splitAt = MAX_LEAF;
  /** The last match that came by, where one event may lead here twice. */
  visitedBy = 0;

  constructor(parent?: Partition<Id>, key?: AccessKey) {
    this.#parent = parent;
    this.#key = key;
  }

  collect(match: Match<Id>): void {
    if (this.#places !== undefined) {
      for (const place of this.#places) {
        if (place.unproven !== 0 && !place.holds(match.event)) continue;
        const { owner } = place;
        if (owner.others !== undefined) {
          if (owner.foundBy === match.stamp) continue;
          owner.foundBy = match.stamp;
        }
        match.found[match.count++] = owner;
      }
    }
    if (this.#partitions === undefined) return;
    for (const partition of this.#partitions) partition.collect(match);
  }

  /** `ways` are those of the place. */
  add(place: Place<Id>, ways: readonly Way[]): void {
    if (this.#partitions !== undefined && pass(place, ways, this.#partitions)) return;
    place.node = this;
    if (this.#places === undefined) {
      place.at = 0;
      this.#places = [place];
      return;
    }
    place.at = this.#places.length;
    this.#places.push(place);
    if (this.#places.length > this.#splitAt) this.#split(this.#places);
  }

  remove(place: Place<Id>): void {
    const places = this.#places!;
    const last = places.pop()!;
    if (last !== place) {
      places[place.at] = last;
      last.at = place.at;
    }
    place.node = undefined;
    if (places.length < MAX_LEAF) this.#splitAt = MAX_LEAF;
    if (places.length > 0) return;
    this.#places = undefined;
    this.#dropIfEmpty();
  }

  dropPartition(partition: Partition<Id>): void {
    const rest = this.#partitions!.filter((one) => one !== partition);
    this.#partitions = rest.length === 0 ? undefined : rest;
    this.#dropIfEmpty();
  }

  #dropIfEmpty(): void {
    if (this.#parent === undefined || this.#places !== undefined || this.#partitions !== undefined) return;
    this.#parent.drop(this.#key!);
  }

  #split(places: readonly Place<Id>[]): void {
    const choice = chooseSplit(places, (one) => this.#isUsed(one));
    if (choice === undefined) {
      this.#splitAt = places.length * 2;
      return;
    }
    const partition = makePartition(choice, this);
    const only = [partition];
    const rest = places.filter((place) => !pass(place, waysOf(place), only));
    for (const [at, place] of rest.entries()) place.at = at;
    this.#places = rest.length === 0 ? undefined : rest;
    this.#partitions = [...(this.#partitions ?? []), partition];
    this.#splitAt = Math.max(MAX_LEAF, rest.length * 2);
  }

  /** Are places told apart so already between the root and here? */
  #isUsed(choice: Choice): boolean {
    if (this.#partitions?.some((one) => isSame(one, choice))) return true;
    for (let above = this.#parent; above !== undefined; above = above.owner.#parent) {
      if (isSame(above, choice)) return true;
    }
    return false;
  }
}

function isSame(one: Choice, other: Choice): boolean {
  return one.kind === other.kind && one.attribute === other.attribute;
}

/** Hands the place on to the first partition that can tell where it belongs. */
function pass<Id>(place: Place<Id>, ways: readonly Way[], partitions: readonly Partition<Id>[]): boolean {
  for (const partition of partitions) {
    for (const way of ways) {
      if (!isSame(way, partition) || place.placeCount + way.keys.length - 1 > MAX_PLACES) continue;
      if (way.proves) place.unproven &= ~(1 << way.test);
      const [first, ...rest] = way.keys;
      const copies = rest.map(() => place.copy());
      partition.child(first!).add(place, ways);
      for (const [at, copy] of copies.entries()) partition.child(rest[at]!).add(copy, ways);
      return true;
    }
  }
  return false;
}
