import { type CostRow, oldest, SOLUTION } from './cost-row.ts';
import { type Money, toUsd } from './money.ts';
import { type Confidence, lowest } from './price.ts';
import type { Priced } from './price-tier.ts';
import type { Workload } from './workload.ts';

/** The row that adds up services used together, from the sums before rounding. Its lines are those of the rows above it. */
export function addUp(workload: Workload, parts: readonly Priced[]): CostRow {
  const possible = parts.every(({ row }) => row.possible);
  const sum = (pick: (part: Priced) => Money) =>
    possible ? toUsd(parts.reduce((all, it) => all + pick(it), 0n)) : null;
  const rows = parts.map(({ row }) => row);
  const inferred = workload.inferred.length > 0 ? [`Inferred inputs: ${workload.inferred.join(', ')}`] : [];
  return {
    service: SOLUTION,
    title: `${workload.name}: together`,
    transports: [],
    tier: rows.map((row) => `${row.service} ${row.tier}`).join(' + '),
    possible,
    ...(!possible && {
      reason: rows.flatMap((row) => (row.possible ? [] : [`${row.service}: ${row.reason}`])).join('; '),
    }),
    billedUnits: Object.fromEntries(
      rows.flatMap((row) => Object.entries(row.billedUnits).map(([unit, count]) => [`${row.service}.${unit}`, count])),
    ),
    monthlyUsd: sum((part) => part.money),
    idleMonthlyUsd: sum((part) => part.idleMoney),
    priceDate: oldest(rows.map((row) => row.priceDate)),
    confidence: possible ? lowest(rows.map((row) => row.confidence as Confidence)) : 'none',
    regions: [...new Set(rows.flatMap((row) => row.regions))],
    lines: [],
    notes: [...inferred, ...workload.notes],
    rejected: [],
  };
}
