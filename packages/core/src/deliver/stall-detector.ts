import type { Signal } from '../contract/signal.ts';
import type { Runtime } from '../timing/runtime.ts';
import type { Timer } from '../timing/timer.ts';
import type { LiveDelivery } from './delivery.ts';
import type { SubscriptionSettings } from './subscription-settings.ts';

/** Whose deliveries are watched. */
export interface MonitoredSubscription {
  readonly settings: SubscriptionSettings;
  readonly runtime: Runtime;
  /** Everything being handled, and all that is held under a lease. */
  held(): Iterable<LiveDelivery>;
  /** Somebody else has it now. */
  abandon(delivery: LiveDelivery): void;
  report(signal: Signal): void;
}

/** Tells when a handler does not return. Its timer runs only while it must. */
export class StallDetector {
  readonly #watched: MonitoredSubscription;
  #timer: Timer | undefined;

  constructor(watched: MonitoredSubscription) {
    this.#watched = watched;
  }

  /** A handler runs that did not return at once. */
  handlerStarted(): void {
    if (this.#timer !== undefined) return;
    const { stalledAfterMs } = this.#watched.settings;
    this.#timer = this.#watched.runtime.after(stalledAfterMs, () => {
      this.#timer = undefined;
      let oldestMs = Number.POSITIVE_INFINITY;
      for (const { startedAtMs } of this.#watched.held())
        if (startedAtMs > 0) oldestMs = Math.min(oldestMs, startedAtMs);
      if (oldestMs === Number.POSITIVE_INFINITY) return;
      const sinceMs = this.#watched.runtime.nowMs() - oldestMs;
      if (sinceMs >= stalledAfterMs) this.#watched.report({ kind: 'stalled', what: 'handler', sinceMs });
      this.handlerStarted();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
