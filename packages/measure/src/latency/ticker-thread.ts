import { parentPort, workerData } from 'node:worker_threads';
import { nowMs } from './clock.ts';

/** Wakes its parent at exact times. Timers of the event loop are only good to a millisecond; this is to about 0.1 ms. */
const { startMs, stepMs, flags } = workerData as { startMs: number; stepMs: number; flags: Int32Array };

for (let tick = 0; Atomics.load(flags, 0) === 0; tick += 1) {
  const waitMs = startMs + tick * stepMs - nowMs();
  if (waitMs > 0) Atomics.wait(flags, 0, 0, waitMs);
  // One unread tick is enough: a parent that is behind catches up on all that is due.
  if (Atomics.exchange(flags, 1, 1) === 0) parentPort!.postMessage(0);
}
