import { addressTarget } from './addresses.ts';

/** Redis: a channel, or a stream, an address. @see https://redis.io/docs/latest/develop/pubsub/ */
export const redisChannel = addressTarget('redis-channel', 'Redis, channels and streams', 'channel');
