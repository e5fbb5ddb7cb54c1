import { addressTarget } from './addresses.ts';

/** Redis pub/sub: a channel an address. @see https://redis.io/docs/latest/develop/pubsub/ */
export const redisChannel = addressTarget('redis-channel', 'Redis pub/sub, channels', 'channel');
