import { MAX_PENDING_EVENTS } from '../contract/contract.ts';
import type { Runtime } from '../timing/runtime.ts';
import type { Timer } from '../timing/timer.ts';
import type { LiveDelivery } from './delivery.ts';

/** How long an event waits for room in a full buffer, ms. */
export const MAX_WAIT_FOR_ROOM_MS = 5_000;

interface Guest {
  readonly delivery: LiveDelivery;
  readonly untilMs: number;
}

/**
 * Where events wait that a full buffer has no room for, on transports whose publishers wait meanwhile: in order, for a bounded time and
 * in a bounded number. What waits too long is given up.
 */
export class WaitingRoom {
  readonly #runtime: Runtime;
  readonly #giveUp: (deliveries: readonly LiveDelivery[]) => void;
  #guests: Guest[] = [];
  #timer: Timer | undefined;

  constructor(runtime: Runtime, giveUp: (deliveries: readonly LiveDelivery[]) => void) {
    this.#runtime = runtime;
    this.#giveUp = giveUp;
  }

  get length(): number {
    return this.#guests.length;
  }

  /** @returns false if there is no room here either */
  add(delivery: LiveDelivery): boolean {
    if (this.#guests.length >= MAX_PENDING_EVENTS) return false;
    this.#guests.push({ delivery, untilMs: this.#runtime.nowMs() + MAX_WAIT_FOR_ROOM_MS });
    this.#timer ??= this.#runtime.after(MAX_WAIT_FOR_ROOM_MS, this.#expire);
    return true;
  }

  /** The first ones, at most `count`. */
  take(count: number): LiveDelivery[] {
    const taken = this.#guests.splice(0, count).map(({ delivery }) => delivery);
    if (this.#guests.length === 0) this.#stop();
    return taken;
  }

  readonly #expire = (): void => {
    this.#timer = undefined;
    const nowMs = this.#runtime.nowMs();
    const staying = this.#guests.findIndex(({ untilMs }) => untilMs > nowMs);
    const late = this.take(staying < 0 ? this.#guests.length : staying);
    const first = this.#guests[0];
    if (first !== undefined) this.#timer = this.#runtime.after(Math.max(1, first.untilMs - nowMs), this.#expire);
    if (late.length > 0) this.#giveUp(late);
  };

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
