import { type Address, type BroadcastEvent, type Lease, PolycastError, reasonOf } from '@polycast/core/adapter';
import { Acknowledger } from './acknowledger.ts';
import { comesByAnother } from './addresses.ts';
import type * as entries from './entry-scripts.ts';
import type { GroupKeeper } from './group-keeper.ts';
import { IDLE_FOREVER_MS } from './group-lua.ts';
import type { GroupMembership } from './group-membership.ts';
import { renew } from './group-scripts.ts';
import { mapError } from './map-error.ts';
import { PendingEntry, type PendingEntryOwner } from './pending-entry.ts';
import type { PendingPage } from './recovery.ts';
import { EntryDecoder, partitionKeyOf, type RawEntry, type SourceParts } from './stream-reader.ts';

/** What a source of a group shares with the entries it holds. */
export interface GroupEntriesParts {
  readonly parts: SourceParts;
  readonly keeper: GroupKeeper;
  readonly membership: GroupMembership;
  readonly member: { readonly group: string; readonly consumer: string };
  readonly streams: ReadonlyMap<string, Address>;
  readonly places: ReadonlyMap<string, entries.Place>;
  /** Nothing is handed on any more? */
  isStopped(): boolean;
}

/** An event and its place in a batch; undefined for one that travelled alone. */
type PlacedEvent = readonly [event: BroadcastEvent, index: number | undefined];

/** The entries that one source of a group was handed: hands their events to core, and settles them. */
export class GroupEntries implements PendingEntryOwner {
  readonly #parts: SourceParts;
  readonly #keeper: GroupKeeper;
  readonly #membership: GroupMembership;
  readonly #member: { readonly group: string; readonly consumer: string };
  readonly #streams: ReadonlyMap<string, Address>;
  readonly #addresses: readonly Address[];
  readonly #isStopped: () => boolean;
  readonly #decoder: EntryDecoder;
  /** Held until the server has taken the acknowledgement. By key and id. */
  readonly #held = new Map<string, PendingEntry>();
  /** Given back, which the server does not know yet. By key and id. */
  readonly #returning = new Map<string, { readonly key: string; readonly id: string; readonly tries: number }>();
  /** The server is being told that they are given back. By key and id. */
  readonly #goingBack = new Set<string>();
  /** To be put back, but their locks were lost. By key and id. */
  readonly #tooLate = new Map<string, { readonly key: string; readonly id: string }>();
  /** What could not be given back while closing, for a reason that may pass. */
  #notReturned: { readonly entries: number; readonly error: PolycastError } | undefined;
  readonly #acknowledger: Acknowledger;
  /** Waits for the server's word on an entry: later ones wait behind it. */
  #line: Promise<void> | undefined;

