import { deliveriesPerMonth, priceWorkload, type ServiceName, type Workload } from '@polycast/measure';
import type { FilterTargetName } from './targets.ts';

/** What a broker that brings only some events saves in a month. */
export interface Savings {
  readonly service: ServiceName;
  /** Deliveries that do not happen, and those that would without a filter. */
  readonly deliveries: { readonly saved: number; readonly of: number };
  /**
   * US dollars, and the cheapest tier with and without. Null: the workload does not fit the service, or the service has no
   * price. `not counted`: what the service bills depends on filters in a way that the price model does not know.
   */
  readonly usd:
    | {
        readonly saved: number;
        readonly of: number;
        readonly tier: string;
        readonly tierWithout: string;
      }
    | null
    | 'not counted';
}

/** The service that is billed for each target, and whether its price model knows filters (or that they are free). */
const SERVICES: Readonly<Record<FilterTargetName, { readonly service: ServiceName; readonly counted: boolean }>> = {
  'service-bus-sql': { service: 'service-bus', counted: true },
  'service-bus-correlation': { service: 'service-bus', counted: true },
  'event-grid': { service: 'event-grid', counted: true },
  ably: { service: 'ably', counted: false },
  'redis-channel': { service: 'azure-managed-redis', counted: true },
  'signalr-group': { service: 'signalr', counted: false },
};

/** @param kept share of the events that the broker brings to each subscriber, 0 to 1 */
export function savingsOf(target: FilterTargetName, kept: number, workload: Workload): Savings {
  const { service, counted } = SERVICES[target];
  const deliveries = deliveriesPerMonth(workload);
  return {
    service,
    deliveries: { saved: deliveries * (1 - kept), of: deliveries },
    usd: counted || kept === 1 ? usdOf(service, kept, workload) : 'not counted',
  };
}

function usdOf(service: ServiceName, kept: number, workload: Workload): Savings['usd'] {
  const [without, withFilter] = [1, kept].map((share) => {
    return priceWorkload({ ...workload, filterPassShare: share }, { services: [service] })[0]!;
  });
  const [of, now] = [without!.monthlyUsd, withFilter!.monthlyUsd];
  if (of === null || now === null) return null;
  return { saved: Math.round((of - now) * 100) / 100, of, tier: withFilter!.tier, tierWithout: without!.tier };
}
