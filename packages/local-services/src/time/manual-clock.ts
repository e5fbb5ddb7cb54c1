import type { Clock } from './clock.ts';

/** A clock that stands still until it is told to go on. */
export interface ManualClock extends Clock {
  /** How many timers are set. */
  readonly timers: number;
  /** Lets time pass: timers ring on the way, each at its time. */
  advance(ms: number): void;
  /** Lets time pass without any timer noticing, as when the process is busy. */
  stall(ms: number): void;
}

/** What it shows at first: 1 January 2026. */
export const START_MS = Date.UTC(2026, 0, 1);

export function manualClock(): ManualClock {
  let now = START_MS;
  const tasks = new Set<{ atMs: number; task: () => void }>();
  return {
    now: () => now,
    at(atMs, task) {
      const entry = { atMs, task };
      tasks.add(entry);
      return () => tasks.delete(entry);
    },
    get timers() {
      return tasks.size;
    },
    advance(ms) {
      const until = now + ms;
      for (;;) {
        let next: { atMs: number; task: () => void } | undefined;
        for (const entry of tasks)
          if (entry.atMs <= until && entry.atMs < (next?.atMs ?? Number.POSITIVE_INFINITY)) next = entry;
        if (next === undefined) break;
        tasks.delete(next);
        now = Math.max(now, next.atMs);
        next.task();
      }
      now = until;
    },
    stall(ms) {
      now += ms;
    },
  };
}
