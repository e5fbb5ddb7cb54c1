export { type AccessRule, type JwtOptions, signSas } from '../auth/index.ts';
export type { Clock } from '../time/clock.ts';
export type { ServiceBus, ServiceBusCounts, ServiceBusOptions } from './options.ts';
export { startServiceBus } from './server.ts';
