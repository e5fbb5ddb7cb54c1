import { textIn } from '../raw-value.ts';
import type { Match } from './match.ts';
import { Node } from './node.ts';
import type { Partition } from './partition.ts';
import { type RawReader, rawReader } from './raw-reader.ts';

/** By the whole text: what an event finds is proven. */
export class TextPartition<Id> implements Partition<Id, string> {
  readonly kind = 'text';
  readonly attribute: string;
  readonly owner: Node<Id>;
  readonly #read: RawReader;
  readonly #children = new Map<string, Node<Id>>();

  constructor(attribute: string, owner: Node<Id>) {
    this.attribute = attribute;
    this.owner = owner;
    this.#read = rawReader(attribute);
  }

  collect(match: Match<Id>): void {
    const text = textIn(this.#read(match.event));
    if (text !== undefined) this.#children.get(text)?.collect(match);
  }

  child(key: string): Node<Id> {
    let child = this.#children.get(key);
    if (child === undefined) this.#children.set(key, (child = new Node<Id>(this, key)));
    return child;
  }

  drop(key: string): void {
    this.#children.delete(key);
    if (this.#children.size === 0) this.owner.dropPartition(this);
  }
}
