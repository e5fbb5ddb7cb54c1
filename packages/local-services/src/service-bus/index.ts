export type { AccessRule, ServiceBus, ServiceBusCounts, ServiceBusOptions } from './options.ts';
export { startServiceBus } from './server.ts';
