export { type AccessRule, type JwtOptions, signSas } from './auth/index.ts';
export type { Clock } from './broker/clock.ts';
export type { ServiceBus, ServiceBusCounts, ServiceBusOptions } from './options.ts';
export { startServiceBus } from './server.ts';
