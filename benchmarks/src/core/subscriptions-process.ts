import { connect } from '@polycast/core';
import { memory } from '@polycast/memory';

/** How much heap a subscription takes. Runs with --expose-gc. Argument: how many. */
const count = Number(process.argv[2]);
const broadcaster = await connect({ transport: memory(), topic: 'orders', self: { role: 'kitchen' } });
let handled = 0;
const handler = () => {
  handled += 1;
};
for (let at = 0; at < 1_000; at += 1) await broadcaster.subscribe(handler);
const before = settledHeap();
for (let at = 0; at < count; at += 1) await broadcaster.subscribe(handler);
const after = settledHeap();
// They are all alive: one event reaches each.
const publisher = await connect({ transport: memory(), topic: 'orders', self: { role: 'till' } });
await publisher.publish({ type: 'order.moved' });
for (let turn = 0; turn < 10_000 && handled < count + 1_000; turn += 1)
  await new Promise((resolve) => setImmediate(resolve));
process.send!({ bytesEach: (after - before) / count, reached: handled === count + 1_000 });

function settledHeap(): number {
  for (let round = 0; round < 3; round += 1) globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
