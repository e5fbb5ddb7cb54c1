import { textIn } from '../raw-value.ts';
import type { Match } from './match.ts';
import { Node } from './node.ts';
import type { Partition } from './partition.ts';
import { type RawReader, rawReader } from './raw-reader.ts';

/** By the beginning or the end of a text: a look-up for each length in use. */
export class AffixPartition<Id> implements Partition<Id, string> {
  readonly kind: 'prefix' | 'suffix';
  readonly attribute: string;
  readonly owner: Node<Id>;
  readonly #read: RawReader;
  readonly #children = new Map<string, Node<Id>>();
  /** The lengths in use, shortest first, and by how many children. */
  #lengths: { readonly length: number; count: number }[] = [];

  constructor(kind: 'prefix' | 'suffix', attribute: string, owner: Node<Id>) {
    this.kind = kind;
    this.attribute = attribute;
    this.owner = owner;
    this.#read = rawReader(attribute);
  }

  collect(match: Match<Id>): void {
    const text = textIn(this.#read(match.event));
    if (text === undefined) return;
    const isPrefix = this.kind === 'prefix';
    for (const { length } of this.#lengths) {
      if (length > text.length) return;
      this.#children.get(isPrefix ? text.slice(0, length) : text.slice(-length))?.collect(match);
    }
  }

  child(key: string): Node<Id> {
    let child = this.#children.get(key);
    if (child !== undefined) return child;
    this.#children.set(key, (child = new Node<Id>(this, key)));
    const found = this.#lengths.find(({ length }) => length === key.length);
    if (found !== undefined) found.count += 1;
    else this.#lengths = [...this.#lengths, { length: key.length, count: 1 }].sort((a, b) => a.length - b.length);
    return child;
  }

  drop(key: string): void {
    this.#children.delete(key);
    const found = this.#lengths.find(({ length }) => length === key.length)!;
    found.count -= 1;
    if (found.count === 0) this.#lengths = this.#lengths.filter((one) => one !== found);
    if (this.#children.size === 0) this.owner.dropPartition(this);
  }
}
