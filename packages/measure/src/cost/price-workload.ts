import type { CostRow } from './cost-row.ts';
import type { PriceFile, Tier } from './price.ts';
import { checkRegion, findTier, type PriceBook, packagedPrices, priceFile } from './price-book.ts';
import { cheapestOf, demandOf, type Priced, priceTier, refused } from './price-tier.ts';
import { checkServices } from './service-list.ts';
import { SERVICES } from './services/index.ts';
import { addUp } from './solution.ts';
import type { ServiceName, Workload } from './workload.ts';

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
  return [...rows, addUp(workload, priced.map(cheapestOf))];
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

/** The cheapest tier, with the reasons against the others. */
function cheapest(tiers: readonly Priced[], file: PriceFile, service: ServiceName): Priced {
  if (tiers.length === 0) return refused(file, service, '', 'no price was found');
  const rejected = tiers.flatMap(({ row }) => (row.possible ? [] : [{ tier: row.tier, reason: row.reason! }]));
  const best = cheapestOf(tiers);
  if (best.row.possible) return { ...best, row: { ...best.row, rejected } };
  const reason = rejected.map((it) => it.reason).join(' · ');
  return { ...best, row: { ...best.row, reason, rejected } };
}
