import type { Copy } from './copy.ts';

/** Slots in a chunk: a message that stays behind alone keeps this many. */
const CHUNK = 128;

interface Chunk {
  readonly index: number;
  readonly slots: (Copy | undefined)[];
  used: number;
}

/**
 * The messages of one queue by sequence number. Numbers count up from 1 without gaps, so a message is found by
 * arithmetic; chunks whose messages are all gone are dropped.
 */
export class MessageLog {
  readonly #chunks: Chunk[] = [];
  #last = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The number of the next message. */
  get next(): number {
    return this.#last + 1;
  }

  /** @param copy one whose sequence number is `next` */
  append(copy: Copy): void {
    const number = ++this.#last;
    const index = Math.floor(number / CHUNK);
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.index !== index) this.#chunks.push((chunk = { index, slots: [], used: 0 }));
    // Slots before the first of a late chunk are filled, so that the array stays packed.
    const slot = number % CHUNK;
    while (chunk.slots.length < slot) chunk.slots.push(undefined);
    chunk.slots.push(copy);
    chunk.used++;
    this.#size++;
  }

  /** Uses up a number for a message that is not kept here. */
  skip(): number {
    return ++this.#last;
  }

  get(number: number): Copy | undefined {
    const at = this.#find(Math.floor(number / CHUNK));
    const chunk = this.#chunks[at];
    return chunk?.index === Math.floor(number / CHUNK) ? chunk.slots[number % CHUNK] : undefined;
  }

  remove(number: number): void {
    const at = this.#find(Math.floor(number / CHUNK));
    const chunk = this.#chunks[at]!;
    chunk.slots[number % CHUNK] = undefined;
    this.#size--;
    if (--chunk.used > 0) return;
    if (at === 0) this.#chunks.shift();
    else this.#chunks.splice(at, 1);
  }

  /** In order of sequence number. What is appended meanwhile comes too; what is removed meanwhile does not. */
  *from(first: number): Generator<Copy, void, undefined> {
    let number = Math.max(1, Math.ceil(first));
    while (number <= this.#last) {
      const chunk = this.#chunks[this.#find(Math.floor(number / CHUNK))];
      if (chunk === undefined) return;
      number = Math.max(number, chunk.index * CHUNK);
      const copy = chunk.slots[number++ % CHUNK];
      if (copy !== undefined) yield copy;
    }
  }

  /** Place of the chunk of that index, or of the first after it. */
  #find(index: number): number {
    const chunks = this.#chunks;
    if (chunks.length === 0) return 0;
    // Without gaps it is where arithmetic says.
    const guess = index - chunks[0]!.index;
    if (guess <= 0) return 0;
    if (chunks[guess]?.index === index) return guess;
    let [low, high] = [0, chunks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (chunks[middle]!.index < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
