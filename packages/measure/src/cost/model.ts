import type { Size, Tier } from './price.ts';
import type { Traffic } from './traffic.ts';
import type { ServiceName } from './workload.ts';

/** Billed units by name. */
export type Units = Readonly<Record<string, number>>;

/** How one service bills: which units a workload makes, and what each tier makes of them. Pure. */
export interface ServiceModel {
  readonly service: ServiceName;
  /** Units counted by use, named as the service's adapter meters them. Empty: nothing is billed by use. */
  readonly units: readonly string[];
  /** Units that the traffic of a month makes. Grows with volume, and adds up. */
  count(traffic: Traffic): Units;
  /** What is billed for a month in one tier (and size), or why it will not do. */
  quote(request: QuoteRequest): Quote;
}

export interface QuoteRequest {
  readonly tier: Tier;
  /** One of the tier's sizes. Each is quoted, and the cheapest that fits is taken. Undefined: the tier has none. */
  readonly size: Size | undefined;
  /** What is used, and billed. */
  readonly use: Demand;
  /** What the tier is sized for. The same as `use`, but for the idle month of a service bought for a busy one. */
  readonly sizing: Demand;
}

export interface Demand {
  readonly traffic: Traffic;
  readonly units: Units;
}

export type Quote =
  | { readonly possible: false; readonly reason: string }
  | {
      readonly possible: true;
      /** How large it is bought, where that can be chosen: `C1`, `3 units`. */
      readonly size?: string;
      /** All that is billed, capacity included. */
      readonly billedUnits: Units;
      readonly charges: readonly Charge[];
      readonly notes?: readonly string[];
    };

/** A quantity on one meter. */
export interface Charge {
  /** `id` of a price in the service's price file. */
  readonly price: string;
  readonly quantity: number;
}

export function impossible(reason: string): Quote {
  return { possible: false, reason };
}

/** One thing a workload needs, and how much of it the tier gives. An undefined limit is no limit. */
export type Need = readonly [what: string, needed: number, limit: number | undefined];

/** Says which needs are beyond the limits of a tier or size; undefined when all are met. */
export function exceeded(title: string, needs: readonly Need[]): Quote | undefined {
  const beyond = needs.filter(([, needed, limit]) => limit !== undefined && needed > limit);
  if (beyond.length === 0) return undefined;
  const list = beyond.map(([what, needed, limit]) => `${format(needed)} ${what} (limit ${format(limit!)})`);
  return impossible(`${title}: ${list.join(', ')}`);
}

/** The smallest number of units on offer that is enough, at least 1; undefined when none is. */
export function enough(needed: number, offered: readonly number[]): number | undefined {
  return offered.find((number) => number >= needed);
}

export function format(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}
