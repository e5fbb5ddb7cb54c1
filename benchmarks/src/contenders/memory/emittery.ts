import Emittery from 'emittery';
import type { MemoryContender } from '../../memory/contender.ts';

export const contender: MemoryContender = {
  awaited: true,
  async open(subscribers, onEvent) {
    const emitter = new Emittery<{ orders: unknown }>();
    for (let at = 0; at < subscribers; at += 1) emitter.on('orders', (data) => onEvent(data));
    return { publish: (data) => emitter.emit('orders', data) };
  },
};
