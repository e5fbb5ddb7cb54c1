import type { LatencyDriver } from '@polycast/measure';
import { RedisPubSub } from 'graphql-redis-subscriptions';
import { Redis } from 'ioredis';

const open = (url: string) => new RedisPubSub({ publisher: new Redis(url), subscriber: new Redis(url) });

export const driver: LatencyDriver = {
  async openPublisher({ url, topic }) {
    const pubSub = open(url);
    return { publish: (data) => pubSub.publish(topic, data), close: async () => void (await pubSub.close()) };
  },
  async openSubscriber({ url, topic }, _index, onPayload) {
    const pubSub = open(url);
    await pubSub.subscribe(topic, (data: unknown) => onPayload(data));
    return { close: async () => void (await pubSub.close()) };
  },
};
