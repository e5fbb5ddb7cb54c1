import { type Address, type BroadcastEvent, type Lease, PolycastError } from '@polycast/core/adapter';
import { Acknowledger } from './acknowledger.ts';
import { Contests } from './contests.ts';
import type * as entries from './entry-scripts.ts';
import type { GroupKeeper } from './group-keeper.ts';
import { IDLE_FOREVER_MS } from './group-lua.ts';
import type { GroupMembership } from './group-membership.ts';
import { renew } from './group-scripts.ts';
import { HeldEntry, type Holder } from './held-entry.ts';
import { mapError } from './map-error.ts';
import { reasonOf } from './outage.ts';
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

/** The entries that one source of a group was handed: hands their events to core, and settles them. */
export class GroupEntries implements Holder {
  readonly #parts: SourceParts;
  readonly #keeper: GroupKeeper;
  readonly #membership: GroupMembership;
  readonly #member: { readonly group: string; readonly consumer: string };
  readonly #streams: ReadonlyMap<string, Address>;
  readonly #isStopped: () => boolean;
  readonly #decoder: EntryDecoder;
  /** Held until the server has taken the acknowledgement. By key and id. */
  readonly #held = new Map<string, HeldEntry>();
  /** Given back, which the server does not know yet. By key and id. */
  readonly #returning = new Map<string, { readonly key: string; readonly id: string; readonly tries: number }>();
  /** The server is being told that they are given back. By key and id. */
  readonly #goingBack = new Set<string>();
  /** To be put back, but their locks were lost. By key and id. */
  readonly #tooLate = new Map<string, { readonly key: string; readonly id: string }>();
  /** What could not be given back while closing, for a reason that may pass. */
  #notReturned: { readonly entries: number; readonly error: PolycastError } | undefined;
  readonly #contests: Contests;
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
    this.#isStopped = () => shared.isStopped();
    this.#decoder = new EntryDecoder(parts);
    this.#contests = new Contests(parts, member, [...streams.values()]);
    this.#acknowledger = new Acknowledger(parts, this.#contests, {
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

