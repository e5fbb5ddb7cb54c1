import mitt, { type Emitter } from 'mitt';
import type { MemoryContender } from '../../memory/contender.ts';

type Events = { orders: unknown };

export const contender: MemoryContender = {
  awaited: false,
  async open(subscribers, onEvent) {
    // The package's types say it is CommonJS, where the default export would be a namespace.
    const emitter = (mitt as unknown as () => Emitter<Events>)();
    for (let at = 0; at < subscribers; at += 1) emitter.on('orders', (data) => onEvent(data));
    return { publish: (data) => emitter.emit('orders', data) };
  },
};
