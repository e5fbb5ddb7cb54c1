import { integerIn } from '../raw-value.ts';
import type { Interval } from './access.ts';
import type { Match } from './match.ts';
import { Node } from './node.ts';
import type { Partition } from './partition.ts';
import { type RawReader, rawReader } from './raw-reader.ts';
import { SortedList, walk } from './sorted-list.ts';

/** The ranges that the middle of one cell parts. All of them contain it. */
class Cell<Id> {
  /** By lower end, then by upper. */
  readonly byLow = new SortedList<Node<Id>>();
  /** By upper end with the opposite sign, the highest first, then by lower. */
  readonly byHigh = new SortedList<Node<Id>>();
}

interface Level<Id> {
  /** Cells are 2^level wide. */
  readonly level: number;
  readonly cells: Map<number, Cell<Id>>;
}

/**
 * Ranges of integers as an interval tree: each lies in the smallest cell of a power of two that holds it, and so around the
 * middle of that cell. A value below the middle is in those ranges that begin at or before it, a value above in those that
 * end at or after it: what an event meets is proven, and it looks at one range more in each cell.
 */
export class SpanPartition<Id> implements Partition<Id, Interval> {
  readonly kind = 'span';
  readonly attribute: string;
  readonly owner: Node<Id>;
  readonly #read: RawReader;
  #levels: Level<Id>[] = [];

  constructor(attribute: string, owner: Node<Id>) {
    this.attribute = attribute;
    this.owner = owner;
    this.#read = rawReader(attribute);
  }

  collect(match: Match<Id>): void {
    const integer = integerIn(this.#read(match.event));
    if (integer === undefined) return;
    for (const { level, cells } of this.#levels) {
      const cell = cells.get(cellAt(integer, level));
      if (cell === undefined) continue;
      if (isAboveMiddle(integer, level)) walk(cell.byHigh, -integer, match);
      else walk(cell.byLow, integer, match);
    }
  }

  child(key: Interval): Node<Id> {
    const { low, high } = key;
    const level = levelOf(key);
    let cells = this.#levels.find((one) => one.level === level)?.cells;
    if (cells === undefined) this.#levels.push({ level, cells: (cells = new Map()) });
    const at = cellAt(low, level);
    let cell = cells.get(at);
    if (cell === undefined) cells.set(at, (cell = new Cell<Id>()));
    let child = cell.byLow.find(low, high);
    if (child !== undefined) return child;
    child = new Node<Id>(this, key);
    cell.byLow.add(low, high, child);
    cell.byHigh.add(-high, low, child);
    return child;
  }

  drop(key: Interval): void {
    const { low, high } = key;
    const level = this.#levels.find((one) => one.level === levelOf(key))!;
    const at = cellAt(low, level.level);
    const cell = level.cells.get(at)!;
    cell.byLow.remove(low, high);
    cell.byHigh.remove(-high, low);
    if (!cell.byLow.isEmpty) return;
    level.cells.delete(at);
    if (level.cells.size > 0) return;
    this.#levels = this.#levels.filter((one) => one !== level);
    if (this.#levels.length === 0) this.owner.dropPartition(this);
  }
}

/** Of the smallest cell that holds both ends: 32 for all integers together. */
function levelOf({ low, high }: Interval): number {
  return 32 - Math.clz32(low ^ high);
}

function cellAt(integer: number, level: number): number {
  return level === 32 ? 0 : integer >> level;
}

/** In its cell. A cell of one integer has no middle: both lists are the same then. */
function isAboveMiddle(integer: number, level: number): boolean {
  // The cell of all integers has 0 in its middle, and the highest bit says the opposite there.
  if (level === 32) return integer >= 0;
  return level > 0 && ((integer >> (level - 1)) & 1) === 1;
}
