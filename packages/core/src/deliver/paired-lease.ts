import { codeOf, PolycastError } from '../contract/error.ts';
import type { Lease, Settlement } from '../contract/transport.ts';
import type { HeldLease } from './held-lease.ts';

/**
 * An event that came twice, through the group and for this instance alone, and is handled once. Either hold may be lost: then another
 * member handles it for the group, and we handle it as the instance.
 */
export class PairedLease implements HeldLease {
  readonly isOurs = true;
  readonly attempt: number;
  readonly ageMs: number | undefined;
  readonly position?: string;
  #leases: readonly Lease[];
  /** One of the two came without a lease, which cannot be lost. */
  readonly isOnce: boolean;

  constructor(...both: readonly (Lease | undefined)[]) {
    this.#leases = both.filter((lease) => lease !== undefined);
    this.isOnce = this.#leases.length < both.length || both.some((lease) => (lease as HeldLease | undefined)?.isOnce);
    const last = this.#leases.at(-1);
    this.attempt = Math.max(1, ...this.#leases.map(({ attempt }) => attempt));
    this.ageMs = last?.ageMs;
    if (last?.position !== undefined) this.position = last.position;
  }

  async renew(): Promise<void> {
    const failures: unknown[] = [];
    const renew = async (lease: Lease): Promise<boolean> => {
      try {
        await lease.renew?.();
      } catch (thrown) {
        if (codeOf(thrown) === 'lock-lost') return false;
        failures.push(thrown);
      }
      return true;
    };
    const leases = this.#leases;
    const isKept = await Promise.all(leases.map(renew));
    this.#leases = leases.filter((_, at) => isKept[at]);
    if (this.#leases.length === 0 && !this.isOnce) throw lockLost();
    if (failures.length > 0) throw failures[0];
  }

  /** Both are accepted or go back; where it is set aside, one of them is. Rejects only if neither could be done. */
  async settle(settlement: Settlement): Promise<void> {
    if (settlement.kind === 'dead-letter') return this.#setAside(settlement);
    const outcomes = await Promise.allSettled(this.#leases.map(async (lease) => lease.settle(settlement)));
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
    if (failures.length > 0 && failures.length === outcomes.length) throw failures[0]?.reason;
  }

  /** By the first whose lock is good; the other one is done with then. */
  async #setAside(settlement: Settlement): Promise<void> {
    let failure: unknown = lockLost();
    let isKept = false;
    for (const lease of this.#leases) {
      try {
        await lease.settle(isKept ? { kind: 'accept' } : settlement);
        isKept = true;
      } catch (thrown) {
        failure = thrown;
      }
    }
    if (!isKept) throw failure;
  }
}

function lockLost(): PolycastError {
  return new PolycastError('lock-lost', 'the locks of both copies of the event were lost');
}
