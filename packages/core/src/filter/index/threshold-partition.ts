import { integerIn } from '../raw-value.ts';
import type { Match } from './match.ts';
import { Node } from './node.ts';
import type { Partition } from './partition.ts';
import { type RawReader, rawReader } from './raw-reader.ts';
import { SortedList, walk } from './sorted-list.ts';

/** One-sided ranges of integers: sorted, so that an event meets those that it is beyond, and one more. */
export class ThresholdPartition<Id> implements Partition<Id, number> {
  readonly kind: 'at-least' | 'at-most';
  readonly attribute: string;
  readonly owner: Node<Id>;
  readonly #read: RawReader;
  /** Upper bounds are kept with the opposite sign, so that both kinds are walked alike. */
  readonly #thresholds = new SortedList<Node<Id>>();

  constructor(kind: 'at-least' | 'at-most', attribute: string, owner: Node<Id>) {
    this.kind = kind;
    this.attribute = attribute;
    this.owner = owner;
    this.#read = rawReader(attribute);
  }

  collect(match: Match<Id>): void {
    const integer = integerIn(this.#read(match.event));
    if (integer === undefined) return;
    walk(this.#thresholds, this.#signed(integer), match);
  }

  child(key: number): Node<Id> {
    const signed = this.#signed(key);
    let child = this.#thresholds.find(signed, 0);
    if (child === undefined) this.#thresholds.add(signed, 0, (child = new Node<Id>(this, key)));
    return child;
  }

  drop(key: number): void {
    this.#thresholds.remove(this.#signed(key), 0);
    if (this.#thresholds.isEmpty) this.owner.dropPartition(this);
  }

  #signed(threshold: number): number {
    return this.kind === 'at-least' ? threshold : -threshold;
  }
}
