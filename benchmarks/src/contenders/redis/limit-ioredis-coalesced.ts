import type { LatencyDriver } from '@polycast/measure';
import { Redis } from 'ioredis';
import { makeCoalescer } from '../../wire/coalescer.ts';

/** The wall: one JSON array a PUBLISH, and nothing of a contract. */
export const driver: LatencyDriver = {
  async openPublisher({ url, topic }) {
    const client = new Redis(url);
    const publish = makeCoalescer((batch) => client.publish(topic, JSON.stringify(batch)));
    return { publish, close: async () => void (await client.quit()) };
  },
  async openSubscriber({ url, topic }, _index, onPayload) {
    const client = new Redis(url);
    client.on('message', (_channel, text) => {
      for (const data of JSON.parse(text) as unknown[]) onPayload(data);
    });
    await client.subscribe(topic);
    return { close: async () => void (await client.quit()) };
  },
};