  /** Does another entry of an event keep us from one of ours? */
  get hasLost(): boolean {
    return this.#contests.hasLost;
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

  /** @param known `hasTurn`: the server has said already that no other entry of the same event counts */
  deliver(
    key: string,
    [id, fields]: RawEntry,
    attempt: number,
    known: { readonly hasTurn?: boolean; readonly followers?: readonly RawEntry[] } = {},
  ): void {
    const { request } = this.#parts;
    const { hasTurn = false, followers = [] } = known;
    const name = `${key} ${id}`;
    if (this.#held.has(name) || fields === null) return;
    const events: BroadcastEvent[] = [];
    this.#decoder.read(fields, (event) => events.push(event));
    const address = this.#streams.get(key) ?? '*';
    const lone = events.length === 1 ? events[0] : undefined;
    const size = lone !== undefined && this.#contests.comesByAnother(lone, address) ? 0 : events.length;
    const contestant = lone === undefined || size === 0 ? undefined : this.#contests.contestantFor(lone, { key, id });
    const partitionKey = request.group === undefined ? undefined : partitionKeyOf(fields);
    const entry = new HeldEntry(
      this,
      { key, id, address },
      { attempt, size, lockMs: request.lockMs, contestant, partitionKey, followers },
    );
    this.#held.set(name, entry);
    if (size === 0) {
      this.acknowledge(entry);
    } else if (contestant !== undefined && !hasTurn) {
      this.wait(this.#contests.enter({ contestant, attempt, partitionKey }), (turn) => {
        // Its lock may have run out meanwhile: then it came again.
        if (this.#held.get(name) !== entry) return;
        if (turn === 'won') return this.#hand(entry, events);
        entry.contestant = undefined;
        // What waits behind it need not wait any longer.
        if (turn === 'done' && partitionKey !== undefined) this.acknowledge(entry);
        else this.#held.delete(name);
        if (turn === 'lost') this.#keeper.hurry(this.#parts.settings.claimIntervalMs);
      });
    } else if (this.#line !== undefined) {
      this.wait(undefined, () => this.#hand(entry, events));
    } else this.#hand(entry, events);
  }

  /** An entry is handed on whole, even while stopping: half of one cannot be put back. */
  #hand(entry: HeldEntry, events: readonly BroadcastEvent[]): void {
    for (let at = 0; at < events.length; at++) {
      const event = events[at] as BroadcastEvent;
      this.#parts.sink.deliver(event, entry.lease(event, at));
    }
  }

  /** All at once are asked for, and handed on in order. */
  wait<Word>(word: Word | Promise<Word>, then: (word: Word) => void): void {
    const line: Promise<void> = Promise.all([word, this.#line]).then(([said]) => {
      if (this.#line === line) this.#line = undefined;
      then(said);
    });
    this.#line = line;
  }

  /** What another entry of the same event kept us from, and keeps us from no more. */
  async takeTurns(): Promise<void> {
    const { client } = this.#parts.commands;
    const { won, done } = await this.#contests.askAgain();
    for (const { contestant, partitionKey } of done) {
      if (partitionKey !== undefined)
        await this.#acknowledger.finish(contestant.stream, [[contestant.id, partitionKey, 1]]);
    }
    for (const { contestant, attempt } of won) {
      const { stream, id } = contestant;
      const [entry] = (await client.xrange(stream, id, id)) as RawEntry[];
      if (entry !== undefined) this.deliver(stream, entry, attempt, { hasTurn: true });
      else {
        // Trimmed meanwhile. Another entry of the event may be there still.
        await client.xack(stream, this.#member.group, id);
        await this.#contests.leave(contestant);
        this.#membership.signalGap(1);
      }
    }
    await this.#line;
  }

  async deliverPage(key: string, { handed, gone }: PendingPage): Promise<void> {
    // Trimmed while somebody held them: nothing is left to deliver.
    if (gone > 0) this.#membership.signalGap(gone);
    for (const { entry, attempt, followers } of handed) {
      if (!this.#isStopped()) this.deliver(key, entry, attempt, { followers });
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

  acknowledge(entry: HeldEntry): void {
    this.#acknowledger.add(entry);
    const [next, ...followers] = entry.followers;
    // Not to wait for the server between any two of a key. Until it has heard of the first, that one's lock is the second's, too.
    if (next === undefined || this.#isStopped()) return;
    entry.handedOn = true;
    this.deliver(entry.key, next, 1, { followers });
  }

  forget(entry: HeldEntry): void {
    const name = `${entry.key} ${entry.id}`;
    if (this.#held.get(name) === entry) this.#held.delete(name);
  }

  async putBack(entry: HeldEntry, tries: number): Promise<void> {
    const name = `${entry.key} ${entry.id}`;
    // Before the server hears of it: from then on our own claims may bring it again. Until then it must not look like something that
    // never reached us.
    this.#held.delete(name);
    this.#goingBack.add(name);
    try {
      // Perhaps nobody stays who reads this stream.
      if (entry.contestant !== undefined && this.#isStopped()) await this.#contests.leave(entry.contestant);
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
  putBackTooLate({ key, id }: HeldEntry): void {
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

  async renew(entry: HeldEntry): Promise<boolean> {
    try {
      if (entry.contestant !== undefined) return await this.#contests.renew(entry.contestant);
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
    for (const { contestant, attempt } of this.#contests.takeLost()) {
      await this.#return(contestant.stream, contestant.id, attempt - 1).catch(() => {});
    }
  }
}

/** The source stopped between the release and the next delivery. What fails comes back when its lock runs out. */
async function putBackLate(lease: Lease): Promise<void> {
  try {
    await lease.settle({ kind: 'release', delayMs: 0 });
  } catch {}
}
