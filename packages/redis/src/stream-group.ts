import type { BroadcastEvent, Lease, Source } from '@polycast/core/adapter';
import type { Redis } from 'ioredis';
import { Acknowledger } from './acknowledger.ts';
import { Contests } from './contests.ts';
import * as entries from './entry-scripts.ts';
import { BEAT_INTERVAL_MS, type GroupKeeper, type Kept } from './group-keeper.ts';
import { queueKey } from './group-keys.ts';
import { IDLE_FOREVER_MS } from './group-lua.ts';
import { GroupMembership } from './group-membership.ts';
import { type GroupState, type Membership, renew, target } from './group-scripts.ts';
import { HeldEntry, type Holder } from './held-entry.ts';
import { mapError } from './map-error.ts';
import { type PendingPage, Recovery } from './recovery.ts';
import {
  EntryDecoder,
  partitionKeyOf,
  type RawEntry,
  type RawStreams,
  type ReadingPart,
  type SourceParts,
  StreamReader,
  streamsOf,
} from './stream-reader.ts';
import { compareIds } from './wire.ts';

/** Most entries claimed from others at once. */
const MAX_CLAIMED = 16;
/** Where a member cannot be woken it looks this often, at least, for what others gave back, in ms. */
const UNWAKEABLE_INTERVAL_MS = 5_000;
/** Most entries of one stream that wait for their partition key, before the members read no more of it. */
const MAX_WAITING = 4_096;
/** A read that is asked to end at once. */
const AT_ONCE_MS = 1;

/** A member of a consumer group: several compete in a group; a durable subscription is a group of one. */
export class GroupSource implements Source, ReadingPart, Holder, Kept {
  readonly memberships: readonly Membership[];
  readonly #parts: SourceParts;
  readonly #group: string;
  readonly #consumer: string;
  readonly #onClosed: () => void;
  readonly #keeper: GroupKeeper;
  readonly #membership: GroupMembership;
  readonly #reader: StreamReader;
  readonly #decoder: EntryDecoder;
  readonly #streams: ReturnType<typeof streamsOf>;
  readonly #places: ReadonlyMap<string, entries.Place>;
  readonly #keysAndNew: readonly string[];
  readonly #recovery: Recovery;
  /** Held until the server has taken the acknowledgement. By key and id. */
  readonly #held = new Map<string, HeldEntry>();
  /** Given back, which the server does not know yet. By key and id. */
  readonly #returning = new Map<string, HeldEntry>();
  readonly #contests: Contests;
  /** Waits for the server's word on an entry: later ones wait behind it. */
  #line: Promise<void> | undefined;
  readonly #acknowledger: Acknowledger;
  /** How often the server is asked while nothing is known to be due, ms. */
  #idleMs = BEAT_INTERVAL_MS;
  /** Called when all that was there has been read, or the connection is lost. */
  #onCaughtUp = new Set<() => void>();
  #closing: Promise<void> | undefined;

