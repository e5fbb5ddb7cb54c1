import { PolycastError } from '../contract/error.ts';
import type { Signal } from '../contract/signal.ts';
import type { Lease, Settlement } from '../contract/transport.ts';

export const ACCEPT: Settlement = { kind: 'accept' };
export const RELEASE: Settlement = { kind: 'release', delayMs: 0 };

/** Settles leases of one source, tells what fails, and knows what is under way. */
export class Settler {
  readonly #report: (signal: Signal) => void;
  readonly #underWay = new Set<Promise<void>>();

  constructor(report: (signal: Signal) => void) {
    this.#report = report;
  }

  /** Does nothing for what came without a lease. Never throws. */
  settle(lease: Lease | undefined, settlement: Settlement): void {
    if (lease === undefined) return;
    try {
      const settling = lease.settle(settlement);
      if (settling !== undefined) this.track(settling);
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  /** `settle` with the commonest outcome: what loads us on demand need not download the settlements. */
  accept(lease: Lease | undefined): void {
    this.settle(lease, ACCEPT);
  }

  /** What no handler saw goes back to the service, and was no try. */
  giveBack(lease: Lease | undefined): void {
    if (lease !== undefined) this.settle(lease, { kind: 'release', delayMs: 0, attempts: lease.attempt - 1 });
  }

  /** A settlement is under way. */
  track(settling: Promise<void>): void {
    const settled = settling.catch(this.#failed).finally(() => this.#underWay.delete(settled));
    this.#underWay.add(settled);
  }

  /** Resolves when nothing is under way any more. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  readonly #failed = (thrown: unknown): void => {
    this.#report({ kind: 'failed', what: 'settle', error: PolycastError.from(thrown) });
  };
}
