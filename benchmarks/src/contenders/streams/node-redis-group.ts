import type { LatencyDriver } from '@polycast/measure';
import { createClient } from 'redis';
import { MAX_LENGTH } from '../../wire/stream-reader.ts';

type Reply = { messages: { id: string; message: { data: string } }[] }[] | null;

export const driver: LatencyDriver = {
  async openPublisher({ url, topic }) {
    const client = await createClient({ url }).connect();
    const trim = { TRIM: { strategy: 'MAXLEN', strategyModifier: '~', threshold: MAX_LENGTH } } as const;
    return {
      publish: (data) => client.xAdd(topic, '*', { data: JSON.stringify(data) }, trim),
      close: async () => void (await client.close()),
    };
  },
  async openSubscriber({ url, topic }, _index, onPayload) {
    const [reader, acknowledger] = [await createClient({ url }).connect(), await createClient({ url }).connect()];
    await reader.xGroupCreate(topic, 'cooks', '$', { MKSTREAM: true });
    let closed = false;
    const loop = async () => {
      while (!closed) {
        const streams = [{ key: topic, id: '>' }];
        const reply = (await reader.xReadGroup('cooks', 'cook-1', streams, { COUNT: 500, BLOCK: 2_000 })) as Reply;
        const messages = reply?.[0]?.messages ?? [];
        for (const { message } of messages) onPayload(JSON.parse(message.data));
        if (messages.length > 0)
          void acknowledger.xAck(
            topic,
            'cooks',
            messages.map(({ id }) => id),
          );
      }
    };
    loop().catch(() => {});
    return {
      async close() {
        closed = true;
        reader.destroy();
        acknowledger.destroy();
      },
    };
  },
};
