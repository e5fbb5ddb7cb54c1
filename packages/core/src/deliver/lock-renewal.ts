import { PolycastError } from '../contract/error.ts';
import type { Timer } from '../timing/timer.ts';
import type { LiveDelivery } from './delivery.ts';
import type { Watched } from './delivery-watch.ts';

/** Renews the locks of what a subscription holds. Its timer runs only while it must. */
export class LockRenewal {
  readonly #watched: Watched;
  #timer: Timer | undefined;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** Something is held whose lock runs out. */
  leaseTaken(): void {
    this.#timer ??= this.#watched.runtime.every(this.#watched.settings.renewEveryMs, () => {
      let renewed = 0;
      for (const delivery of [...this.#watched.held()]) {
        // Its lock is lost, which was told: its handler may run for long after that.
        if (delivery.abandoned) continue;
        const renewal = delivery.lease?.renew?.();
        if (renewal === undefined) continue;
        renewed++;
        renewal.catch((thrown: unknown) => this.#failed(delivery, PolycastError.from(thrown)));
      }
      if (renewed > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Only a lost lock is final: anything else may pass by the next renewal. */
  #failed(delivery: LiveDelivery, error: PolycastError): void {
    if (error.code === 'lock-lost') this.#watched.abandon(delivery);
    this.#watched.tell({ kind: 'failed', what: 'settle', error });
  }
}
