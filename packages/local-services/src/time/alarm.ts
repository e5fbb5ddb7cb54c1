import type { Clock } from './clock.ts';

/** The one timer of an entity: it rings when the first of all the things that wait for a time is due. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: (now: number) => number;
  #atMs = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #stopped = false;

  /** @param ring does what is due; @returns when the next thing is, epoch ms, Infinity: nothing */
  constructor(clock: Clock, ring: (now: number) => number) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Something is due then. Asking for a later time than is set already costs nothing. */
  by(atMs: number): void {
    if (atMs >= this.#atMs || this.#stopped) return;
    this.#cancel?.();
    this.#atMs = atMs;
    this.#cancel = this.#clock.at(atMs, () => {
      this.#atMs = Number.POSITIVE_INFINITY;
      this.#cancel = undefined;
      this.by(this.#ring(this.#clock.now()));
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
