import { exceeded, impossible, type Quote, type QuoteRequest, type ServiceModel } from '../model.ts';
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
    quote: (request) => smallestSize(request, service),
  };
}

function smallestSize({ tier, sizing: { traffic } }: QuoteRequest, service: ServiceName): Quote {
  const nodes = tier.limits.nodes!;
  if (traffic.workload.highAvailability && nodes < 2) return impossible(`${tier.title}: not highly available`);
  const asked = traffic.workload.services[service]?.connections;
  const connections = asked ?? traffic.connections * CONNECTIONS_PER_PARTICIPANT;
  const memoryMiB = traffic.retainedBytes / MIB;
  const size = tier.sizes!.find((it) => connections <= it.limits.connections! && memoryMiB <= it.limits.memoryMiB!);
  if (size === undefined) {
    const largest = tier.sizes!.at(-1)!;
    return (
      exceeded(tier, [
        ['connections', connections, largest.limits.connections!],
        ['MiB of retained events', memoryMiB, largest.limits.memoryMiB!],
      ]) ?? impossible(`${tier.title}: no size has both the connections and the memory`)
    );
  }
  const pricedNodes = tier.id === 'premium' ? nodes : 1;
  return {
    possible: true,
    size: size.id,
    billedUnits: { nodeHours: nodes * HOURS_PER_MONTH },
    charges: [{ price: size.price, quantity: pricedNodes * HOURS_PER_MONTH }],
    notes: ['Sized by connections and retained events; no figure for throughput is used'],
  };
}
