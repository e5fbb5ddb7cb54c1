/** What one batch of the service may hold of our bare 200-byte events: 256 KB with room to spare. */
const MAX_BATCH = 500;

/** Sends what is published in one turn together; the next batch waits for nothing. */
export function makeTurnBatch(send: (payloads: readonly unknown[]) => Promise<void>, maxBatch = MAX_BATCH) {
  let waiting: { payload: unknown; resolve: () => void; reject: (error: unknown) => void }[] = [];
  const flush = () => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxBatch);
      waiting = waiting.slice(maxBatch);
      send(batch.map(({ payload }) => payload)).then(
        () => {
          for (const { resolve } of batch) resolve();
        },
        (error: unknown) => {
          for (const { reject } of batch) reject(error);
        },
      );
    }
  };
  return (payload: unknown): Promise<void> =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ payload, resolve, reject });
    });
}
