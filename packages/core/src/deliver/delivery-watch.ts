import { PolycastError } from '../contract/error.ts';
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

/** Renews the locks of what a subscription holds, and tells when a handler does not return. Its timers run only while they must. */
export class DeliveryWatch {
  readonly #watched: Watched;
  #stallTimer: Timer | undefined;
  #renewTimer: Timer | undefined;
  /** When the first of the locks ends that cannot be renewed. */
  #endTimer: Timer | undefined;
  #endsMs = Number.POSITIVE_INFINITY;

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

  /** Something is held whose lock runs out. */
  leaseTaken(): void {
    this.#renewTimer ??= this.#watched.runtime.every(this.#watched.settings.lockMs / 3, () => {
      let renewed = 0;
      for (const delivery of [...this.#watched.held()]) {
        // Its lock is lost, which was told: its handler may run for long after that.
        if (delivery.abandoned) continue;
        const { lease } = delivery;
        const renewal = lease?.renew?.();
        if (renewal === undefined) continue;
        renewed++;
        renewal.catch((thrown: unknown) => {
          // Another has taken its place meanwhile.
          if (delivery.lease === lease) this.#renewalFailed(delivery, PolycastError.from(thrown));
        });
      }
      if (renewed > 0) return;
      this.#renewTimer?.cancel();
      this.#renewTimer = undefined;
    });
  }

  /** Something is held whose lock ends, come what may. */
  lockTaken(endsMs: number): void {
    if (endsMs >= this.#endsMs) return;
    this.#endTimer?.cancel();
    this.#endsMs = endsMs;
    const { runtime } = this.#watched;
    this.#endTimer = runtime.after(Math.max(0, endsMs - runtime.nowMs()), this.#endLocks);
  }

  readonly #endLocks = (): void => {
    this.#endsMs = Number.POSITIVE_INFINITY;
    this.#endTimer = undefined;
    const nowMs = this.#watched.runtime.nowMs();
    for (const delivery of [...this.#watched.held()]) {
      const { lockEndsMs } = delivery;
      if (lockEndsMs === 0 || delivery.abandoned || delivery.settled) continue;
      if (lockEndsMs > nowMs) this.lockTaken(lockEndsMs);
      else this.#lost(delivery, new PolycastError('lock-lost', 'the lock, which cannot be renewed, has ended'));
    }
  };

  stop(): void {
    this.#endTimer?.cancel();
    this.#stallTimer?.cancel();
    this.#renewTimer?.cancel();
  }

  /** Only a lost lock is final: anything else may pass by the next renewal. */
  #renewalFailed(delivery: LiveDelivery, error: PolycastError): void {
    if (error.code === 'lock-lost') return this.#lost(delivery, error);
    this.#watched.tell({ kind: 'failed', what: 'settle', error });
  }

  #lost(delivery: LiveDelivery, error: PolycastError): void {
    this.#watched.abandon(delivery);
    this.#watched.tell({ kind: 'failed', what: 'settle', error });
  }
}
