import { MemoryMessageProvider, Qified } from 'qified';
import type { MemoryContender } from '../../memory/contender.ts';

export const contender: MemoryContender = {
  awaited: true,
  async open(subscribers, onEvent) {
    const qified = new Qified({ messageProviders: [new MemoryMessageProvider()] });
    for (let at = 0; at < subscribers; at += 1) {
      await qified.subscribe('orders', { id: `handler-${at}`, handler: async (message) => onEvent(message.data) });
    }
    let id = 0;
    return { publish: (data) => qified.publish('orders', { id: String(id++), data }) };
  },
};
