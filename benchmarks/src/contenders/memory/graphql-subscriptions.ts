import { PubSub } from 'graphql-subscriptions';
import type { MemoryContender } from '../../memory/contender.ts';

export const contender: MemoryContender = {
  awaited: true,
  async open(subscribers, onEvent) {
    const pubSub = new PubSub<{ orders: unknown }>();
    for (let at = 0; at < subscribers; at += 1) await pubSub.subscribe('orders', (data: unknown) => onEvent(data));
    return { publish: (data) => pubSub.publish('orders', data) };
  },
};
