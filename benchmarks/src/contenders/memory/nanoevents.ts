import { createNanoEvents } from 'nanoevents';
import type { MemoryContender } from '../../memory/contender.ts';

export const contender: MemoryContender = {
  awaited: false,
  async open(subscribers, onEvent) {
    const emitter = createNanoEvents<{ orders(data: unknown): void }>();
    for (let at = 0; at < subscribers; at += 1) emitter.on('orders', (data) => onEvent(data));
    return { publish: (data) => emitter.emit('orders', data) };
  },
};
