import mqemitter from 'mqemitter';
import type { MemoryContender } from '../../memory/contender.ts';

export const contender: MemoryContender = {
  awaited: true,
  async open(subscribers, onEvent) {
    const emitter = mqemitter();
    for (let at = 0; at < subscribers; at += 1) {
      // A listener of its own each: the same function twice would be one.
      emitter.on('orders', (message, done) => {
        onEvent(message.data);
        done();
      });
    }
    return {
      publish: (data) => new Promise<void>((resolve) => emitter.emit({ topic: 'orders', data }, () => resolve())),
    };
  },
};
