import { BusManager } from '@boringnode/bus';
import { MemoryTransport } from '@boringnode/bus/transports/memory';
import type { MemoryContender } from '../../memory/contender.ts';

export const contender: MemoryContender = {
  awaited: true,
  async open(subscribers, onEvent) {
    const transports: MemoryTransport[] = [];
    const made = () => {
      const transport = new MemoryTransport();
      transports.push(transport);
      return transport;
    };
    const bus = () => new BusManager({ default: 'main', transports: { main: { transport: made } } });
    const publisher = bus();
    // Its bus leaves out the publisher's own instance, and one instance has one handler a channel.
    for (let at = 0; at < subscribers; at += 1) await bus().subscribe('orders', (data) => onEvent(data));
    return {
      publish: (data) => publisher.publish('orders', data as never),
      tidy() {
        // It keeps every message it received, for tests.
        for (const transport of transports) transport.receivedMessages.length = 0;
      },
    };
  },
};
