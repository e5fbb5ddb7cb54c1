import { integerIn } from '../raw-value.ts';
import { cellOf } from './access.ts';
import type { Match } from './match.ts';
import { Node } from './node.ts';
import type { Partition } from './partition.ts';
import { type RawReader, rawReader } from './raw-reader.ts';

/**
 * Ranges of integers by cells of powers of two: a range lies in one or two cells that are as wide as it or up to twice as
 * wide, and a value in one cell of each width. Single integers are cells of their own.
 */
export class RangePartition<Id> implements Partition<Id, number> {
  readonly kind = 'range';
  readonly attribute: string;
  readonly owner: Node<Id>;
  readonly #read: RawReader;
  /** The levels in use, and what is in each. */
  #levels: { readonly level: number; readonly cells: Map<number, Node<Id>> }[] = [];

  constructor(attribute: string, owner: Node<Id>) {
    this.attribute = attribute;
    this.owner = owner;
    this.#read = rawReader(attribute);
  }

  collect(match: Match<Id>): void {
    const integer = integerIn(this.#read(match.event));
    if (integer === undefined) return;
    for (const { level, cells } of this.#levels) cells.get(integer >> level)?.collect(match);
  }

  child(key: number): Node<Id> {
    const [level, cell] = cellOf(key);
    let cells = this.#levels.find((one) => one.level === level)?.cells;
    if (cells === undefined) this.#levels.push({ level, cells: (cells = new Map()) });
    let child = cells.get(cell);
    if (child === undefined) cells.set(cell, (child = new Node<Id>(this, key)));
    return child;
  }

  drop(key: number): void {
    const [level, cell] = cellOf(key);
    const found = this.#levels.find((one) => one.level === level)!;
    found.cells.delete(cell);
    if (found.cells.size > 0) return;
    this.#levels = this.#levels.filter((one) => one !== found);
    if (this.#levels.length === 0) this.owner.dropPartition(this);
  }
}
