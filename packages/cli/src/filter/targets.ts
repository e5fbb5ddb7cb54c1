import type { FilterTarget } from '@polycast/core/filter';
import { redisChannel } from '@polycast/redis/filter-target';
import { serviceBusCorrelation, serviceBusSql } from '@polycast/service-bus/filter-target';
import { ably, eventGrid, signalrGroup } from './unpublished-targets.ts';

/** What brokers can evaluate of a filter, by name, in the order in which they are shown. */
export const FILTER_TARGETS = {
  'service-bus-sql': serviceBusSql,
  'service-bus-correlation': serviceBusCorrelation,
  'event-grid': eventGrid,
  ably,
  'redis-channel': redisChannel,
  'signalr-group': signalrGroup,
} as const satisfies Readonly<Record<string, FilterTarget>>;

export type FilterTargetName = keyof typeof FILTER_TARGETS;
