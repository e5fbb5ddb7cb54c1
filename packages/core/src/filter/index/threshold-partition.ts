import { integerIn } from '../raw-value.ts';
import type { Match } from './match.ts';
import { Node } from './node.ts';
import type { Partition } from './partition.ts';
import { type RawReader, rawReader } from './raw-reader.ts';
import { SortedList } from './sorted-list.ts';

interface Threshold<Id> {
  /** Upper bounds are kept with the opposite sign, so that both kinds are sorted and walked alike. */
  readonly signed: number;
  child: Node<Id> | undefined;
}

/** One-sided ranges of integers: sorted, so that an event meets those that it is beyond, and one more. */
export class ThresholdPartition<Id> implements Partition<Id, number> {
  readonly kind: 'at-least' | 'at-most';
  readonly attribute: string;
  readonly owner: Node<Id>;
  readonly #read: RawReader;
  readonly #thresholds = new SortedList<Threshold<Id>>((a, b) => a.signed - b.signed);

  constructor(kind: 'at-least' | 'at-most', attribute: string, owner: Node<Id>) {
    this.kind = kind;
    this.attribute = attribute;
    this.owner = owner;
    this.#read = rawReader(attribute);
  }

  collect(match: Match<Id>): void {
    const integer = integerIn(this.#read(match.event));
    if (integer === undefined) return;
    const limit = this.#signed(integer);
    for (const block of this.#thresholds.blocks) {
      for (const { signed, child } of block) {
        if (signed > limit) return;
        child!.collect(match);
      }
    }
  }

  child(key: number): Node<Id> {
    const threshold: Threshold<Id> = { signed: this.#signed(key), child: undefined };
    const found = this.#thresholds.find(threshold);
    if (found !== undefined) return found.child!;
    this.#thresholds.add(threshold);
    threshold.child = new Node<Id>(this, key);
    return threshold.child;
  }

  drop(key: number): void {
    this.#thresholds.remove({ signed: this.#signed(key), child: undefined });
    if (this.#thresholds.isEmpty) this.owner.dropPartition(this);
  }

  #signed(threshold: number): number {
    return this.kind === 'at-least' ? threshold : -threshold;
  }
}
