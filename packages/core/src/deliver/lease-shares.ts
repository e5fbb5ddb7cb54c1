import type { Lease, Settlement } from '../contract/transport.ts';
import type { HeldLease } from './held-lease.ts';

/**
 * Divides one hold of the service among several subscriptions. The service hears once, when the last of them has settled: it gets the
 * event back if one of them wants it again, sets it aside if none does but one gave it up, and is done with it otherwise.
 */
export function divideLease(lease: Lease, count: number): HeldLease[] {
  let left = count;
  let outcome: Settlement = { kind: 'accept' };
  const settleShare = (): Lease['settle'] => {
    let isIn = false;
    return (settlement) => {
      outcome = weightier(outcome, settlement);
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

const WEIGHTS: Readonly<Record<Settlement['kind'], number>> = { accept: 0, 'dead-letter': 1, release: 2 };

function weightier(one: Settlement, other: Settlement): Settlement {
  if (one.kind !== 'release' || other.kind !== 'release') return WEIGHTS[other.kind] > WEIGHTS[one.kind] ? other : one;
  const { tries } = one.tries === undefined || (other.tries ?? 0) > one.tries ? other : one;
  const delayMs = Math.max(one.delayMs, other.delayMs);
  return tries === undefined ? { kind: 'release', delayMs } : { kind: 'release', delayMs, tries };
}
