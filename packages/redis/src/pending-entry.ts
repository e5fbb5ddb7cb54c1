import { type Address, type BroadcastEvent, type Lease, PolycastError, type Settlement } from '@polycast/core/adapter';
import type { RawEntry } from './stream-reader.ts';
import { formatPosition } from './wire.ts';

/** What a held entry asks of the source that holds it. */
export interface PendingEntryOwner {
  /** Deliver one of its events again. @returns false if nothing is delivered any more */
  redeliver(event: BroadcastEvent, lease: Lease): boolean;
  /** All its events are accepted. */
  acknowledge(entry: PendingEntry): void;
  /** It was accepted too late, or nobody knows: it may come again. */
  forget(entry: PendingEntry): void;
  /**
   * Not all of its events were accepted, and no more will be: another may have it.
   * @param tries how often handlers were given it
   */
  putBack(entry: PendingEntry, tries: number): Promise<void>;
  /** It was to be put back, and its lock is lost: if it is not there any more, nobody will get it. */
  putBackTooLate(entry: PendingEntry): void;
  /** How long the server has held an entry, ms. */
  ageMs(id: string): number | undefined;
  /** @returns false if it is no longer ours */
  renew(entry: PendingEntry): Promise<boolean>;
}

/** One entry of a stream that is ours until it is settled, with the events it holds. */
export class PendingEntry {
  readonly key: string;
  readonly id: string;
  readonly address: Address;
  /** How often the entry was handed out, this time included. */
  readonly attempt: number;
  /** Partition key of its event, if others of the group must wait for it. */
  readonly partitionKey: string | undefined;
  /** Those that wait for it and are here. */
  readonly followers: readonly RawEntry[];
  /** Was the first of them handed on? */
  handedOn = false;
  readonly #holder: PendingEntryOwner;
  readonly #lockMs: number;
  readonly #size: number;
  #open: number;
  /** The most of its events that were released; undefined: none was. */
  #tries: number | undefined;
  #renewedAtMs: number;
  #renewing: Promise<void> | undefined;
  #lost = false;

  constructor(
    holder: PendingEntryOwner,
    at: { key: string; id: string; address: Address },
    options: {
      attempt: number;
      size: number;
      lockMs: number;
      partitionKey?: string | undefined;
      followers?: readonly RawEntry[];
    },
  ) {
    this.#holder = holder;
    this.key = at.key;
    this.id = at.id;
    this.address = at.address;
    this.attempt = options.attempt;
    this.partitionKey = options.partitionKey;
    this.followers = options.followers ?? [];
    this.#size = options.size;
    this.#open = options.size;
    this.#lockMs = options.lockMs;
    this.#renewedAtMs = performance.now();
  }

  /** Are all its events settled, and only the server does not know yet? */
  get isSettled(): boolean {
    return this.#open === 0;
  }

  /** It was not renewed in time: whatever is said about it from now on comes too late. */
  lose(): void {
    this.#lost = true;
  }

  /** @param index its place in a batch; undefined for an event that travelled alone */
  lease(event: BroadcastEvent, index: number | undefined, attempt = this.attempt): Lease {
    return new EntryLease(this, event, index, attempt, this.#holder.ageMs(this.id));
  }

  positionOf(index: number | undefined): string {
    return formatPosition({ id: this.id, address: this.address, index });
  }

  settle(
    settlement: Settlement,
    event: BroadcastEvent,
    index: number | undefined,
    attempt: number,
  ): void | Promise<void> {
    const released = settlement.kind === 'release';
    const tries = released ? (settlement.attempts ?? attempt) : attempt;
    // An event that travelled in a batch cannot go back alone: it is tried again here, while there is a here.
    if (this.#lost) {
      if (released) this.#holder.putBackTooLate(this);
      throw this.#lockLost();
    }
    if (released && this.#size > 1 && this.#holder.redeliver(event, this.lease(event, index, tries + 1))) return;
    this.#open--;
    if (released) this.#tries = Math.max(this.#tries ?? 0, tries);
    if (this.#open > 0) return;
    if (this.#tries !== undefined) return this.#holder.putBack(this, this.#tries);
    // Within the lock nobody can have claimed it. A tenth is left for the way here.
    if (performance.now() - this.#renewedAtMs < this.#lockMs * 0.9) return this.#holder.acknowledge(this);
    return this.renew(true).then(
      () => this.#holder.acknowledge(this),
      (thrown) => {
        this.#holder.forget(this);
        throw thrown;
      },
    );
  }

  /** Once for all of its events. @throws PolycastError `lock-lost` */
  renew(now = false): Promise<void> {
    if (this.#lost) return Promise.reject(this.#lockLost());
    if (!now && performance.now() - this.#renewedAtMs < this.#lockMs / 6) return Promise.resolve();
    this.#renewing ??= (async () => {
      const startedAtMs = performance.now();
      try {
        if (await this.#holder.renew(this)) {
          this.#renewedAtMs = startedAtMs;
          return;
        }
        this.#lost = true;
        throw this.#lockLost();
      } finally {
        this.#renewing = undefined;
      }
    })();
    return this.#renewing;
  }

  #lockLost(): PolycastError {
    return new PolycastError('lock-lost', `entry ${this.id} was claimed by another consumer or deleted`);
  }
}

/** The lease of one event of an entry. */
class EntryLease implements Lease {
  readonly attempt: number;
  /** How long the server had held the event when it was handed over, ms, by the server's clock. */
  declare readonly ageMs?: number;
  readonly #entry: PendingEntry;
  readonly #event: BroadcastEvent;
  readonly #index: number | undefined;

  constructor(
    entry: PendingEntry,
    event: BroadcastEvent,
    index: number | undefined,
    attempt: number,
    ageMs: number | undefined,
  ) {
    this.#entry = entry;
    this.#event = event;
    this.#index = index;
    this.attempt = attempt;
    if (ageMs !== undefined) this.ageMs = ageMs;
  }

  get position(): string {
    return this.#entry.positionOf(this.#index);
  }

  settle(settlement: Settlement): void | Promise<void> {
    return this.#entry.settle(settlement, this.#event, this.#index, this.attempt);
  }

  renew(): Promise<void> {
    return this.#entry.renew();
  }
}
