import { connect } from '@polycast/core';
import { memory } from '@polycast/memory';
import type { MemoryContender } from '../../memory/contender.ts';

/** The whole contract on: addresses, TTL, sequence, isolation of handlers, settlement. */
export const contender: MemoryContender = {
  awaited: true,
  async open(subscribers, onEvent) {
    const publisher = await connect({ transport: memory(), topic: 'orders', self: { role: 'till' } });
    const listener = await connect({ transport: memory(), topic: 'orders', self: { role: 'kitchen' } });
    for (let at = 0; at < subscribers; at += 1) await listener.subscribe((event) => onEvent(event.data));
    return { publish: (data) => publisher.publish({ type: 'order.moved', data }) };
  },
};
