import { impossible, type ServiceModel } from '../model.ts';
import type { ServiceName } from '../workload.ts';

/** In the publisher's own process: nobody sends a bill. */
export const memory: ServiceModel = ownMachine('memory');

/** A `redis-server` of one's own: nothing is billed by use. */
export const redis: ServiceModel = ownMachine('redis');

/** Azure Relay: no price was found that can be cited. */
export const relay: ServiceModel = {
  service: 'relay',
  units: [],
  count: () => ({}),
  quote: () => impossible('no price was found'),
};

function ownMachine(service: ServiceName): ServiceModel {
  return {
    service,
    units: [],
    count: () => ({}),
    quote: () => ({ possible: true, billedUnits: {}, charges: [{ price: 'use', quantity: 1 }] }),
  };
}
