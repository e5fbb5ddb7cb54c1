import type { Clock } from '@polycast/local-services/service-bus';

/** Longest that a timer takes. */
const MAX_DELAY_MS = 2_147_483_647;

/** The clock of a service that is not ours: fast or slow by so much, and it can jump. */
export class ShiftedClock implements Clock {
  readonly #alarms = new Set<{ readonly atMs: number; readonly task: () => void; timer: NodeJS.Timeout | undefined }>();
  #byMs: number;

  constructor(byMs = 0) {
    this.#byMs = byMs;
  }

  now(): number {
    return Date.now() + this.#byMs;
  }

  at(atMs: number, task: () => void): () => void {
    const alarm = { atMs, task, timer: undefined as NodeJS.Timeout | undefined };
    this.#alarms.add(alarm);
    this.#set(alarm);
    return () => {
      clearTimeout(alarm.timer);
      this.#alarms.delete(alarm);
    };
  }

  /** So much time passes at once. */
  advance(ms: number): void {
    this.#byMs += ms;
    for (const alarm of [...this.#alarms].sort((one, other) => one.atMs - other.atMs)) {
      clearTimeout(alarm.timer);
      if (this.#alarms.has(alarm)) this.#set(alarm);
    }
  }

  #set(alarm: { readonly atMs: number; readonly task: () => void; timer: NodeJS.Timeout | undefined }): void {
    const ring = () => {
      this.#alarms.delete(alarm);
      alarm.task();
    };
    alarm.timer = setTimeout(ring, Math.min(MAX_DELAY_MS, Math.max(0, alarm.atMs - this.now()))).unref();
  }
}
