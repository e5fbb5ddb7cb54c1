import { PolycastError } from '@polycast/core';
import { suggestion } from '@polycast/core/configuration';
import { type PriceBook, packagedPrices, priceFile } from './price-book.ts';
import { SERVICES } from './services/index.ts';
import { SERVICE_NAMES, type ServiceName } from './workload.ts';

export interface ServiceInfo {
  readonly service: ServiceName;
  readonly title: string;
  /** URL schemes of the Polycast transports that run on it. */
  readonly transports: readonly string[];
  readonly tiers: readonly string[];
  /** What is counted by use. Empty: nothing is. */
  readonly units: readonly string[];
}

/** Every service that can be priced, in the order that tables show them. */
export function listServices(prices: PriceBook = packagedPrices()): readonly ServiceInfo[] {
  return Object.values(SERVICES).map(({ service, units }) => {
    const { title, transports, tiers } = priceFile(prices, service);
    return { service, title, transports, tiers: tiers.map((tier) => tier.id), units };
  });
}

/** @throws PolycastError `invalid-configuration` naming the nearest service */
export function checkServices(names: readonly string[]): readonly ServiceName[] {
  for (const name of names) {
    if (Object.hasOwn(SERVICES, name)) continue;
    throw new PolycastError('invalid-configuration', `unknown service "${name}"${suggestion(name, SERVICE_NAMES)}`);
  }
  return names as readonly ServiceName[];
}
