import { exceeded, type Quote, type QuoteRequest, type ServiceModel } from '../model.ts';
import { HOURS_PER_MONTH, type ServiceName } from '../workload.ts';

/** A broadcaster connects twice: once to send, once to listen. */
const CONNECTIONS_PER_PARTICIPANT = 2;
const MIB = 1_048_576;

/**
 * Azure Cache for Redis: hours of nodes, whatever passes through them. Premium prices one node, the others the whole cache.
 * @see https://azure.microsoft.com/pricing/details/cache/
 */
export const azureCacheForRedis: ServiceModel = model('azure-cache-for-redis');

/**
 * Azure Managed Redis: hours of a size, whatever passes through it.
 * @see https://azure.microsoft.com/pricing/details/managed-redis/
 */
export const azureManagedRedis: ServiceModel = model('azure-managed-redis');

function model(service: ServiceName): ServiceModel {
  return {
    service,
    units: [],
    count: () => ({}),
    quote: (request) => bySize(request, service),
  };
}

function bySize({ tier, size, sizing: { traffic } }: QuoteRequest, service: ServiceName): Quote {
  const { limits, price, id } = size!;
  const asked = traffic.workload.services[service]?.connections;
  const tooMuch = exceeded(`${tier.title} ${id}`, [
    ['connections', asked ?? traffic.connections * CONNECTIONS_PER_PARTICIPANT, limits.connections],
    ['MiB of retained events', traffic.retainedBytes / MIB, limits.memoryMiB],
  ]);
  if (tooMuch) return tooMuch;
  const nodes = tier.limits.nodes!;
  const pricedNodes = tier.id === 'premium' ? nodes : 1;
  return {
    possible: true,
    size: id,
    billedUnits: { nodeHours: nodes * HOURS_PER_MONTH },
    charges: [{ price, quantity: pricedNodes * HOURS_PER_MONTH }],
    notes: ['Sized by connections and retained events; throughput is not considered'],
  };
}
