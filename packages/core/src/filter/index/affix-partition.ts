import { textIn } from '../raw-value.ts';
import { LengthsInUse } from './lengths-in-use.ts';
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
  readonly #lengths = new LengthsInUse();

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
    for (const { length } of this.#lengths.shortestFirst) {
      if (length > text.length) return;
      this.#children.get(isPrefix ? text.slice(0, length) : text.slice(-length))?.collect(match);
    }
  }

  child(key: string): Node<Id> {
    let child = this.#children.get(key);
    if (child !== undefined) return child;
    this.#children.set(key, (child = new Node<Id>(this, key)));
    this.#lengths.add(key.length);
    return child;
  }

  drop(key: string): void {
    this.#children.delete(key);
    this.#lengths.remove(key.length);
    if (this.#children.size === 0) this.owner.dropPartition(this);
  }
}
