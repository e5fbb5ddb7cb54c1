import type { Lease, Settlement } from '../contract/transport.ts';

/**
 * Divides one hold of the service among several deliveries: the events of one message, or one event for several subscriptions. The service
 * hears once, when the last of them is settled: it gets the message back if one is to come again (after the longest delay, with the greatest
 * number of attempts), else has it set aside if one is, else it is accepted. Renewals that are asked for at once are one.
 *
 * `position` goes with the last of them alone: what follows it is what follows the whole message.
 * @param count at least 1; 1 gives a lease that behaves as the one it is given
 */
export function divideLease(lease: Lease, count: number): Lease[] {
  let left = count;
  let outcome: Settlement = { kind: 'accept' };
  let renewing: Promise<void> | undefined;
  const renew = () => {
    renewing ??= (lease.renew as () => Promise<void>).call(lease).finally(() => {
      renewing = undefined;
    });
    return renewing;
  };
  const settleShare = (): Lease['settle'] => {
    let isIn = false;
    return (settlement) => {
      outcome = worse(outcome, settlement);
      // What was refused is asked for again.
      if (!isIn) left--;
      isIn = true;
      return left === 0 ? lease.settle(outcome) : undefined;
    };
  };
  return Array.from({ length: count }, (_, at) => ({
    attempt: lease.attempt,
    ageMs: lease.ageMs,
    lockedForMs: lease.lockedForMs,
    ...(lease.position === undefined || at < count - 1 ? {} : { position: lease.position }),
    settle: settleShare(),
    ...(lease.renew === undefined ? {} : { renew }),
  }));
}

/** What both of two deliveries ask for, together. */
function worse(one: Settlement, other: Settlement): Settlement {
  if (one.kind !== 'release' || other.kind !== 'release') return RANKS[other.kind] >= RANKS[one.kind] ? other : one;
  const delayMs = Math.max(one.delayMs, other.delayMs);
  const attempts = Math.max(one.attempts ?? -1, other.attempts ?? -1);
  return attempts < 0 ? { kind: 'release', delayMs } : { kind: 'release', delayMs, attempts };
}

const RANKS = { accept: 0, 'dead-letter': 1, release: 2 } as const;
