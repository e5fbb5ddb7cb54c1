import { Redis } from 'ioredis';

/** Entries kept, roughly: what `@polycast/redis` keeps as well. */
export const MAX_LENGTH = 100_000;
const COUNT = 500;
const BLOCK_MS = 2_000;
type Reply = [stream: string, entries: [id: string, fields: string[]][]][] | null;

/** Bare ioredis in a read loop, with or without a consumer group. `onText` gets the first field of each entry. */
export async function readStream(
  url: string,
  topic: string,
  mode: 'plain' | 'group',
  onText: (text: string) => void,
): Promise<{ close(): Promise<void> }> {
  const [reader, acknowledger] = [new Redis(url), new Redis(url)];
  if (mode === 'group') await reader.xgroup('CREATE', topic, 'cooks', '$', 'MKSTREAM');
  let closed = false;
  let last = '0';
  const loop = async () => {
    while (!closed) {
      const reply = (await (mode === 'group'
        ? reader.xreadgroup('GROUP', 'cooks', 'cook-1', 'COUNT', COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', topic, '>')
        : reader.xread('COUNT', COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', topic, last))) as Reply;
      const entries = reply?.[0]?.[1] ?? [];
      for (const [, fields] of entries) onText(fields[1]!);
      if (entries.length === 0) continue;
      last = entries.at(-1)![0];
      if (mode === 'group') void acknowledger.xack(topic, 'cooks', ...entries.map(([id]) => id));
    }
  };
  loop().catch(() => {});
  return {
    async close() {
      closed = true;
      reader.disconnect();
      acknowledger.disconnect();
    },
  };
}
