import type { Address } from '@polycast/core';
import { addressTarget, type FilterTarget } from '@polycast/core/filter';

/** Redis: a channel, or a stream, an address. @see https://redis.io/docs/latest/develop/pubsub/ */
export const redisChannel: FilterTarget<readonly Address[]> = addressTarget(
  'redis-channel',
  'Redis, channels and streams',
  'channel',
);