  constructor(parts: SourceParts, keeper: GroupKeeper, consumer: string, onClosed: () => void) {
    const { request, context, settings } = parts;
    this.#parts = parts;
    this.#keeper = keeper;
    this.#consumer = consumer;
    this.#onClosed = onClosed;
    this.#group =
      request.group === undefined
        ? `polycast:instance:${context.self.instance}:${request.durable}`
        : `polycast:group:${request.group}`;
    const member = { group: this.#group, consumer };
    this.#streams = streamsOf(parts);
    const keys = [...this.#streams.keys()];
    this.#keysAndNew = [...keys, ...keys.map(() => '>')];
    this.#membership = new GroupMembership(parts, keeper, this.#streams, member);
    this.memberships = this.#membership.all;
    const shared = { ...member, keepMs: settings.maxAgeMs, keyed: request.group !== undefined };
    this.#places = new Map(
      [...this.#streams].map(([key, address]) => [
        key,
        { key, queue: queueKey(keeper.keys, this.#group, address), ...shared },
      ]),
    );
    this.#recovery = new Recovery(this.#places, (key, id) => {
      const name = `${key} ${id}`;
      return this.#held.has(name) || this.#returning.has(name);
    });
    this.#contests = new Contests(parts, member, [...this.#streams.values()]);
    this.#acknowledger = new Acknowledger(parts, this.#contests, {
      placeOf: (key) => this.#placeOf(key),
      isOpen: () => !this.#reader.stopped,
      taken: ({ key, id }) => this.#held.delete(`${key} ${id}`),
      next: (key, page) => void this.#deliverPage(key, page),
    });
    this.#decoder = new EntryDecoder(parts);
    this.#reader = new StreamReader(parts, this, keys[0] as string);
  }

  async open(): Promise<void> {
    await this.#reader.open();
    await this.#keeper.add(this);
  }

  // ── reading ──

  async prepare(redis: Redis, clientId: number | undefined): Promise<void> {
    const { request, settings } = this.#parts;
    const longestMs = clientId === undefined ? UNWAKEABLE_INTERVAL_MS : BEAT_INTERVAL_MS;
    this.#idleMs = Math.max(settings.claimIntervalMs, Math.min(longestMs, request.lockMs / 2));
    this.#caughtUp();
    await this.#membership.joinAll(redis, clientId);
    // Read first: what an earlier life of ours held, or what got lost on its way to us.
    this.#recovery.startAll();
  }

  read(redis: Redis, count: number, blockMs: number): Promise<RawStreams | null> {
    const recovering = this.#recovery.next;
    if (recovering !== undefined) return this.#recover(redis, recovering, count);
    const asked = [...this.#onCaughtUp];
    const startedAtMs = performance.now();
    const waitMs = asked.length > 0 ? AT_ONCE_MS : blockMs;
    const reading = redis.xreadgroup(
      'GROUP',
      this.#group,
      this.#consumer,
      'COUNT',
      count,
      'BLOCK',
      waitMs,
      'STREAMS',
      ...this.#keysAndNew,
    ) as Promise<RawStreams | null>;
    return reading.then(
      (streams) => {
        if (streams !== null) return streams;
        for (const done of asked) done();
        // Somebody woke us, who left something behind.
        if (asked.length === 0 && !this.#reader.stopped && performance.now() - startedAtMs < waitMs * 0.9)
          this.#keeper.hurry(0);
        return null;
      },
      (thrown: unknown) => {
        this.#caughtUp();
        throw thrown;
      },
    );
  }

  take(streams: RawStreams): void | Promise<void> {
    let full: string | undefined;
    for (const [key, read] of streams) {
      this.#membership.reached(key, read.at(-1)?.[0] as string);
      const place = this.#placeOf(key);
      if (place.keyed && read.some(([, fields]) => fields !== null && fields.length > 2)) {
        this.#enter(place, read, (waiting) => {
          if (waiting > MAX_WAITING) full = key;
        });
      } else for (const entry of read) this.#deliver(key, entry, 1);
    }
    return this.#line?.then(() => (full === undefined ? undefined : this.#untilFewerWait(full)));
  }

  async afterPause(): Promise<void> {
    await this.#membership.lookAtAll().catch((thrown) => {
      // Not knowing is no reason to stop reading.
      mapError(thrown);
    });
  }

  #placeOf(key: string): entries.Place {
    return this.#places.get(key) as entries.Place;
  }

  /** Asks which entries may start: of each partition key, only the first that is not settled. The others are the server's. */
  #enter(place: entries.Place, read: readonly RawEntry[], then: (waiting: number) => void): void {
    const { commands, watch } = this.#parts;
    const keys = read.map(([id, fields]) => [id, partitionKeyOf(fields ?? [])] as const);
    const entering = watch.run(() => entries.enter(commands.client, place, keys)).catch(() => undefined);
    this.#wait(entering, (entered) => {
      if (entered === undefined) return this.#lookAgain(place.key);
      const handed = withFollowers(read, keys, entered.attempts);
      for (const { entry, attempt, followers } of handed) this.#deliver(place.key, entry, attempt, { followers });
      then(entered.waiting);
    });
  }

  /** The server is not to keep a list without end. */
  async #untilFewerWait(key: string): Promise<void> {
    const { commands, settings } = this.#parts;
    const { queue } = this.#placeOf(key);
    let waiting = MAX_WAITING;
    while (!this.#reader.stopped && waiting >= MAX_WAITING) {
      await new Promise((resolve) => {
        setTimeout(resolve, settings.claimIntervalMs).unref();
      });
      waiting = await commands.client.zcard(queue).catch(() => waiting);
    }
  }

  /** @param known `hasTurn`: the server has said already that no other entry of the same event counts */
  #deliver(
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
      this.#wait(this.#contests.enter({ contestant, attempt, partitionKey }), (turn) => {
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
      this.#wait(undefined, () => this.#hand(entry, events));
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
  #wait<Word>(word: Word | Promise<Word>, then: (word: Word) => void): void {
    const line: Promise<void> = Promise.all([word, this.#line]).then(([said]) => {
      if (this.#line === line) this.#line = undefined;
      then(said);
    });
    this.#line = line;
  }

  // ── what others released or left, and what got lost on its way to us ──

  async seen(states: readonly GroupState[]): Promise<number> {
    const { sink, settings } = this.#parts;
    let waitMs = this.#idleMs;
    try {
      await this.#returnRest();
      for (let at = 0; at < this.memberships.length && !this.#reader.stopped; at++) {
        const one = this.memberships[at] as Membership;
        const state = states[at] as GroupState;
        if ((await this.#membership.check(one, state)) && state.pending > 0) {
          waitMs = Math.min(waitMs, await this.#claim(one.key));
        }
      }
      if (sink.capacity > 0 && !this.#reader.stopped) await this.#takeTurns();
      if (this.#contests.hasLost) waitMs = Math.min(waitMs, settings.claimIntervalMs);
    } catch {
      // The server is gone, or does not allow it: the next beat tries again.
      return Math.max(settings.claimIntervalMs, Math.min(1_000, this.#idleMs));
    }
    return waitMs;
  }

  /** @returns when it is worth while to look again, ms from now */
  async #claim(key: string): Promise<number> {
    const { commands, request, sink, settings, watch } = this.#parts;
    const { claimIntervalMs } = settings;
    if (this.#recovery.isStray(key)) await this.#recoverStrays(key);
    const room = Math.max(0, Math.min(MAX_CLAIMED, sink.capacity));
    const claiming = watch.run(() => entries.claim(commands.client, this.#placeOf(key), request.lockMs, room));
    const claimed = await claiming.catch((thrown: unknown) => {
      this.#recovery.strayed(key);
      throw thrown;
    });
    for (const { entry } of claimed.handed) {
      const name = `${key} ${entry[0]}`;
      const held = this.#held.get(name);
      if (held === undefined || held.isSettled) continue;
      // Our own, and nobody renewed it: it passes on, if only to ourselves.
      held.lose();
      this.#held.delete(name);
    }
    await this.#deliverPage(key, claimed);
    if (claimed.more) return claimIntervalMs;
    return Math.max(claimIntervalMs, claimed.dueMs ?? this.#idleMs);
  }

  /** What another entry of the same event kept us from, and keeps us from no more. */
  async #takeTurns(): Promise<void> {
    const { client } = this.#parts.commands;
    const { won, done } = await this.#contests.askAgain();
    for (const { contestant, partitionKey } of done) {
      if (partitionKey !== undefined)
        await this.#acknowledger.finish(contestant.stream, [[contestant.id, partitionKey, 1]]);
    }
    for (const { contestant, attempt } of won) {
      const { stream, id } = contestant;
      const [entry] = (await client.xrange(stream, id, id)) as RawEntry[];
      if (entry !== undefined) this.#deliver(stream, entry, attempt, { hasTurn: true });
      else {
        // Trimmed meanwhile. Another entry of the event may be there still.
        await client.xack(stream, this.#group, id);
        await this.#contests.leave(contestant);
        this.#membership.signalGap(1);
      }
    }
    await this.#line;
  }

  /** One page of what is pending for us and was never handed on by this source. */
  async #recover(redis: Redis, key: string, count: number): Promise<null> {
    const page = await this.#recovery.read(redis, key, count);
    await this.#deliverPage(key, page);
    return null;
  }

  /** A reply may have been lost that handed us something, while the connection we read from is as it was. */
  #lookAgain(key: string): void {
    this.#recovery.strayed(key);
    this.#keeper.hurry(this.#parts.settings.claimIntervalMs);
  }

  async #recoverStrays(key: string): Promise<void> {
    const { client } = this.#parts.commands;
    await this.#deliverPage(key, await this.#recovery.readStrays(client, key));
  }

  async #deliverPage(key: string, { handed, gone }: PendingPage): Promise<void> {
    // Trimmed while somebody held them: nothing is left to deliver.
    if (gone > 0) this.#membership.signalGap(gone);
    for (const { entry, attempt, followers } of handed) {
      if (!this.#reader.stopped) this.#deliver(key, entry, attempt, { followers });
      else if (!this.#held.has(`${key} ${entry[0]}`)) await this.#return(key, entry[0], attempt - 1).catch(() => {});
    }
    await this.#line;
  }

  // ── settling ──

  redeliver(event: BroadcastEvent, lease: Lease): boolean {
    if (this.#reader.stopped) return false;
    // Never within the same turn: what is released at once, again and again, must not stop the process.
    setImmediate(() => {
      if (!this.#reader.stopped) this.#parts.sink.deliver(event, lease);
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
    if (next === undefined || this.#reader.stopped) return;
    entry.handedOn = true;
    this.#deliver(entry.key, next, 1, { followers });
  }

  async putBack(entry: HeldEntry): Promise<void> {
    // Before the server hears of it: from then on our own claims may bring it again.
    this.#held.delete(`${entry.key} ${entry.id}`);
    // Perhaps nobody stays who reads this stream.
    if (entry.contestant !== undefined && this.#reader.stopped) await this.#contests.leave(entry.contestant);
    try {
      await this.#return(entry.key, entry.id, entry.attempt);
    } catch (thrown) {
      if (!mapError(thrown).retryable || this.#reader.stopped) throw thrown;
      // Until the server knows, it must not look like something that never reached us.
      this.#returning.set(`${entry.key} ${entry.id}`, entry);
    }
    this.#keeper.hurry(this.#parts.settings.claimIntervalMs);
  }

  async #returnRest(): Promise<void> {
    for (const [name, { key, id, attempt }] of this.#returning) {
      await this.#return(key, id, attempt);
      this.#returning.delete(name);
    }
  }

  /** Lets the next one who looks claim it at once. @param count how often a handler was given it */
  async #return(key: string, id: string, count: number): Promise<void> {
    try {
      const { client } = this.#parts.commands;
      await client.xclaim(
        key,
        this.#group,
        this.#consumer,
        0,
        id,
        'IDLE',
        IDLE_FOREVER_MS,
        'RETRYCOUNT',
        Math.max(0, count),
        'JUSTID',
      );
    } catch (thrown) {
      throw mapError(thrown);
    }
  }

  async renew(entry: HeldEntry): Promise<boolean> {
    try {
      if (entry.contestant !== undefined) return await this.#contests.renew(entry.contestant);
      return await renew(this.#parts.commands.client, entry.key, this.#group, this.#consumer, entry.id);
    } catch (thrown) {
      throw mapError(thrown);
    }
  }

  // ── ending ──

  async caughtUp(): Promise<void> {
    const { commands, settings, watch } = this.#parts;
    if (!this.#reader.isConnected || this.#reader.stopped) return;
    const asking = this.memberships.map((one) =>
      watch.run(() => target(commands.client, this.#keeper.keys, one, settings.maxAgeMs)),
    );
    // Who cannot be asked has lost what was on its way.
    const targets = await Promise.all(asking).catch(() => []);
    const owed = targets.some((id, at) => {
      const key = this.memberships[at]?.key ?? '';
      return id !== undefined && compareIds(this.#membership.lastId(key), id) < 0;
    });
    if (owed && this.#reader.isConnected) {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#onCaughtUp.delete(done);
          resolve();
        };
        this.#onCaughtUp.add(done);
        void this.#reader.interrupt();
      });
    }
    await this.#line;
  }

  #caughtUp(): void {
    for (const done of this.#onCaughtUp) done();
  }

  async stop(): Promise<void> {
    await this.#reader.stop();
    this.#caughtUp();
    await this.#keeper.remove(this);
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.stop();
      await this.#acknowledger.close();
      for (const { contestant, attempt } of this.#contests.takeLost()) {
        await this.#return(contestant.stream, contestant.id, attempt - 1).catch(() => {});
      }
      await this.#membership.leaveAll().catch((thrown) => {
        // The group is taken away later by others; the reason may matter to somebody.
        this.#parts.context.signal({ kind: 'failed', what: 'source', error: mapError(thrown) });
      });
      this.#onClosed();
    })();
    return this.#closing;
  }
}

/** What may start, of what was read, each with those of its partition key that come right behind it. */
function withFollowers(
  read: readonly RawEntry[],
  keys: readonly (readonly [id: string, key: string | undefined])[],
  attempts: readonly number[],
): readonly entries.Handed[] {
  const handed: entries.Handed[] = [];
  const chains = new Map<string, { readonly followers: RawEntry[]; bytes: number }>();
  for (let at = 0; at < read.length; at++) {
    const entry = read[at] as RawEntry;
    const attempt = attempts[at] as number;
    const key = keys[at]?.[1];
    if (attempt > 0) {
      const followers: RawEntry[] = [];
      handed.push({ entry, attempt, followers });
      if (key !== undefined) chains.set(key, { followers, bytes: 0 });
      continue;
    }
    const chain = chains.get(key as string);
    if (chain === undefined) continue;
    chain.followers.push(entry);
    for (const field of entry[1] ?? []) chain.bytes += field.length;
    // The rest is the server's.
    if (chain.followers.length >= entries.MAX_FOLLOWERS || chain.bytes > entries.MAX_FOLLOWER_BYTES) {
      chains.delete(key as string);
    }
  }
  return handed;
}

/** The source stopped between the release and the next delivery. What fails comes back when its lock runs out. */
async function putBackLate(lease: Lease): Promise<void> {
  try {
    await lease.settle({ kind: 'release', delayMs: 0 });
  } catch {}
}
