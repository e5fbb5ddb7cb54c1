import { Worker } from 'node:worker_threads';
import { builtFile } from './built-file.ts';
import { nowMs } from './clock.ts';

/** Shortest time between two ticks. Faster rates send several events a tick, and their publish delay shows it. */
const MIN_STEP_MS = 0.25;

/**
 * Calls `due(number, intendedMs)` for the events 0 to below `count` at a fixed rate, whatever becomes of the earlier ones
 * (an open loop), never before its time. Resolves after the last call.
 */
export async function atFixedRate(
  {
    ratePerSecond,
    count,
    startMs,
    signal,
  }: { ratePerSecond: number; count: number; startMs: number; signal?: AbortSignal },
  due: (number: number, intendedMs: number) => void,
): Promise<void> {
  const intervalMs = 1000 / ratePerSecond;
  const flags = new Int32Array(new SharedArrayBuffer(8));
  const thread = new Worker(builtFile('ticker-thread'), {
    workerData: { startMs, stepMs: Math.max(MIN_STEP_MS, intervalMs), flags },
    execArgv: [],
  });
  try {
    await new Promise<void>((resolve, reject) => {
      let next = 0;
      if (signal?.aborted) return resolve();
      signal?.addEventListener('abort', () => resolve(), { once: true });
      thread.on('error', reject);
      thread.on('message', () => {
        Atomics.store(flags, 1, 0);
        for (const untilMs = nowMs(); next < count && startMs + next * intervalMs <= untilMs; next += 1) {
          due(next, startMs + next * intervalMs);
        }
        if (next >= count) resolve();
      });
    });
  } finally {
    Atomics.store(flags, 0, 1);
    Atomics.notify(flags, 0);
    await thread.terminate();
  }
}
