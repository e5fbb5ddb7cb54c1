import type { LatencyDriver } from '@polycast/measure';
import type { Redis } from 'ioredis';

/** What the drivers below need of a client: ioredis 5 and 6 alike. */
export type RedisClient = Pick<Redis, 'publish' | 'subscribe' | 'on' | 'quit'>;

/** Bare ioredis: a JSON text a message and nothing around it. */
export function ioredisDriver(makeClient: (url: string) => RedisClient): LatencyDriver {
  return {
    async openPublisher({ url, topic }) {
      const client = makeClient(url);
      return {
        publish: (data) => client.publish(topic, JSON.stringify(data)),
        close: async () => void (await client.quit()),
      };
    },
    async openSubscriber({ url, topic }, _index, onPayload) {
      const client = makeClient(url);
      client.on('message', (_channel: string, text: string) => onPayload(JSON.parse(text)));
      await client.subscribe(topic);
      return { close: async () => void (await client.quit()) };
    },
  };
}
