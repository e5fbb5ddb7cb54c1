import type { BillLine } from './bill.ts';
import type { Confidence } from './price.ts';
import type { ServiceName } from './workload.ts';

/** `service` of the row that adds up the services a workload uses together. */
export const SOLUTION = 'solution';

/** What one service costs for one workload in a month. */
export interface CostRow {
  /** A name that `listServices` gives, or `solution` for the row that adds up the services a workload uses together. */
  readonly service: ServiceName | typeof SOLUTION;
  /** For people. */
  readonly title: string;
  /** URL schemes of the Polycast transports that run on it. */
  readonly transports: readonly string[];
  /** The cheapest tier that fits, unless another was asked for. Empty when no price is known. */
  readonly tier: string;
  /** Which size of the tier, where it has sizes: `C1`, `3 units`. */
  readonly size?: string;
  /** False: the workload does not fit the tier, or has no price; `reason` says why and both sums are null. */
  readonly possible: boolean;
  readonly reason?: string;
  /** What is billed in the month: counted units first, then capacity (hours, days, months). */
  readonly billedUnits: Readonly<Record<string, number>>;
  /** US dollars, rounded to the cent once, half upwards. */
  readonly monthlyUsd: number | null;
  /** A month in which nothing is published, with the same tier and size and everybody connected. */
  readonly idleMonthlyUsd: number | null;
  /** Oldest date of the prices used, `YYYY-MM` or `YYYY`. Null: none of them is dated. */
  readonly priceDate: string | null;
  /** The lowest of the prices used. `none`: no price is known. */
  readonly confidence: Confidence | 'none';
  /** Regions of the prices used. */
  readonly regions: readonly string[];
  /** The bill, a line a meter. Empty in a `solution` row: its parts have them. */
  readonly lines: readonly BillLine[];
  readonly notes: readonly string[];
  /** Cheaper or smaller tiers that do not fit, and why. */
  readonly rejected: readonly { readonly tier: string; readonly reason: string }[];
}

/** The oldest of several; null if none is dated. */
export function oldest(dates: readonly (string | null)[]): string | null {
  return dates.filter((date) => date !== null).sort()[0] ?? null;
}
