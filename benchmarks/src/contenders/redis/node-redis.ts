import type { LatencyDriver } from '@polycast/measure';
import { createClient } from 'redis';

export const driver: LatencyDriver = {
  async openPublisher({ url, topic }) {
    const client = await createClient({ url }).connect();
    return {
      publish: (data) => client.publish(topic, JSON.stringify(data)),
      close: async () => void (await client.close()),
    };
  },
  async openSubscriber({ url, topic }, _index, onPayload) {
    const client = await createClient({ url }).connect();
    await client.subscribe(topic, (text) => onPayload(JSON.parse(text)));
    return { close: async () => client.destroy() };
  },
};
