import { median, quantile } from './statistics.ts';

export interface Table {
  readonly title: string;
  /** Printed under the table. */
  readonly notes: readonly string[];
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One line of issue or README that a run proves or refutes. */
export interface Goal {
  readonly goal: string;
  readonly measured: string;
  readonly met: boolean;
}

export function markdownOf({ title, notes, columns, rows }: Table): string {
  const widths = columns.map((column, at) => Math.max(column.length, ...rows.map((row) => (row[at] ?? '').length)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, at) => (at === 0 ? (cells[at] ?? '').padEnd(width) : (cells[at] ?? '').padStart(width))).join(' | ')} |`;
  const rule = `| ${widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [`### ${title}`, '', line(columns), rule, ...rows.map(line), '', ...notes.map((note) => `${note}\n`)].join(
    '\n',
  );
}

export function goalsMarkdown(goals: readonly Goal[]): string {
  const rows = goals.map(({ goal, measured, met }) => [goal, measured, met ? 'yes' : 'NO']);
  return markdownOf({ title: 'Goals', columns: ['goal', 'measured', 'met'], rows, notes: [] });
}

/** `105k 1.02× (0.96–1.10)`: the median, how it compares with the reference's median, and p10 to p90 of that. */
export function cellOf(values: readonly number[], reference: readonly number[], lessIsBetter = false): string {
  if (values.length === 0) return '–';
  const base = median(reference);
  const ratio = (value: number) => (lessIsBetter ? base / value : value / base);
  const [low, high] = [
    ratio(quantile(values, lessIsBetter ? 0.9 : 0.1)),
    ratio(quantile(values, lessIsBetter ? 0.1 : 0.9)),
  ];
  return `${short(median(values))} ${times(ratio(median(values)))} (${digits(low)}–${digits(high)})`;
}

/** As `cellOf`, for times measured in turns: ratios are taken turn by turn. Less is better. */
export function pairedCellOf(values: readonly number[], reference: readonly number[]): string {
  if (values.length === 0) return '–';
  const ratios = values.map((value, turn) => (reference[turn] ?? Number.NaN) / value);
  return `${short(median(values))} ${times(median(ratios))} (${digits(quantile(ratios, 0.1))}–${digits(quantile(ratios, 0.9))})`;
}

export function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value >= 1e6) return `${digits(value / 1e6)}M`;
  if (value >= 1e4) return `${digits(value / 1e3)}k`;
  return digits(value);
}

export function times(ratio: number): string {
  return `${digits(ratio)}×`;
}

/** Three significant digits. */
function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value >= 100
    ? String(Math.round(value))
    : value
        .toPrecision(3)
        .replace(/(\.\d*?)0+$/, '$1')
        .replace(/\.$/, '');
}
