import type { ServiceBus, ServiceBusOptions } from './options.ts';

/** Starts a Service Bus namespace in this process. */
export async function startServiceBus(_options: ServiceBusOptions = {}): Promise<ServiceBus> {
  throw new Error('the local Service Bus is not assembled yet');
}
