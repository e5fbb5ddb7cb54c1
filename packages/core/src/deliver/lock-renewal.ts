import { PolycastError } from '../contract/error.ts';
import type { Timer } from '../timing/timer.ts';
import type { LiveDelivery } from './delivery.ts';
import type { MonitoredSubscription } from './stall-detector.ts';

/** Renews the locks of what a subscription holds, and knows when those end that cannot be renewed. Its timers run only while they must. */
export class LockRenewal {
  readonly #watched: MonitoredSubscription;
  #renewTimer: Timer | undefined;
  /** When the first of the locks ends that cannot be renewed. */
  #endTimer: Timer | undefined;
  #endsMs = Number.POSITIVE_INFINITY;

  constructor(watched: MonitoredSubscription) {
    this.#watched = watched;
  }

  /** Something is held whose lock runs out. */
  leaseTaken(): void {
    this.#renewTimer ??= this.#watched.runtime.every(this.#watched.settings.renewEveryMs, () => {
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
    this.#renewTimer?.cancel();
  }

  /** Only a lost lock is final: anything else may pass by the next renewal. */
  #renewalFailed(delivery: LiveDelivery, error: PolycastError): void {
    if (error.code === 'lock-lost') return this.#lost(delivery, error);
    this.#watched.report({ kind: 'failed', what: 'settle', error });
  }

  #lost(delivery: LiveDelivery, error: PolycastError): void {
    this.#watched.abandon(delivery);
    this.#watched.report({ kind: 'failed', what: 'settle', error });
  }
}
