import { integerIn } from '../raw-value.ts';
import type { Interval } from './access.ts';
import type { Match } from './match.ts';
import { Node } from './node.ts';
import type { Partition } from './partition.ts';
import { type RawReader, rawReader } from './raw-reader.ts';
import { SortedList } from './sorted-list.ts';

interface Span<Id> extends Interval {
  child: Node<Id> | undefined;
}

/** The ranges that the middle of one cell parts. All of them contain it. */
class Cell<Id> {
  readonly byLow = new SortedList<Span<Id>>((a, b) => a.low - b.low || a.high - b.high);
  readonly byHigh = new SortedList<Span<Id>>((a, b) => b.high - a.high || a.low - b.low);
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
      if (isAboveMiddle(integer, level)) walkDown(cell, integer, match);
      else walkUp(cell, integer, match);
    }
  }

  child(key: Interval): Node<Id> {
    const span: Span<Id> = { low: key.low, high: key.high, child: undefined };
    const level = levelOf(span);
    let cells = this.#levels.find((one) => one.level === level)?.cells;
    if (cells === undefined) this.#levels.push({ level, cells: (cells = new Map()) });
    const at = cellAt(span.low, level);
    let cell = cells.get(at);
    if (cell === undefined) cells.set(at, (cell = new Cell<Id>()));
    const found = cell.byLow.find(span);
    if (found !== undefined) return found.child!;
    span.child = new Node<Id>(this, span);
    cell.byLow.add(span);
    cell.byHigh.add(span);
    return span.child;
  }

  drop(key: Interval): void {
    const span: Span<Id> = { low: key.low, high: key.high, child: undefined };
    const level = this.#levels.find((one) => one.level === levelOf(span))!;
    const at = cellAt(span.low, level.level);
    const cell = level.cells.get(at)!;
    cell.byLow.remove(span);
    cell.byHigh.remove(span);
    if (!cell.byLow.isEmpty) return;
    level.cells.delete(at);
    if (level.cells.size > 0) return;
    this.#levels = this.#levels.filter((one) => one !== level);
    if (this.#levels.length === 0) this.owner.dropPartition(this);
  }
}

function walkUp<Id>(cell: Cell<Id>, integer: number, match: Match<Id>): void {
  for (const block of cell.byLow.blocks) {
    for (const { low, child } of block) {
      if (low > integer) return;
      child!.collect(match);
    }
  }
}

function walkDown<Id>(cell: Cell<Id>, integer: number, match: Match<Id>): void {
  for (const block of cell.byHigh.blocks) {
    for (const { high, child } of block) {
      if (high < integer) return;
      child!.collect(match);
    }
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
