import { ServiceBroker } from 'moleculer';
import type { MemoryContender } from '../../memory/contender.ts';

export const contender: MemoryContender = {
  awaited: true,
  async open(subscribers, onEvent) {
    const broker = new ServiceBroker({ logger: false });
    for (let at = 0; at < subscribers; at += 1) {
      broker.createService({
        name: `listener-${at}`,
        events: { orders: { handler: (context: { params: unknown }) => onEvent(context.params) } },
      });
    }
    await broker.start();
    return { publish: (data) => broker.broadcast('orders', data) };
  },
};
