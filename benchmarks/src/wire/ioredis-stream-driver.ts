import type { LatencyDriver } from '@polycast/measure';
import { Redis } from 'ioredis';
import { makeCoalescer } from './coalescer.ts';
import { MAX_LENGTH, readStream } from './stream-reader.ts';

/** Bare ioredis, an XADD an event; coalesced: a JSON array an entry. */
export function ioredisStreamDriver(mode: 'plain' | 'group', coalesced: boolean): LatencyDriver {
  return {
    async openPublisher({ url, topic }) {
      const client = new Redis(url);
      const add = (data: unknown) => client.xadd(topic, 'MAXLEN', '~', MAX_LENGTH, '*', 'data', JSON.stringify(data));
      return { publish: coalesced ? makeCoalescer(add) : add, close: async () => void (await client.quit()) };
    },
    openSubscriber({ url, topic }, _index, onPayload) {
      const onText = coalesced
        ? (text: string) => {
            for (const data of JSON.parse(text) as unknown[]) onPayload(data);
          }
        : (text: string) => onPayload(JSON.parse(text));
      return readStream(url, topic, mode, onText);
    },
  };
}
