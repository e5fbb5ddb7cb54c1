import { textIn } from '../raw-value.ts';
import { pieceKey, pieceLengthOf } from './access.ts';
import { LengthsInUse } from './lengths-in-use.ts';
import type { Match } from './match.ts';
import { Node } from './node.ts';
import type { Partition } from './partition.ts';
import { type RawReader, rawReader } from './raw-reader.ts';

/** By a few characters in a row: a look-up for each place in the text and each length in use. */
export class PiecePartition<Id> implements Partition<Id, number> {
  readonly kind = 'piece';
  readonly attribute: string;
  readonly owner: Node<Id>;
  readonly #read: RawReader;
  readonly #children = new Map<number, Node<Id>>();
  readonly #lengths = new LengthsInUse();

  constructor(attribute: string, owner: Node<Id>) {
    this.attribute = attribute;
    this.owner = owner;
    this.#read = rawReader(attribute);
  }

  collect(match: Match<Id>): void {
    const text = textIn(this.#read(match.event));
    if (text === undefined) return;
    for (const { length } of this.#lengths.shortestFirst) {
      for (let at = 0; at + length <= text.length; at++) {
        const child = this.#children.get(pieceKey(text, at, length));
        // The same characters may come several times.
        if (child === undefined || child.visitedBy === match.stamp) continue;
        child.visitedBy = match.stamp;
        child.collect(match);
      }
    }
  }

  child(key: number): Node<Id> {
    let child = this.#children.get(key);
    if (child !== undefined) return child;
    this.#lengths.add(pieceLengthOf(key));
    this.#children.set(key, (child = new Node<Id>(this, key)));
    return child;
  }

  drop(key: number): void {
    this.#children.delete(key);
    this.#lengths.remove(pieceLengthOf(key));
    if (this.#children.size === 0) this.owner.dropPartition(this);
  }
}
