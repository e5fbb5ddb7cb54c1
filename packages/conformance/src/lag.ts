/** How often the machine is asked, ms. */
const TICK_MS = 20;
/** Share of a new measurement in the mean. */
const WEIGHT = 0.1;
/** However busy the machine: what takes longer than so many times its limit is stuck. */
const MAX_STRETCH = 8;

/**
 * How late this process wakes up: on a busy machine, limits that stand for "soon" are stretched by as much. Keeps no
 * process alive.
 */
class Lag {
  #meanMs = 0;
  #worstMs = 0;
  #users = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Measures until the returned function has been called. */
  measure(): () => void {
    if (++this.#users === 1) this.#start();
    return () => {
      if (--this.#users === 0) clearInterval(this.#timer);
    };
  }

  #start(): void {
    let due = performance.now() + TICK_MS;
    this.#timer = setInterval(() => {
      const now = performance.now();
      const late = Math.max(0, now - due);
      due = now + TICK_MS;
      this.#meanMs += (late - this.#meanMs) * WEIGHT;
      this.#worstMs = Math.max(late, this.#worstMs * (1 - WEIGHT / 4));
    }, TICK_MS);
    (this.#timer as { unref?(): void }).unref?.();
  }

  /** By how much limits are to be stretched now: 1 on a calm machine. */
  get stretch(): number {
    return Math.min(MAX_STRETCH, 1 + this.#meanMs / TICK_MS);
  }

  /** About the longest delay of a timer lately, ms. */
  get worstMs(): number {
    return this.#worstMs;
  }
}

/** Of this process: all that runs in it shares its clock and its core. */
export const lag = new Lag();
