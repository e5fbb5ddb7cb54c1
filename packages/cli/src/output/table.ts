import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import type { Terminal } from './terminal.ts';

export interface Column {
  readonly title: string;
  /** @default 'left' */
  readonly align?: 'left' | 'right';
  /** Left out on a screen that is too narrow: the last such column first. @default false */
  readonly optional?: boolean;
}

/** Lines instead of boxes where the terminal is no screen, so that `grep`, `cut` and a mail stay readable. */
const PLAIN = Object.fromEntries(
  ['top', 'bottom', 'mid'].flatMap((row) => ['', '-mid', '-left', '-right'].map((part) => [row + part, ''])),
);
const BOXES_OFF = { ...PLAIN, left: '', 'left-mid': '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' };

/** A table with a title line. On a screen with rules, and no wider than it if that can be helped; piped, columns of plain text. */
export function renderTable(
  terminal: Terminal,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  let shown = columns.map((_, at) => at);
  for (;;) {
    const text = draw(
      terminal,
      shown.map((at) => columns[at]!),
      rows.map((row) => shown.map((at) => row[at] ?? '')),
    );
    const dispensable = shown.filter((at) => columns[at]!.optional).at(-1);
    if (!terminal.screen || dispensable === undefined || widthOf(text) <= terminal.columns) return text;
    shown = shown.filter((at) => at !== dispensable);
  }
}

function draw({ colors, screen }: Terminal, columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: columns.map(({ title }) => colors.bold(title)),
    colAligns: columns.map(({ align = 'left' }) => align),
    style: {
      head: [],
      border: colors.isColorSupported ? ['gray'] : [],
      compact: true,
      ...(screen ? {} : { 'padding-left': 0, 'padding-right': 0 }),
    },
    ...(screen ? {} : { chars: BOXES_OFF }),
  });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function widthOf(text: string): number {
  return Math.max(...text.split('\n').map((line) => stripVTControlCharacters(line).length));
}
