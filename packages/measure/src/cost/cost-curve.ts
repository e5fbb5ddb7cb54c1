import { type PriceOptions, priceWorkload } from './price-workload.ts';
import { eventsPerMonth } from './traffic.ts';
import type { Workload } from './workload.ts';

export interface CostPoint {
  /** Publishes a month. */
  readonly volume: number;
  /** Null: no tier fits, or no price is known. */
  readonly monthlyUsd: number | null;
  readonly tier: string;
  readonly size?: string;
}

/** Powers of ten and three steps between each, from a thousand to ten thousand million publishes a month. */
export const DEFAULT_VOLUMES: readonly number[] = logSpaced(1e3, 1e10, 4);

/** Volumes evenly apart on a logarithmic axis, both ends included. */
export function logSpaced(from: number, to: number, perDecade: number): readonly number[] {
  const intervals = Math.max(1, Math.round(Math.log10(to / from) * perDecade));
  return Array.from({ length: intervals + 1 }, (_, index) => Math.round(from * (to / from) ** (index / intervals)));
}

/**
 * What a service costs as the workload grows: everything but the number of publishes stays, and the busiest moment grows
 * in proportion.
 * @throws PolycastError `invalid-configuration` for an unknown service, tier or region
 */
export function costCurve(
  workload: Workload,
  service: string,
  volumes: readonly number[] = DEFAULT_VOLUMES,
  options: Omit<PriceOptions, 'services' | 'tiers'> = {},
): readonly CostPoint[] {
  return volumes.map((volume) => {
    const [row] = priceWorkload(withVolume(workload, volume), { ...options, services: [service] });
    const { monthlyUsd, tier, size } = row!;
    return { volume, monthlyUsd, tier, ...(size !== undefined && { size }) };
  });
}

/** The same workload with another number of publishes a month, spread over its days in the same way. */
export function withVolume(workload: Workload, perMonth: number): Workload {
  const now = eventsPerMonth(workload);
  const { profile, peakPerSecond } = workload.publishes;
  if (now === 0) return { ...workload, publishes: { ...withoutProfile(workload), perMonth } };
  const factor = perMonth / now;
  const peak = peakPerSecond === undefined ? {} : { peakPerSecond: peakPerSecond * factor };
  const publishes =
    profile === undefined
      ? { ...workload.publishes, perMonth }
      : { profile: profile.map((part) => ({ ...part, perSecond: part.perSecond * factor })) };
  return { ...workload, publishes: { ...publishes, ...peak } };
}

function withoutProfile({ publishes }: Workload): Workload['publishes'] {
  return publishes.daysPerMonth === undefined ? {} : { daysPerMonth: publishes.daysPerMonth };
}
