import type { Match } from './match.ts';
import { makePartition, type Partition } from './partition.ts';
import type { Place } from './place.ts';
import { type Choice, chooseSplit } from './split.ts';

/** A node with so many places of its own looks for a way to part them. */
const MAX_LEAF = 16;
/** A filter may stand in so many places, lest its places multiply on the way down. */
const MAX_PLACES = 32;

/** Places to look at one by one, and partitions that lead to those of them that an event may pass. */
export class Node<Id> {
  readonly #parent: Partition<Id> | undefined;
  readonly #key: string | number;
  readonly #places: Place<Id>[] = [];
  #partitions: Partition<Id>[] | undefined;
  #splitAt = MAX_LEAF;
  /** The last match that came by, where one event may lead here twice. */
  visitedBy = 0;

  constructor(parent?: Partition<Id>, key: string | number = '') {
    this.#parent = parent;
    this.#key = key;
  }

  collect(match: Match<Id>): void {
    for (const place of this.#places) {
      if (place.unproven !== 0 && !place.holds(match.event)) continue;
      const { owner } = place;
      if (owner.others !== undefined) {
        if (owner.foundBy === match.stamp) continue;
        owner.foundBy = match.stamp;
      }
      match.found[match.count++] = owner;
    }
    if (this.#partitions === undefined) return;
    for (const partition of this.#partitions) partition.collect(match);
  }

  add(place: Place<Id>): void {
    if (this.#partitions !== undefined && this.#pass(place, this.#partitions)) return;
    place.node = this;
    place.at = this.#places.length;
    this.#places.push(place);
    if (this.#places.length > this.#splitAt) this.#split();
  }

  remove(place: Place<Id>): void {
    const last = this.#places.pop()!;
    if (last !== place) {
      this.#places[place.at] = last;
      last.at = place.at;
    }
    place.node = undefined;
    if (this.#places.length < MAX_LEAF) this.#splitAt = MAX_LEAF;
    this.#dropIfEmpty();
  }

  dropPartition(partition: Partition<Id>): void {
    const rest = this.#partitions!.filter((one) => one !== partition);
    this.#partitions = rest.length === 0 ? undefined : rest;
    this.#dropIfEmpty();
  }

  get isEmpty(): boolean {
    return this.#places.length === 0 && this.#partitions === undefined;
  }

  /** Is this way of telling places apart already used between the root and here? */
  isUsed({ kind, attribute }: Choice): boolean {
    for (let node: Node<Id> | undefined = this; node !== undefined; node = node.#parent?.owner) {
      const above = node.#parent;
      if (above !== undefined && above.kind === kind && above.attribute === attribute) return true;
      if (node === this && node.#partitions?.some((one) => one.kind === kind && one.attribute === attribute)) {
        return true;
      }
    }
    return false;
  }

  #dropIfEmpty(): void {
    if (this.#parent !== undefined && this.isEmpty) this.#parent.drop(this.#key);
  }

  /** Hands the place on to the first partition that can tell where it belongs. */
  #pass(place: Place<Id>, partitions: readonly Partition<Id>[]): boolean {
    for (const partition of partitions) {
      for (let index = 0; index < place.tests.length; index++) {
        const access = place.tests[index]!.accesses().find(
          ({ kind, attribute }) => kind === partition.kind && attribute === partition.attribute,
        );
        if (access === undefined) continue;
        if (place.placeCount + access.keys.length - 1 > MAX_PLACES) continue;
        if (access.proves) place.unproven &= ~(1 << index);
        const others = access.keys.slice(1).map((key) => [key, place.copy()] as const);
        partition.child(access.keys[0]!).add(place);
        for (const [key, copy] of others) partition.child(key).add(copy);
        return true;
      }
    }
    return false;
  }

  #split(): void {
    const choice = chooseSplit(this.#places, (one) => this.isUsed(one));
    if (choice === undefined) {
      this.#splitAt = this.#places.length * 2;
      return;
    }
    const partition = makePartition(choice, this);
    this.#partitions = [...(this.#partitions ?? []), partition];
    const places = this.#places.splice(0);
    for (const place of places) {
      if (this.#pass(place, [partition])) continue;
      place.at = this.#places.length;
      this.#places.push(place);
    }
    this.#splitAt = Math.max(MAX_LEAF, this.#places.length * 2);
  }
}
