/** Most messages of one batch. */
const MAX_BATCH = 256;
const MAX_IN_FLIGHT = 2;

interface Batch {
  readonly data: unknown[];
  readonly sent: Promise<unknown>;
  readonly settle: (taken: Promise<unknown>) => void;
}

/**
 * A sketch of what coalescing alone can reach, with no contract around it: an idle line sends in the same turn; while two
 * batches are under way the rest fills the next one.
 */
export function makeCoalescer(
  send: (batch: readonly unknown[]) => Promise<unknown>,
): (data: unknown) => Promise<unknown> {
  const batches: Batch[] = [];
  let inFlight = 0;
  let scheduled = false;
  const flush = () => {
    scheduled = false;
    while (batches.length > 0 && inFlight < MAX_IN_FLIGHT) {
      const { data, settle } = batches.shift()!;
      inFlight += 1;
      settle(
        send(data).finally(() => {
          inFlight -= 1;
          flush();
        }),
      );
    }
  };
  return (data) => {
    let batch = batches.at(-1);
    if (batch === undefined || batch.data.length >= MAX_BATCH) {
      batch = openBatch();
      batches.push(batch);
    }
    batch.data.push(data);
    if (!scheduled) {
      scheduled = true;
      process.nextTick(flush);
    }
    return batch.sent;
  };
}

function openBatch(): Batch {
  let settle: Batch['settle'] = () => {};
  const sent = new Promise<unknown>((resolve) => {
    settle = resolve;
  });
  return { data: [], sent, settle };
}
