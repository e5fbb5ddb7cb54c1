import type { Match } from './match.ts';
import type { Node } from './node.ts';

/** Short enough that putting an item in between moves little. */
const MAX_BLOCK = 128;

/** Keys lie side by side, so that walking along them costs no look at the items that are not wanted. */
export interface Block<Item> {
  readonly keys: number[];
  /** The order of items with the same key. */
  readonly ties: number[];
  readonly items: Item[];
}

/** Items in the order of two numbers, in blocks: adding and removing one takes microseconds, however many there are. */
export class SortedList<Item> {
  /** To be walked, not changed. None is empty. */
  readonly blocks: Block<Item>[] = [];

  get isEmpty(): boolean {
    return this.blocks.length === 0;
  }

  find(key: number, tie: number): Item | undefined {
    if (this.isEmpty) return undefined;
    const block = this.blocks[this.#blockFor(key, tie)]!;
    const at = placeIn(block, key, tie);
    return block.keys[at] === key && block.ties[at] === tie ? block.items[at] : undefined;
  }

  /** There must be no item with these numbers yet. */
  add(key: number, tie: number, item: Item): void {
    if (this.isEmpty) {
      this.blocks.push({ keys: [key], ties: [tie], items: [item] });
      return;
    }
    const index = this.#blockFor(key, tie);
    const block = this.blocks[index]!;
    const { keys, ties, items } = block;
    const at = placeIn(block, key, tie);
    keys.splice(at, 0, key);
    ties.splice(at, 0, tie);
    items.splice(at, 0, item);
    if (keys.length <= MAX_BLOCK) return;
    const half = MAX_BLOCK / 2;
    this.blocks.splice(index + 1, 0, { keys: keys.splice(half), ties: ties.splice(half), items: items.splice(half) });
  }

  /** It must be there. */
  remove(key: number, tie: number): void {
    const index = this.#blockFor(key, tie);
    const block = this.blocks[index]!;
    const at = placeIn(block, key, tie);
    block.keys.splice(at, 1);
    block.ties.splice(at, 1);
    block.items.splice(at, 1);
    if (block.keys.length === 0) this.blocks.splice(index, 1);
  }

  /** The last block that begins at or before these numbers. */
  #blockFor(key: number, tie: number): number {
    let low = 0;
    let high = this.blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const { keys, ties } = this.blocks[middle]!;
      if (keys[0]! < key || (keys[0] === key && ties[0]! <= tie)) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Of the first item that is not before these numbers. */
function placeIn<Item>({ keys, ties }: Block<Item>, key: number, tie: number): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key || (keys[middle] === key && ties[middle]! < tie)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Visits the nodes whose key is at most `limit`. */
export function walk<Id>({ blocks }: SortedList<Node<Id>>, limit: number, match: Match<Id>): void {
  for (const { keys, items } of blocks) {
    for (let at = 0; at < keys.length; at++) {
      if (keys[at]! > limit) return;
      items[at]!.collect(match);
    }
  }
}
