import { makeBill } from './bill.ts';
import { type CostRow, oldest } from './cost-row.ts';
import type { Demand, Quote, ServiceModel, Units } from './model.ts';
import { type Money, toUsd } from './money.ts';
import { lowest, type PriceFile, type Tier } from './price.ts';
import { findPrice, WORLD } from './price-book.ts';
import { SERVICES } from './services/index.ts';
import { eventsPerMonth, idle, trafficOf } from './traffic.ts';
import type { ServiceName, Workload } from './workload.ts';

/** A row, with its sums before rounding. */
export interface Priced {
  readonly row: CostRow;
  readonly money: Money;
  readonly idleMoney: Money;
}

type Offer = Extract<Quote, { possible: true }>;

/** The cheapest size of a tier that fits; when none fits, the last: the largest. */
export function priceTier(workload: Workload, file: PriceFile, tier: Tier, region: string | undefined): Priced {
  const model = SERVICES[file.service as ServiceName];
  if (workload.highAvailability && !tier.serviceLevel) {
    return refused(file, model.service, tier.id, `${tier.title}: no service level is promised`);
  }
  if (workload.groups !== undefined && !tier.competingConsumers) {
    return refused(file, model.service, tier.id, `${tier.title}: no competing consumers`);
  }
  const sizing = demandOf(model, workload);
  const calm = demandOf(model, idle(workload));
  const sizes = tier.sizes ?? [undefined];
  return cheapestOf(
    sizes.map((size) => {
      const quote = model.quote({ tier, size, use: sizing, sizing });
      if (!quote.possible) return refused(file, model.service, tier.id, quote.reason);
      const idleQuote = model.quote({ tier, size, use: calm, sizing });
      if (!idleQuote.possible) throw new TypeError(`${file.service}: what fits a busy month must fit an idle one`);
      return priceQuotes(file, tier, quote, idleQuote, region);
    }),
  );
}

function priceQuotes(file: PriceFile, tier: Tier, quote: Offer, idleQuote: Offer, region: string | undefined): Priced {
  const lookUp = (id: string) => findPrice(file, id, region);
  const bill = makeBill(quote.charges, lookUp);
  const idleBill = makeBill(idleQuote.charges, lookUp);
  const used = bill.lines.filter((line) => line.quantity > 0);
  const lines = used.length > 0 ? used : bill.lines;
  const regions = [...new Set(lines.map((line) => line.region))];
  const row: CostRow = {
    service: file.service as ServiceName,
    title: file.title,
    transports: file.transports,
    tier: tier.id,
    ...(quote.size !== undefined && { size: quote.size }),
    possible: true,
    billedUnits: rounded(quote.billedUnits),
    monthlyUsd: toUsd(bill.money),
    idleMonthlyUsd: toUsd(idleBill.money),
    priceDate: oldest(lines.map((line) => line.date)),
    confidence: lowest(lines.map((line) => line.confidence)),
    regions,
    lines: bill.lines,
    notes: [file.note, tier.note, ...(quote.notes ?? []), ...regionNotes(regions, region)].filter(
      (note) => note !== undefined,
    ),
    rejected: [],
  };
  return { row, money: bill.money, idleMoney: idleBill.money };
}

/** What a workload asks of a service. A workload may say how many units a publish makes, in place of the model. */
export function demandOf(model: ServiceModel, workload: Workload): Demand {
  const traffic = trafficOf(workload, model.service);
  const given = workload.services[model.service]?.perPublish ?? {};
  const units: Record<string, number> = { ...model.count(traffic) };
  for (const [unit, perPublish] of Object.entries(given)) units[unit] = perPublish * eventsPerMonth(workload);
  return { traffic, units };
}

/** The first of the cheapest that fit; when none fits, the last: the largest. */
export function cheapestOf(tiers: readonly Priced[]): Priced {
  const possible = tiers.filter(({ row }) => row.possible);
  return possible.reduce((best, it) => (it.money < best.money ? it : best), possible[0] ?? tiers.at(-1)!);
}

/** A row without sums, and why. */
export function refused(file: PriceFile, service: ServiceName, tier: string, reason: string): Priced {
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

/** To the millionth of a unit, as the bill takes them: hides what binary fractions add. */
function rounded(units: Units): Record<string, number> {
  return Object.fromEntries(Object.entries(units).map(([unit, count]) => [unit, Math.round(count * 1e6) / 1e6]));
}

function regionNotes(regions: readonly string[], asked: string | undefined): readonly string[] {
  if (asked === undefined) return [];
  const others = regions.filter((region) => region !== asked && region !== WORLD);
  return others.length === 0 ? [] : [`No price for ${asked}: that of ${others.join(', ')} is shown`];
}
