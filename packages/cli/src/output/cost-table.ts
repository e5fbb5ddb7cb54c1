import type { CostRow, Workload } from '@polycast/measure';
import { showCount, showUsd } from './numbers.ts';
import { type Column, renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'service' },
  { title: 'tier' },
  { title: 'USD/month', align: 'right' },
  { title: 'idle', align: 'right' },
  { title: 'prices of', optional: true },
  { title: 'confidence', optional: true },
  { title: 'billed by use', optional: true },
];

/** The priced workload: a row a service, cheapest first, those that do not fit last with their reason. */
export function costTable(
  workload: Workload,
  rows: readonly CostRow[],
  terminal: Terminal,
  { lines = false }: { readonly lines?: boolean | undefined } = {},
): string {
  const { bold, dim, yellow } = terminal.colors;
  const fitting = rows.filter(({ possible }) => possible);
  const others = rows.filter(({ possible }) => !possible);
  const table = renderTable(
    terminal,
    COLUMNS,
    byPrice(fitting).map((row) => [
      row.service === 'solution' ? bold('total') : row.service,
      [row.tier, row.size].filter(Boolean).join(' '),
      bold(showUsd(row.monthlyUsd)),
      showUsd(row.idleMonthlyUsd),
      row.priceDate ?? 'no date',
      row.confidence === 'low' || row.confidence === 'none' ? yellow(row.confidence) : row.confidence,
      billed(row),
    ]),
  );
  const parts = [
    `${bold('Cost')} ${dim(`${workload.name}, US dollars per month; idle: everyone connected, nothing published`)}`,
    table,
  ];
  for (const { service, tier, reason } of others) {
    parts.push(dim(`${service}${tier === '' ? '' : ` (${tier})`}: not possible: ${reason ?? ''}`));
  }
  if (lines) for (const row of fitting) parts.push(...bill(row, terminal));
  for (const note of workload.notes) parts.push(dim(`note: ${note}`));
  return `${parts.join('\n')}\n`;
}

/** The sum of a solution stays below what it sums. */
export function byPrice(rows: readonly CostRow[]): readonly CostRow[] {
  const solution = rows.filter(({ service }) => service === 'solution');
  const single = rows.filter(({ service }) => service !== 'solution');
  return [...single.sort((one, other) => (one.monthlyUsd ?? Infinity) - (other.monthlyUsd ?? Infinity)), ...solution];
}

/** The counted units; capacity (hours, days) only where nothing else is billed. */
export function billed({ billedUnits }: CostRow): string {
  const counted = Object.entries(billedUnits).filter(([, count]) => count > 0);
  return (
    counted
      .slice(0, 2)
      .map(([unit, count]) => `${compact(count)} ${unit}`)
      .join(', ') || 'nothing'
  );
}

function compact(count: number): string {
  return count.toLocaleString('en-US', { notation: 'compact', maximumSignificantDigits: 3 });
}

function bill({ title, tier, lines, notes }: CostRow, terminal: Terminal): string[] {
  if (lines.length === 0) return [];
  const columns: Column[] = [
    { title: 'meter' },
    { title: 'quantity', align: 'right' },
    { title: 'unit' },
    { title: 'USD', align: 'right' },
    { title: 'region' },
    { title: 'date' },
  ];
  const rows = lines.map((line) => [
    line.meter,
    showCount(line.quantity),
    line.unit,
    showUsd(line.usd),
    line.region,
    line.date ?? '–',
  ]);
  return [
    '',
    terminal.colors.bold(`${title}, ${tier}`),
    renderTable(terminal, columns, rows),
    ...notes.map((note) => terminal.colors.dim(`note: ${note}`)),
  ];
}
