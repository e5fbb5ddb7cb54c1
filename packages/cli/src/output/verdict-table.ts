import type { FilterValue } from '@polycast/core/filter';
import { type Column, renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';

/** What a filter says of one event. */
export interface Verdict {
  readonly id?: string;
  readonly type?: string;
  readonly passes: boolean;
  readonly value: FilterValue;
  readonly error?: { readonly code: string; readonly message: string };
}

const COLUMNS: readonly Column[] = [
  { title: '' },
  { title: 'event' },
  { title: 'type', optional: true },
  { title: 'value' },
  { title: 'error' },
];

/** A row an event, and how many passed. */
export function verdictTable(verdicts: readonly Verdict[], terminal: Terminal): string {
  const { green, red, dim, bold } = terminal.colors;
  if (verdicts.length === 0) return `${dim('no events')}\n`;
  const rows = verdicts.map(({ id, type, passes, value, error }, at) => [
    passes ? green('passes') : red('no'),
    plain(id ?? `${at + 1}`),
    plain(type ?? ''),
    typeof value === 'string' ? JSON.stringify(value) : String(value).toUpperCase(),
    error === undefined ? '' : `${error.code}: ${plain(error.message)}`,
  ]);
  const passed = verdicts.filter(({ passes }) => passes).length;
  return `${renderTable(terminal, COLUMNS, rows)}\n${bold(`${passed} of ${verdicts.length}`)} ${verdicts.length === 1 ? 'event passes' : 'events pass'}\n`;
}

/** What strangers wrote must not move the cursor or colour the screen. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '�');
}
