import type { Lease, Settlement } from '../contract/transport.ts';

/** Two holds of the service on one event that we handle once: each is settled and renewed, and one that is good is enough. */
export class SharedLease implements Lease {
  readonly attempt: number;
  readonly ageMs: number | undefined;
  readonly position?: string;
  readonly renew?: () => Promise<void>;
  readonly #first: Lease;
  readonly #second: Lease;

  constructor(first: Lease, second: Lease) {
    this.#first = first;
    this.#second = second;
    this.attempt = Math.max(first.attempt, second.attempt);
    this.ageMs = second.ageMs;
    if (second.position !== undefined) this.position = second.position;
    if (first.renew !== undefined || second.renew !== undefined) this.renew = () => both(first, second, renewed);
  }

  settle(settlement: Settlement): Promise<void> {
    // Of two messages with one event, one is enough to come again or to be kept.
    const ofSecond: Settlement = { kind: 'accept' };
    return both(this.#first, this.#second, async (lease) =>
      lease.settle(lease === this.#second ? ofSecond : settlement),
    );
  }
}

async function renewed(lease: Lease): Promise<void> {
  await lease.renew?.();
}

/** Rejects only if neither could be done. */
async function both(first: Lease, second: Lease, action: (lease: Lease) => Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled([action(first), action(second)]);
  if (outcomes.every(({ status }) => status === 'rejected')) throw (outcomes[1] as PromiseRejectedResult).reason;
}
