/** Short enough that putting an item in between moves little. */
const MAX_BLOCK = 128;

/** Items in order, in blocks: adding and removing one takes microseconds, however many there are. */
export class SortedList<Item> {
  readonly #compare: (a: Item, b: Item) => number;
  /** To be walked, not changed. None is empty. */
  readonly blocks: Item[][] = [];

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare;
  }

  get isEmpty(): boolean {
    return this.blocks.length === 0;
  }

  /** The item that compares as equal, if there is one. */
  find(like: Item): Item | undefined {
    if (this.isEmpty) return undefined;
    const block = this.blocks[this.#blockFor(like)]!;
    const found = block[this.#placeIn(block, like)];
    return found !== undefined && this.#compare(found, like) === 0 ? found : undefined;
  }

  /** No item may compare as equal to one that is there. */
  add(item: Item): void {
    if (this.isEmpty) {
      this.blocks.push([item]);
      return;
    }
    const index = this.#blockFor(item);
    const block = this.blocks[index]!;
    block.splice(this.#placeIn(block, item), 0, item);
    if (block.length > MAX_BLOCK) this.blocks.splice(index + 1, 0, block.splice(MAX_BLOCK / 2));
  }

  /** It must be there. */
  remove(item: Item): void {
    const index = this.#blockFor(item);
    const block = this.blocks[index]!;
    block.splice(this.#placeIn(block, item), 1);
    if (block.length === 0) this.blocks.splice(index, 1);
  }

  /** The last block that begins with the item or before it. */
  #blockFor(item: Item): number {
    let low = 0;
    let high = this.blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#compare(this.blocks[middle]![0]!, item) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Of the first item that is not before this one. */
  #placeIn(block: readonly Item[], item: Item): number {
    let low = 0;
    let high = block.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(block[middle]!, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
