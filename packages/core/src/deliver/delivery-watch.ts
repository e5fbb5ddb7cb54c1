import type { Signal } from '../contract/signal.ts';
import type { Runtime } from '../timing/runtime.ts';
import type { Timer } from '../timing/timer.ts';
import type { LiveDelivery } from './delivery.ts';
import type { SubscriptionSettings } from './subscription-settings.ts';

/** Whose deliveries are watched. */
export interface Watched {
  readonly settings: SubscriptionSettings;
  readonly runtime: Runtime;
  /** Everything being handled, and all that is held under a lease. */
  held(): Iterable<LiveDelivery>;
  /** Somebody else has it now. */
  abandon(delivery: LiveDelivery): void;
  tell(signal: Signal): void;
}

/** Tells when a handler does not return. Its timer runs only while it must. */
export class DeliveryWatch {
  readonly #watched: Watched;
  #stallTimer: Timer | undefined;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** A handler runs that did not return at once. */
  handlerStarted(): void {
    if (this.#stallTimer !== undefined) return;
    const { stalledAfterMs } = this.#watched.settings;
    this.#stallTimer = this.#watched.runtime.after(stalledAfterMs, () => {
      this.#stallTimer = undefined;
      let oldestMs = Number.POSITIVE_INFINITY;
      for (const { startedAtMs } of this.#watched.held())
        if (startedAtMs > 0) oldestMs = Math.min(oldestMs, startedAtMs);
      if (oldestMs === Number.POSITIVE_INFINITY) return;
      const sinceMs = this.#watched.runtime.nowMs() - oldestMs;
      if (sinceMs >= stalledAfterMs) this.#watched.tell({ kind: 'stalled', what: 'handler', sinceMs });
      this.handlerStarted();
    });
  }

  stop(): void {
    this.#stallTimer?.cancel();
  }
}
