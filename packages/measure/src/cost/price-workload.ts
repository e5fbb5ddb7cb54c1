import { type BillLine, makeBill } from './bill.ts';
import type { Demand, Quote, ServiceModel } from './model.ts';
import { type Money, toUsd } from './money.ts';
import { type Confidence, lowest, type PriceFile, type Tier } from './price.ts';
import { checkRegion, findPrice, findTier, type PriceBook, packagedPrices, priceFile, WORLD } from './price-book.ts';
import { checkServices } from './service-list.ts';
import { SERVICES } from './services/index.ts';
import { eventsPerMonth, idle, trafficOf } from './traffic.ts';
import type { ServiceName, Workload } from './workload.ts';

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
  readonly lines: readonly BillLine[];
  readonly notes: readonly string[];
  /** Cheaper or smaller tiers that do not fit, and why. */
  readonly rejected: readonly { readonly tier: string; readonly reason: string }[];
}

/** `service` of the row that adds up the services a workload uses together. */
export const SOLUTION = 'solution';

export interface PriceOptions {
  /** @default the workload's `solution`, else all services */
  readonly services?: readonly string[];
  /** Azure's name of a region (`westeurope`). Where a service has no price for it, another region's is used and a note says so. */
  readonly region?: string;
  /** `cheapest`: one row a service. `all`: one row a tier, also for those that do not fit. @default 'cheapest' */
  readonly tiers?: 'cheapest' | 'all';
  /** @default the prices that come with this package */
  readonly prices?: PriceBook;
}

interface Priced {
  readonly row: CostRow;
  readonly money: Money;
  readonly idleMoney: Money;
}

/**
 * Prices a workload: one row a service, and a `solution` row at the end if the workload names services it uses together.
 * Pure but for the price data.
 * @throws PolycastError `invalid-configuration` for an unknown service, tier or region
 */
export function priceWorkload(workload: Workload, options: PriceOptions = {}): CostRow[] {
  const book = options.prices ?? packagedPrices();
  checkRegion(book, options.region);
  const names = checkServices(options.services ?? workload.solution ?? Object.keys(SERVICES));
  const all = options.tiers === 'all';
  const priced = names.map((name) => {
    const file = priceFile(book, name);
    const tiers = tiersFor(file, workload, name).map((tier) => priceTier(workload, file, tier, options.region));
    return all && tiers.length > 0 ? tiers : [cheapest(tiers, file, name)];
  });
  const rows = priced.flat().map(({ row }) => row);
  if (workload.solution === undefined || options.services !== undefined) return rows;
  return [
    ...rows,
    addUp(
      workload,
      priced.map((tiers) => cheapestOf(tiers)),
    ),
  ];
}

/** Units that a workload makes, counted as adapters meter them: by use, whatever the tier. */
export function predictUnits(service: string, workload: Workload): Record<string, number> {
  const [name] = checkServices([service]);
  return { ...demandOf(SERVICES[name!], workload).units };
}

function tiersFor(file: PriceFile, workload: Workload, service: ServiceName): readonly Tier[] {
  const asked = workload.services[service]?.tier;
  return asked === undefined ? file.tiers : [findTier(file, asked)];
}

function demandOf(model: ServiceModel, workload: Workload): Demand {
  const traffic = trafficOf(workload, model.service);
  const given = workload.services[model.service]?.perPublish ?? {};
  const units: Record<string, number> = { ...model.count(traffic) };
  for (const [unit, perPublish] of Object.entries(given)) units[unit] = perPublish * eventsPerMonth(workload);
  return { traffic, units };
}

function priceTier(workload: Workload, file: PriceFile, tier: Tier, region: string | undefined): Priced {
  const model = SERVICES[file.service as ServiceName];
  const busy = demandOf(model, workload);
  const quote = model.quote({ tier, use: busy, sizing: busy });
  if (!quote.possible) return refused(file, model.service, tier.id, quote.reason);
  const calm = model.quote({ tier, use: demandOf(model, idle(workload)), sizing: busy });
  if (!calm.possible) throw new TypeError(`${file.service}: a tier that fits a busy month must fit an idle one`);

  const lookUp = (id: string) => findPrice(file, id, region);
  const bill = makeBill(quote.charges, lookUp);
  const idleBill = makeBill(calm.charges, lookUp);
  const used = bill.lines.filter((line) => line.quantity > 0);
  const lines = used.length > 0 ? used : bill.lines;
  const regions = [...new Set(lines.map((line) => line.region))];
  const row: CostRow = {
    service: model.service,
    title: file.title,
    transports: file.transports,
    tier: tier.id,
    ...(quote.size !== undefined && { size: quote.size }),
    possible: true,
    billedUnits: rounded(quote),
    monthlyUsd: toUsd(bill.money),
    idleMonthlyUsd: toUsd(idleBill.money),
    priceDate: oldest(lines.map((line) => line.date)),
    confidence: lowest(lines.map((line) => line.confidence)),
    regions,
    lines: bill.lines,
    notes: [...(file.note === undefined ? [] : [file.note]), ...(quote.notes ?? []), ...regionNotes(regions, region)],
    rejected: [],
  };
  return { row, money: bill.money, idleMoney: idleBill.money };
}

function cheapest(tiers: readonly Priced[], file: PriceFile, service: ServiceName): Priced {
  if (tiers.length === 0) return refused(file, service, '', 'no price was found');
  const rejected = tiers.flatMap(({ row }) => (row.possible ? [] : [{ tier: row.tier, reason: row.reason! }]));
  const best = cheapestOf(tiers);
  if (best.row.possible) return { ...best, row: { ...best.row, rejected } };
  const reason = rejected.map((it) => it.reason).join(' · ');
  return { ...best, row: { ...best.row, reason, rejected } };
}

/** The first of the cheapest tiers that fit; when none fits, the last: the largest. */
function cheapestOf(tiers: readonly Priced[]): Priced {
  const possible = tiers.filter(({ row }) => row.possible);
  return possible.reduce((best, it) => (it.money < best.money ? it : best), possible[0] ?? tiers.at(-1)!);
}

function refused(file: PriceFile, service: ServiceName, tier: string, reason: string): Priced {
  const row: CostRow = {
    service,
    title: file.title,
    transports: file.transports,
    tier,
    possible: false,
    reason,
    billedUnits: {},
    monthlyUsd: null,
    idleMonthlyUsd: null,
    priceDate: null,
    confidence: 'none',
    regions: [],
    lines: [],
    notes: file.note === undefined ? [] : [file.note],
    rejected: [],
  };
  return { row, money: 0n, idleMoney: 0n };
}

function addUp(workload: Workload, parts: readonly Priced[]): CostRow {
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
    lines: rows.flatMap((row) => row.lines),
    notes: [...inferred, ...workload.notes],
    rejected: [],
  };
}

/** To the millionth of a unit, as the bill takes them: hides what binary fractions add. */
function rounded(quote: Extract<Quote, { possible: true }>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(quote.billedUnits).map(([unit, count]) => [unit, Math.round(count * 1e6) / 1e6]),
  );
}

function oldest(dates: readonly (string | null)[]): string | null {
  return dates.filter((date) => date !== null).sort()[0] ?? null;
}

function regionNotes(regions: readonly string[], asked: string | undefined): readonly string[] {
  if (asked === undefined) return [];
  const others = regions.filter((region) => region !== asked && region !== WORLD);
  return others.length === 0 ? [] : [`No price for ${asked}: that of ${others.join(', ')} is shown`];
}
