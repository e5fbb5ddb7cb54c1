import type { Redis } from 'ioredis';

/** The server's clock is asked for again after so long, in ms, should somebody have set it. */
const REFRESH_AFTER_MS = 60_000;

/**
 * The server's wall clock, by which stream entries are named, reckoned with the monotonic clock of this process: how old
 * an entry is does not depend on what the clocks of publisher and subscriber say.
 */
export class ServerClock {
  /** Server time minus monotonic time, in ms; undefined while unknown, or where the user may not call TIME. */
  #offsetMs: number | undefined;
  #learntAtMs = Number.NEGATIVE_INFINITY;

  /**
   * One round trip, if the last was long ago. Never rejects.
   * @param isOther it may be another server by now
   */
  async refresh(redis: Redis | undefined, isOther = false): Promise<void> {
    const askedAtMs = performance.now();
    if (redis === undefined) return;
    if (!isOther && askedAtMs - this.#learntAtMs < REFRESH_AFTER_MS) return;
    this.#learntAtMs = askedAtMs;
    try {
      const [seconds, micros] = await redis.time();
      const serverMs = Number(seconds) * 1_000 + Number(micros) / 1_000;
      // It looked at its clock some time between.
      this.#offsetMs = serverMs - (askedAtMs + performance.now()) / 2;
    } catch {
      this.#learntAtMs = askedAtMs - REFRESH_AFTER_MS / 2;
    }
  }

  /**
   * A reply told the server's time, epoch ms.
   * @param askedAtMs when its command was sent, by the monotonic clock
   */
  learn(serverMs: number, askedAtMs: number): void {
    this.#learntAtMs = askedAtMs;
    this.#offsetMs = serverMs - (askedAtMs + performance.now()) / 2;
  }

  /** By the server's clock, epoch ms; undefined while it is unknown. */
  get nowMs(): number | undefined {
    return this.#offsetMs === undefined ? undefined : performance.now() + this.#offsetMs;
  }

  /** How long ago the server took the entry with this id, in ms; undefined while its clock is unknown. */
  ageMs(id: string): number | undefined {
    const takenAtMs = Number.parseInt(id, 10);
    const { nowMs } = this;
    if (nowMs === undefined || Number.isNaN(takenAtMs)) return undefined;
    return Math.max(0, nowMs - takenAtMs);
  }
}
