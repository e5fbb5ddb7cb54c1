import type { CostRow } from './cost-row.ts';
import type { Price, PriceFile } from './price.ts';
import type { PriceBook } from './price-book.ts';

/** What a workload costs, a row a service, as a Markdown table. Of what does not fit, the largest tier says why. */
export function costTable(rows: readonly CostRow[]): string {
  return table(
    ['Service', 'Tier', 'A month, USD', 'Idle month, USD', 'Billed in the month', 'Price of', 'Confidence'],
    rows.map((row) => [
      row.title,
      [row.tier, row.size].filter(Boolean).join(', ') || '-',
      row.possible ? dollars(row.monthlyUsd!) : row.tier === '' ? 'unknown' : 'not possible',
      row.possible ? dollars(row.idleMonthlyUsd!) : '',
      row.possible ? units(row) : (row.rejected.at(-1)?.reason ?? row.reason!),
      row.possible ? (row.priceDate ?? 'undated') : '',
      row.possible ? row.confidence : '',
    ]),
  );
}

/** What one billed unit is, a row a service. */
export function billedTable(book: PriceBook, services: readonly string[]): string {
  const files = services.map((service) => book[service]!);
  return table(
    ['Service', 'Counts', 'Does not count'],
    files.map((file) => [file.title, file.billed ?? '', file.free ?? '']),
  );
}

/** Every price, a row a band. */
export function priceTable(book: PriceBook, services: readonly string[]): string {
  return table(
    ['Service', 'Tier', 'Meter', 'USD', 'For', 'Region', 'Date', 'Confidence'],
    services.flatMap((service) => book[service]!.prices.flatMap((price) => priceRows(book[service]!, price))),
  );
}

function priceRows(file: PriceFile, price: Price): string[][] {
  const bands = price.bands ?? [{ usd: price.usd! }];
  return bands.map((band, index) => {
    const from = bands[index - 1]?.upTo ?? 0;
    const range = bands.length === 1 ? '' : `: ${amount(from)}${band.upTo ? ` to ${amount(band.upTo)}` : ' and more'}`;
    const per = price.per === 1 ? price.unit : `${amount(price.per)} ${price.unit}s`;
    const confidence = band.confidence ?? price.confidence;
    return [
      file.service,
      price.tier ?? 'any',
      price.meter + range,
      String(band.usd),
      per,
      price.region,
      price.date ?? '-',
      confidence,
    ];
  });
}

function units(row: CostRow): string {
  const parts = Object.entries(row.billedUnits).map(([unit, count]) => {
    const words = unit.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replace(/\bgb\b/, 'GB');
    return `${amount(count)} ${count === 1 ? words.replace(/s$/, '') : words}`;
  });
  return parts.join(', ') || 'nothing';
}

function dollars(value: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

function amount(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
