import { connect } from '@polycast/core';
import { memory } from '@polycast/memory';

/** Does the heap return to where it was? Runs with --expose-gc. Argument: how many cycles. */
const cycles = Number(process.argv[2]);
const options = { transport: memory(), topic: 'orders' };
const publisher = await connect({ ...options, self: { role: 'till' } });
const listener = await connect({ ...options, self: { role: 'kitchen' } });
let handled = 0;
await listener.subscribe(() => {
  handled += 1;
});
await publish(cycles / 10);
const before = settledHeap();
await publish(cycles);
const after = settledHeap();
process.send!({ grownBytes: after - before, beforeBytes: before, handled: handled === cycles + cycles / 10 });

async function publish(count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await publisher.publish({ type: 'order.moved', data: { order: at } });
}

function settledHeap(): number {
  for (let round = 0; round < 3; round += 1) globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
