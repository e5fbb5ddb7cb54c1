import { integerIn } from '../raw-value.ts';
import type { Match } from './match.ts';
import { Node } from './node.ts';
import type { Partition } from './partition.ts';
import { type RawReader, rawReader } from './raw-reader.ts';

/** Thresholds, in order. Short enough that putting one in between moves little. */
interface Block<Id> {
  readonly keys: number[];
  readonly children: Node<Id>[];
}

const MAX_BLOCK = 128;

/** One-sided ranges of integers: sorted, so that an event looks at those that it is beyond, and at one more. */
export class ThresholdPartition<Id> implements Partition<Id> {
  readonly kind: 'at-least' | 'at-most';
  readonly attribute: string;
  readonly owner: Node<Id>;
  readonly #read: RawReader;
  /** Upper bounds are kept with the opposite sign, so that both kinds are sorted and walked alike. */
  readonly #sign: 1 | -1;
  #blocks: Block<Id>[] = [];

  constructor(kind: 'at-least' | 'at-most', attribute: string, owner: Node<Id>) {
    this.kind = kind;
    this.attribute = attribute;
    this.owner = owner;
    this.#read = rawReader(attribute);
    this.#sign = kind === 'at-least' ? 1 : -1;
  }

  collect(match: Match<Id>): void {
    const integer = integerIn(this.#read(match.event));
    if (integer === undefined) return;
    const limit = integer * this.#sign;
    for (const { keys, children } of this.#blocks) {
      for (let at = 0; at < keys.length; at++) {
        if (keys[at]! > limit) return;
        children[at]!.collect(match);
      }
    }
  }

  child(key: number): Node<Id> {
    const sorted = key * this.#sign;
    if (this.#blocks.length === 0) this.#blocks.push({ keys: [], children: [] });
    const index = this.#blockFor(sorted);
    const { keys, children } = this.#blocks[index]!;
    const at = firstAtLeast(keys, sorted);
    if (keys[at] === sorted) return children[at]!;
    const child = new Node<Id>(this, key);
    keys.splice(at, 0, sorted);
    children.splice(at, 0, child);
    if (keys.length > MAX_BLOCK) {
      const half = MAX_BLOCK / 2;
      this.#blocks.splice(index + 1, 0, { keys: keys.splice(half), children: children.splice(half) });
    }
    return child;
  }

  drop(key: number): void {
    const sorted = key * this.#sign;
    const index = this.#blockFor(sorted);
    const { keys, children } = this.#blocks[index]!;
    const at = firstAtLeast(keys, sorted);
    keys.splice(at, 1);
    children.splice(at, 1);
    if (keys.length > 0) return;
    this.#blocks.splice(index, 1);
    if (this.#blocks.length === 0) this.owner.dropPartition(this);
  }

  /** The last block that begins at or before the threshold. */
  #blockFor(threshold: number): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#blocks[middle]!.keys[0]! <= threshold) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function firstAtLeast(keys: readonly number[], threshold: number): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}
