import { codeOf, PolycastError } from '../contract/error.ts';
import type { Lease, Settlement } from '../contract/transport.ts';
import type { Runtime } from '../timing/runtime.ts';
import type { HeldLease } from './held-lease.ts';

/**
 * An event that came twice, through the group and for this instance alone, and is handled once. Either hold may be lost: then another
 * member handles it for the group, and we handle it as the instance.
 */
export class PairedLease implements HeldLease {
  readonly isOurs = true;
  /** One of the two came without a lease, which cannot be lost. */
  readonly isOnce: boolean;
  readonly attempt: number;
  readonly ageMs: number | undefined;
  readonly position?: string;
  readonly #runtime: Runtime;
  #holds: readonly Hold[];

  /**
   * @param first what is held so far, if it came with a lease. `firstEndsMs`: when its lock ends, which cannot be renewed; 0: not by itself
   * @param second what has come now
   */
  constructor(runtime: Runtime, first: Lease | undefined, firstEndsMs: number, second: Lease | undefined) {
    this.#runtime = runtime;
    const holds: Hold[] = [];
    if (first instanceof PairedLease) holds.push(...first.#holds);
    else if (first !== undefined) holds.push({ lease: first, endsMs: firstEndsMs });
    if (second !== undefined) {
      const { lockedForMs } = second;
      holds.push({ lease: second, endsMs: lockedForMs === undefined ? 0 : runtime.nowMs() + lockedForMs });
    }
    this.#holds = holds;
    this.isOnce = first === undefined || second === undefined || (first as HeldLease).isOnce === true;
    this.attempt = Math.max(1, ...holds.map(({ lease }) => lease.attempt));
    const last = holds.at(-1)?.lease;
    this.ageMs = last?.ageMs;
    if (last?.position !== undefined) this.position = last.position;
  }

  /** Until the last of the locks ends, where all do. */
  get lockedForMs(): number | undefined {
    if (this.isOnce || this.#holds.some(({ endsMs }) => endsMs === 0)) return undefined;
    return Math.max(...this.#holds.map(({ endsMs }) => endsMs)) - this.#runtime.nowMs();
  }

  /** With none left there is nothing to set aside in the service either. */
  get isShared(): boolean {
    const leases: readonly HeldLease[] = this.#left();
    return leases.length === 0 || leases.some((lease) => lease.isShared);
  }

  /** Those whose locks have not ended by themselves. */
  #left(): Lease[] {
    const nowMs = this.#runtime.nowMs();
    return this.#holds.flatMap(({ lease, endsMs }) => (endsMs === 0 || endsMs > nowMs ? [lease] : []));
  }

  async renew(): Promise<void> {
    const failures: unknown[] = [];
    const renew = async ({ lease }: Hold): Promise<boolean> => {
      try {
        await lease.renew?.();
      } catch (thrown) {
        if (codeOf(thrown) === 'lock-lost') return false;
        failures.push(thrown);
      }
      return true;
    };
    const holds = this.#holds;
    const isKept = await Promise.all(holds.map(renew));
    this.#holds = holds.filter((_, at) => isKept[at]);
    if (this.#holds.length === 0 && !this.isOnce) throw lockLost();
    if (failures.length > 0) throw failures[0];
  }

  /** Both are accepted or go back; where it is set aside, one of them is. Rejects only if neither could be done. */
  async settle(settlement: Settlement): Promise<void> {
    const leases = this.#left();
    if (settlement.kind === 'dead-letter') return setAside(leases, settlement);
    if (leases.length === 0 && !this.isOnce) throw lockLost();
    const outcomes = await Promise.allSettled(leases.map(async (lease) => lease.settle(settlement)));
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
    if (failures.length > 0 && failures.length === outcomes.length) throw failures[0]?.reason;
  }
}

interface Hold {
  readonly lease: Lease;
  /** By the monotonic clock. 0: it is renewed. */
  readonly endsMs: number;
}

/** By the first whose lock is good; the other one is done with then. */
async function setAside(leases: readonly Lease[], settlement: Settlement): Promise<void> {
  let failure: unknown = lockLost();
  let isKept = false;
  for (const lease of leases) {
    try {
      await lease.settle(isKept ? { kind: 'accept' } : settlement);
      isKept = true;
    } catch (thrown) {
      failure = thrown;
    }
  }
  if (!isKept) throw failure;
}

function lockLost(): PolycastError {
  return new PolycastError('lock-lost', 'the locks of both copies of the event were lost');
}
