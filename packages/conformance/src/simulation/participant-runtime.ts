import type { Runtime, Timer } from '@polycast/core/simulation';
import { seeded } from '../random.ts';
import type { Clock } from './clock.ts';

/** What wall clocks show when a history begins. */
export const START_WALL_MS = Date.UTC(2026, 0, 1);

/** One participant's clocks, timers and dice, all of them virtual. It counts what is still open. */
export class ParticipantRuntime implements Runtime {
  readonly #clock: Clock;
  readonly #dice: () => number;
  readonly #startMs: number;
  #lastEpochMs = 0;
  /** Runs and stops with its participant. */
  isCrashed = false;
  /** How far its wall clock is off, ms. It may jump. */
  wallOffsetMs: number;
  /** Timers that have neither fired nor been cancelled. */
  timers = 0;
  /** `hold` calls without their `release`. */
  holds = 0;

  /** @param isShared it lives in one process with the others: they have one clock */
  constructor(clock: Clock, seed: number, wallOffsetMs: number, isShared: boolean) {
    this.#clock = clock;
    this.#dice = seeded(seed);
    this.#startMs = isShared ? 0 : clock.nowMs - 1_000 * (seed % 1_000);
    this.wallOffsetMs = wallOffsetMs;
  }

  readonly wallMs = (): number => START_WALL_MS + Math.floor(this.#clock.nowMs) + this.wallOffsetMs;

  readonly nowMs = (): number => this.#clock.nowMs - this.#startMs;

  readonly epochMs = (): number => {
    this.#lastEpochMs = Math.max(this.wallMs(), this.#lastEpochMs + 1);
    return this.#lastEpochMs;
  };

  readonly random = (): number => this.#dice();

  readonly randomBits = (): number => Math.floor(this.#dice() * 2 ** 32);

  readonly after = (delayMs: number, task: () => void): Timer => {
    let isOpen = true;
    this.timers++;
    const close = () => {
      if (isOpen) this.timers--;
      isOpen = false;
    };
    const due = this.#clock.after(delayMs, () => {
      close();
      if (!this.isCrashed) task();
    });
    return {
      cancel: () => {
        due.isCancelled = true;
        close();
      },
    };
  };

  readonly every = (periodMs: number, task: () => void): Timer => {
    let isOpen = true;
    this.timers++;
    let due = this.#clock.after(periodMs, () => fire());
    const fire = () => {
      if (this.isCrashed) return;
      due = this.#clock.after(periodMs, fire);
      task();
    };
    return {
      cancel: () => {
        due.isCancelled = true;
        if (isOpen) this.timers--;
        isOpen = false;
      },
    };
  };

  readonly soon = (task: () => void): void => process.nextTick(task);

  readonly hold = (): void => {
    this.holds++;
  };

  readonly release = (): void => {
    this.holds--;
  };
}
