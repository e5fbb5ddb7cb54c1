import type { Access, AccessKey } from './access.ts';
import type { Match } from './match.ts';
import { makePartition, type Partition } from './partition.ts';
import { type Place, waysOf } from './place.ts';
import { type Choice, chooseSplit, isPoor } from './split.ts';

/** A node with more places of its own looks for a way to part them. */
const MAX_LEAF = 16;
/** Where in its node the place is that stands before the list. */
const FIRST = -1;
/** A filter may stand in so many places, lest they multiply on the way down. */
const MAX_PLACES = 32;

/** Places to look at one by one, and partitions that lead to those of them that an event may pass. */
export class Node<Id> {
  // What a match looks at comes first, so that it lies together.
  /** Most nodes hold one place: a list would cost them a third of their time and room. */
  #first: Place<Id> | undefined;
  #more: Place<Id>[] | undefined;
  #partitions: readonly Partition<Id>[] | undefined;
  /** The last match that came by, where one event may lead here twice. */
  visitedBy = 0;
  readonly #parent: Partition<Id> | undefined;
  readonly #key: AccessKey | undefined;
  #splitAt = MAX_LEAF;

  constructor(parent?: Partition<Id>, key?: AccessKey) {
    this.#parent = parent;
    this.#key = key;
  }

  collect(match: Match<Id>): void {
    if (this.#first !== undefined) look(this.#first, match);
    if (this.#more !== undefined) for (const place of this.#more) look(place, match);
    if (this.#partitions !== undefined) for (const partition of this.#partitions) partition.collect(match);
  }

  /** `ways` are those of the place that nothing between the root and here uses. */
  add(place: Place<Id>, ways: readonly Access[]): void {
    if (this.#partitions !== undefined && pass(place, ways, this.#partitions)) return;
    this.#keep(place);
    const places = 1 + (this.#more?.length ?? 0);
    if (places > this.#splitAt) this.#split([this.#first!, ...this.#more!]);
  }

  #keep(place: Place<Id>): void {
    place.node = this;
    if (this.#first === undefined) {
      place.at = FIRST;
      this.#first = place;
    } else if (this.#more === undefined) {
      place.at = 0;
      this.#more = [place];
    } else {
      place.at = this.#more.length;
      this.#more.push(place);
    }
  }

  remove(place: Place<Id>): void {
    const last = this.#more?.pop() ?? this.#first!;
    if (last !== place) {
      last.at = place.at;
      if (place.at === FIRST) this.#first = last;
      else this.#more![place.at] = last;
    } else if (place.at === FIRST) this.#first = undefined;
    place.node = undefined;
    if (this.#more?.length === 0) this.#more = undefined;
    if (this.#more === undefined) this.#splitAt = MAX_LEAF;
    this.#dropIfEmpty();
  }

  dropPartition(partition: Partition<Id>): void {
    const rest = this.#partitions!.filter((one) => one !== partition);
    this.#partitions = rest.length === 0 ? undefined : rest;
    this.#dropIfEmpty();
  }

  #dropIfEmpty(): void {
    if (this.#parent === undefined || this.#first !== undefined || this.#partitions !== undefined) return;
    this.#parent.drop(this.#key!);
  }

  #split(places: readonly Place<Id>[]): void {
    const choice = chooseSplit(places.map((place) => this.#freeWays(place)));
    if (choice === undefined) {
      this.#splitAt = places.length * 2;
      return;
    }
    const partition = makePartition(choice, this);
    const only = [partition];
    const free = places.map((place) => this.#freeWays(place));
    this.#first = undefined;
    this.#more = undefined;
    const rest = places.filter((place, at) => !pass(place, free[at]!, only));
    for (const place of rest) this.#keep(place);
    this.#partitions = [...(this.#partitions ?? []), partition];
    this.#splitAt = Math.max(MAX_LEAF, rest.length * 2);
  }

  #freeWays(place: Place<Id>): Access[] {
    return waysOf(place.tests).filter((way) => !this.#isUsed(way));
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

function look<Id>(place: Place<Id>, match: Match<Id>): void {
  if (place.unproven !== 0 && !place.holds(match.event)) return;
  const { owner } = place;
  if (owner.others !== undefined) {
    if (owner.foundBy === match.stamp) return;
    owner.foundBy = match.stamp;
  }
  match.found[match.count++] = owner;
}

function isSame(one: Choice, other: Choice): boolean {
  return one.kind === other.kind && one.attribute === other.attribute;
}

/** Hands the place on to the first partition that can tell where it belongs. `ways` are those not used yet. */
function pass<Id>(place: Place<Id>, ways: readonly Access[], partitions: readonly Partition<Id>[]): boolean {
  for (const partition of partitions) {
    const way = wayFor(partition, ways);
    if (way === undefined || (isPoor(way) && !ways.every(isPoor))) continue;
    const { keys } = way;
    if (keys.length > 1 && place.placeCount + keys.length - 1 > MAX_PLACES) continue;
    if (way.proves) place.unproven &= ~(1 << way.test);
    const left = ways.length === 1 ? NO_WAYS : ways.filter((one) => !isSame(one, partition));
    for (let at = 1; at < keys.length; at++) partition.child(keys[at]!).add(place.copy(), left);
    partition.child(keys[0]!).add(place, left);
    return true;
  }
  return false;
}

const NO_WAYS: readonly Access[] = [];

function wayFor(choice: Choice, ways: readonly Access[]): Access | undefined {
  for (const way of ways) if (isSame(way, choice)) return way;
  return undefined;
}
