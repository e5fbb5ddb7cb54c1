import type { Lease, Settlement } from '../contract/transport.ts';

/**
 * Several holds of the service on one event that we handle once: messages that were published twice. Each is settled and renewed, and one
 * that is good is enough.
 */
export class SharedLease implements Lease {
  readonly attempt: number;
  readonly ageMs: number | undefined;
  readonly position?: string;
  readonly renew?: () => Promise<void>;
  /** The latest last. */
  readonly #leases: readonly Lease[];

  private constructor(leases: readonly Lease[]) {
    const last = leases.at(-1) as Lease;
    this.#leases = leases;
    this.attempt = Math.max(...leases.map(({ attempt }) => attempt));
    this.ageMs = last.ageMs;
    if (last.position !== undefined) this.position = last.position;
    if (leases.some(({ renew }) => renew !== undefined))
      this.renew = () => any(leases, async (lease) => lease.renew?.());
  }

  /** What holds the event when one more lease has come. One that is the next attempt of a message takes the place of that message's lease. */
  static of(before: Lease, lease: Lease): Lease {
    const all = before instanceof SharedLease ? before.#leases : [before];
    const isNext = (one: Lease) => lease.attempt > one.attempt && lease.position === one.position;
    const lost = all.length === 1 || lease.position !== undefined ? all.filter(isNext) : [];
    // So their owner learns that it has lost them.
    for (const one of lost) one.renew?.().catch(() => {});
    const kept = all.filter((one) => !lost.includes(one));
    return kept.length === 0 ? lease : new SharedLease([...kept, lease]);
  }

  async settle(settlement: Settlement): Promise<void> {
    const accept = async (lease: Lease) => lease.settle({ kind: 'accept' });
    if (settlement.kind === 'accept') return any(this.#leases, accept);
    // Of several messages with one event, one is enough to come again or to be kept: the one that was handled, unless its lock is lost.
    const left = [...this.#leases];
    for (let lease = left.shift(); lease !== undefined; lease = left.shift()) {
      try {
        await lease.settle(settlement);
      } catch (thrown) {
        if (left.length === 0) throw thrown;
        continue;
      }
      return any(left.splice(0), accept).catch(() => {});
    }
  }
}

/** Rejects only if it could be done with none of them. */
async function any(leases: readonly Lease[], action: (lease: Lease) => Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled(leases.map(action));
  if (outcomes.every(({ status }) => status === 'rejected')) throw (outcomes.at(-1) as PromiseRejectedResult).reason;
}
