import type { LatencyDriver } from '@polycast/measure';
import { RedisMessageProvider } from '@qified/redis';
import { Qified } from 'qified';

const open = (url: string) => new Qified({ messageProviders: [new RedisMessageProvider({ uri: url })] });

export const driver: LatencyDriver = {
  async openPublisher({ url, topic }) {
    const qified = open(url);
    let id = 0;
    return { publish: (data) => qified.publish(topic, { id: String(id++), data }), close: () => qified.disconnect() };
  },
  async openSubscriber({ url, topic }, _index, onPayload) {
    const qified = open(url);
    await qified.subscribe(topic, { id: 'kitchen', handler: async (message) => onPayload(message.data) });
    return { close: () => qified.disconnect() };
  },
};
