import type { Lease, Settlement } from '../contract/transport.ts';
import type { HeldLease } from './held-lease.ts';

/**
 * Divides one hold of the service among several subscriptions. The service hears once, when the last of them has settled: it gets the
 * event back if one of them wants it again. Only one that has it to itself can have it set aside (see `HeldLease.isShared`).
 */
export function divideLease(lease: Lease, count: number): HeldLease[] {
  let left = count;
  let outcome: Settlement = { kind: 'accept' };
  const settleShare = (): Lease['settle'] => {
    let isIn = false;
    return (settlement) => {
      if (outcome.kind !== 'release') outcome = settlement;
      else if (settlement.kind === 'release') outcome = both(outcome, settlement);
      // What was refused is tried again.
      if (!isIn) left--;
      isIn = true;
      return left === 0 ? lease.settle(outcome) : undefined;
    };
  };
  return Array.from({ length: count }, () => ({
    isOurs: true,
    isShared: count > 1,
    whole: lease,
    attempt: lease.attempt,
    ageMs: lease.ageMs,
    lockedForMs: lease.lockedForMs,
    ...(lease.position === undefined ? {} : { position: lease.position }),
    settle: settleShare(),
    ...(lease.renew === undefined ? {} : { renew: () => lease.renew?.() as Promise<void> }),
  }));
}

type Release = Settlement & { readonly kind: 'release' };

/** After the longer delay, with the greater number of attempts. */
function both(one: Release, other: Release): Release {
  const delayMs = Math.max(one.delayMs, other.delayMs);
  const attempts = Math.max(one.attempts ?? -1, other.attempts ?? -1);
  return attempts < 0 ? { kind: 'release', delayMs } : { kind: 'release', delayMs, attempts };
}