  constructor(shared: GroupEntriesParts) {
    const { parts, member, streams, places } = shared;
    this.#parts = parts;
    this.#keeper = shared.keeper;
    this.#membership = shared.membership;
    this.#member = member;
    this.#streams = streams;
    this.#addresses = [...streams.values()];
    this.#isStopped = () => shared.isStopped();
    this.#decoder = new EntryDecoder(parts);
    this.#acknowledger = new Acknowledger(parts, {
      placeOf: (key) => places.get(key) as entries.Place,
      isOpen: () => !this.#isStopped(),
      taken: (entry) => this.forget(entry),
      next: (key, page) => void this.deliverPage(key, page),
    });
  }

  /** Resolves when what is known of now was handed on; undefined if nothing waits. */
  get line(): Promise<void> | undefined {
    return this.#line;
  }

  /** Entries with a partition key of one stream that were handed on, and that the server does not know to be settled. */
  countKeyed(key: string): number {
    let count = 0;
    for (const held of this.#held.values()) if (held.key === key && held.partitionKey !== undefined) count++;
    return count;
  }

  /** Was it handed on, or given back, by us? */
  isKnown(key: string, id: string): boolean {
    const name = `${key} ${id}`;
    return this.#held.has(name) || this.#goingBack.has(name) || this.#returning.has(name);
  }

  /** Claimed from whoever did not renew it in time: from us, too. It passes on, if only to ourselves. */
  lose(key: string, id: string): void {
    const name = `${key} ${id}`;
    const held = this.#held.get(name);
    if (held === undefined || held.isSettled) return;
    held.lose();
    this.#held.delete(name);
  }

  /** @param followers further ones of its partition key, which are ours once it is settled */
  deliver(key: string, [id, fields]: RawEntry, attempt: number, followers: readonly RawEntry[] = []): void {
    const { request } = this.#parts;
    const name = `${key} ${id}`;
    if (this.#held.has(name) || fields === null) return;
    const address = this.#streams.get(key) ?? '*';
    const events: PlacedEvent[] = [];
    this.#decoder.read(fields, (event, index) => {
      if (!comesByAnother(event, address, this.#addresses)) events.push([event, index]);
    });
    const partitionKey = request.group === undefined ? undefined : partitionKeyOf(fields);
    const entry = new PendingEntry(
      this,
      { key, id, address },
      { attempt, size: events.length, lockMs: request.lockMs, partitionKey, followers },
    );
    this.#held.set(name, entry);
    if (events.length === 0) this.acknowledge(entry);
    else if (this.#line === undefined) this.#hand(entry, events);
    else this.wait(undefined, () => this.#hand(entry, events));
  }

  /** An entry is handed on whole, even while stopping: half of one cannot be put back. */
  #hand(entry: PendingEntry, events: readonly PlacedEvent[]): void {
    for (const [event, index] of events) this.#parts.sink.deliver(event, entry.lease(event, index));
  }

  /** All at once are asked for, and handed on in order. */
  wait<Word>(word: Word | Promise<Word>, then: (word: Word) => void): void {
    const line: Promise<void> = Promise.all([word, this.#line]).then(([said]) => {
      if (this.#line === line) this.#line = undefined;
      then(said);
    });
    this.#line = line;
  }

  async deliverPage(key: string, { handed, gone }: PendingPage): Promise<void> {
    // Trimmed while somebody held them: nothing is left to deliver.
    if (gone > 0) this.#membership.signalGap(gone);
    for (const { entry, attempt, followers } of handed) {
      if (!this.#isStopped()) this.deliver(key, entry, attempt, followers);
      else if (!this.#held.has(`${key} ${entry[0]}`)) await this.#return(key, entry[0], attempt - 1).catch(() => {});
    }
    await this.#line;
  }

  // ── settling ──

  redeliver(event: BroadcastEvent, lease: Lease): boolean {
    if (this.#isStopped()) return false;
    // Never within the same turn: what is released at once, again and again, must not stop the process.
    setImmediate(() => {
      if (!this.#isStopped()) this.#parts.sink.deliver(event, lease);
      else void putBackLate(lease);
    });
    return true;
  }

  ageMs(id: string): number | undefined {
    return this.#keeper.clock.ageMs(id);
  }

  acknowledge(entry: PendingEntry): void {
    this.#acknowledger.add(entry);
    const [next, ...followers] = entry.followers;
    // Not to wait for the server between any two of a key. Until it has heard of the first, that one's lock is the second's, too.
    if (next === undefined || this.#isStopped()) return;
    entry.handedOn = true;
    this.deliver(entry.key, next, 1, followers);
  }

  forget(entry: PendingEntry): void {
    const name = `${entry.key} ${entry.id}`;
    if (this.#held.get(name) === entry) this.#held.delete(name);
  }

  async putBack(entry: PendingEntry, tries: number): Promise<void> {
    const name = `${entry.key} ${entry.id}`;
    // Before the server hears of it: from then on our own claims may bring it again. Until then it must not look like something that
    // never reached us.
    this.#held.delete(name);
    this.#goingBack.add(name);
    try {
      await this.#return(entry.key, entry.id, tries);
    } catch (thrown) {
      const error = mapError(thrown);
      if (!error.retryable) throw error;
      // It comes again when its lock runs out. A lost connection is one failure, however much was held.
      if (this.#isStopped()) this.#notReturned = { entries: (this.#notReturned?.entries ?? 0) + 1, error };
      else this.#returning.set(name, { key: entry.key, id: entry.id, tries });
    } finally {
      this.#goingBack.delete(name);
    }
    this.#keeper.hurry(this.#parts.settings.claimIntervalMs);
  }

  /** Whoever had the server forget it, since it was trimmed, may not have had the answer. */
  putBackTooLate({ key, id }: PendingEntry): void {
    if (this.#tooLate.size === 0) setImmediate(() => void this.#lookForTooLate());
    this.#tooLate.set(`${key} ${id}`, { key, id });
  }

  /** One signal for all that are gone: another member may have accepted some before. */
  async #lookForTooLate(): Promise<void> {
    const looked = [...this.#tooLate.values()];
    this.#tooLate.clear();
    const { client } = this.#parts.commands;
    const found = await Promise.allSettled(looked.map(({ key, id }) => client.xrange(key, id, id)));
    if (found.some((one) => one.status === 'fulfilled' && one.value.length === 0))
      this.#membership.signalGap(undefined);
  }

  async returnRest(): Promise<void> {
    for (const [name, { key, id, tries }] of this.#returning) {
      await this.#return(key, id, tries);
      this.#returning.delete(name);
    }
  }

  /** Lets the next one who looks claim it at once. @param count how often a handler was given it */
  async #return(key: string, id: string, count: number): Promise<void> {
    try {
      const { client } = this.#parts.commands;
      // As a call, since the types of ioredis 6 do not list all forms of the command.
      const kept = await client.call(
        'xclaim',
        key,
        this.#member.group,
        this.#member.consumer,
        0,
        id,
        'IDLE',
        IDLE_FOREVER_MS,
        'RETRYCOUNT',
        Math.max(0, count),
        'JUSTID',
      );
      // The server has forgotten it with the entry, which was trimmed; or another member has settled it.
      if ((kept as readonly unknown[]).length === 0 && (await client.xrange(key, id, id)).length === 0)
        this.#membership.signalGap(1);
    } catch (thrown) {
      throw mapError(thrown);
    }
  }

  async renew(entry: PendingEntry): Promise<boolean> {
    try {
      return await renew(this.#parts.commands.client, entry.key, this.#member.group, this.#member.consumer, entry.id);
    } catch (thrown) {
      throw mapError(thrown);
    }
  }

  /** After the last settlement. */
  async close(): Promise<void> {
    await this.#acknowledger.close();
    if (this.#notReturned !== undefined) {
      const { entries, error } = this.#notReturned;
      const told = new PolycastError(
        error.code,
        `${entries} entries could not be returned to the group: ${reasonOf(error)}`,
        {
          cause: error.cause ?? error,
        },
      );
      this.#parts.context.signal({ kind: 'failed', what: 'settle', error: told });
    }
  }
}

/** The source stopped between the release and the next delivery. What fails comes back when its lock runs out. */
async function putBackLate(lease: Lease): Promise<void> {
  try {
    await lease.settle({ kind: 'release', delayMs: 0 });
  } catch {}
}
