import { ably } from './ably.ts';
import { eventGrid } from './event-grid.ts';
import { redisChannel } from './redis-channel.ts';
import { serviceBusCorrelation } from './service-bus-correlation.ts';
import { serviceBusSql } from './service-bus-sql.ts';
import { signalrGroup } from './signalr-group.ts';

/** What the brokers that we know can evaluate, by name. A broker that is missing here evaluates nothing. */
export const FILTER_TARGETS = {
  'service-bus-sql': serviceBusSql,
  'service-bus-correlation': serviceBusCorrelation,
  'event-grid': eventGrid,
  ably,
  'redis-channel': redisChannel,
  'signalr-group': signalrGroup,
} as const;

export type FilterTargetName = keyof typeof FILTER_TARGETS;
