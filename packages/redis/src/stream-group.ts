import { pause, type Source, settlesWithin } from '@polycast/core/adapter';
import type { Redis } from 'ioredis';
import { GOODBYE_TIMEOUT_MS } from './client.ts';
import * as entries from './entry-scripts.ts';
import { GroupEntries } from './group-entries.ts';
import { BEAT_INTERVAL_MS, type GroupKeeper, type Kept } from './group-keeper.ts';
import { queueKey } from './group-keys.ts';
import { GroupMembership } from './group-membership.ts';
import { type GroupState, type Membership, target } from './group-scripts.ts';
import { mapError } from './map-error.ts';
import { Recovery } from './recovery.ts';
import {
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
/** How often a source that is to catch up asks whether something still waits for its partition key, in ms. */
const KEYS_INTERVAL_MS = 50;
/** While events come, what was trimmed before it was read is looked for this often, in ms. */
const ACTIVE_INTERVAL_MS = 1_000;
/** A read that is asked to end at once. */
const AT_ONCE_MS = 1;

/** A member of a consumer group: several compete in a group; a durable subscription is a group of one. */
export class GroupSource implements Source, ReadingPart, Kept {
  readonly memberships: readonly Membership[];
  readonly #parts: SourceParts;
  readonly #group: string;
  readonly #consumer: string;
  readonly #onClosed: () => void;
  readonly #keeper: GroupKeeper;
  readonly #membership: GroupMembership;
  readonly #reader: StreamReader;
  readonly #streams: ReturnType<typeof streamsOf>;
  readonly #places: ReadonlyMap<string, entries.Place>;
  readonly #keysAndNew: readonly string[];
  readonly #recovery: Recovery;
  readonly #entries: GroupEntries;
  #seesKeys = false;
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
    this.#entries = new GroupEntries({
      parts,
      keeper,
      membership: this.#membership,
      member,
      streams: this.#streams,
      places: this.#places,
      isStopped: () => this.#reader.stopped,
    });
    this.#recovery = new Recovery(this.#places, (key, id) => this.#entries.isKnown(key, id));
    this.#reader = new StreamReader(parts, this, keys[0] as string);
  }

  async open(): Promise<void> {
    try {
      await this.#reader.open();
    } catch (thrown) {
      // It may have joined all the same: the answer was lost, or is late.
      await settlesWithin(GOODBYE_TIMEOUT_MS, this.#membership.leaveAll());
      throw thrown;
    }
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
    this.#keeper.hurry(ACTIVE_INTERVAL_MS);
    for (const [key, read] of streams) {
      this.#membership.reached(key, read);
      const place = this.#placeOf(key);
      if (place.keyed && read.some(([, fields]) => fields !== null && fields.length > 2)) {
        this.#enter(place, read, (waiting) => {
          if (waiting > MAX_WAITING) full = key;
        });
      } else for (const entry of read) this.#entries.deliver(key, entry, 1);
    }
    return this.#entries.line?.then(() => (full === undefined ? undefined : this.#untilFewerWait(full)));
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
    this.#seesKeys = true;
    const keys = read.map(([id, fields]) => [id, partitionKeyOf(fields ?? [])] as const);
    const entering = watch.run(() => entries.enter(commands.client, place, keys)).catch(() => undefined);
    this.#entries.wait(entering, (entered) => {
      if (entered === undefined) return this.#lookAgain(place.key);
      if (entered.gone > 0) this.#membership.signalGap(entered.gone);
      const handed = entries.withFollowers(read, keys, entered.attempts);
      for (const { entry, attempt, followers } of handed) this.#entries.deliver(place.key, entry, attempt, followers);
      then(entered.waiting);
    });
  }

  /** The server is not to keep a list without end. */
  async #untilFewerWait(key: string): Promise<void> {
    const { commands, settings } = this.#parts;
    const { queue } = this.#placeOf(key);
    let waiting = MAX_WAITING;
    while (!this.#reader.stopped && waiting >= MAX_WAITING) {
      await pause(settings.claimIntervalMs);
      waiting = await commands.client.zcard(queue).catch(() => waiting);
    }
  }

  // ── what others released or left, and what got lost on its way to us ──

  async seen(states: readonly GroupState[]): Promise<number> {
    let waitMs = this.#idleMs;
    try {
      await this.#entries.returnRest();
      for (let at = 0; at < this.memberships.length && !this.#reader.stopped; at++) {
        const one = this.memberships[at] as Membership;
        const state = states[at] as GroupState;
        if ((await this.#membership.check(one, state)) && state.pending > 0) {
          waitMs = Math.min(waitMs, await this.#claim(one.key));
        }
      }
    } catch {
      // The server is gone, or does not allow it: the next beat tries again.
      return Math.max(this.#parts.settings.claimIntervalMs, Math.min(1_000, this.#idleMs));
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
    // What is ours and never reached us was lost on its way: nobody was given it.
    const handed = claimed.handed.map((one) =>
      one.wasOurs && !this.#entries.isKnown(key, one.entry[0])
        ? { ...one, attempt: Math.max(1, one.attempt - 1) }
        : one,
    );
    for (const { entry } of handed) this.#entries.lose(key, entry[0]);
    await this.#entries.deliverPage(key, { ...claimed, handed });
    if (claimed.more) return claimIntervalMs;
    return Math.max(claimIntervalMs, claimed.dueMs ?? this.#idleMs);
  }

  /** One page of what is pending for us and was never handed on by this source. */
  async #recover(redis: Redis, key: string, count: number): Promise<null> {
    const page = await this.#recovery.read(redis, key, count);
    await this.#entries.deliverPage(key, page);
    return null;
  }

  /** A reply may have been lost that handed us something, while the connection we read from is as it was. */
  #lookAgain(key: string): void {
    this.#recovery.strayed(key);
    this.#keeper.hurry(this.#parts.settings.claimIntervalMs);
  }

  async #recoverStrays(key: string): Promise<void> {
    const { client } = this.#parts.commands;
    await this.#entries.deliverPage(key, await this.#recovery.readStrays(client, key));
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
    const ours = this.memberships.flatMap(({ key }, at) =>
      targets[at] === undefined ? [] : [{ key, id: targets[at] }],
    );
    const isBehind = ours.some(({ key, id }) => compareIds(this.#membership.lastId(key), id) < 0);
    if (isBehind && this.#reader.isConnected) {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#onCaughtUp.delete(done);
          resolve();
        };
        this.#onCaughtUp.add(done);
        void this.#reader.interrupt();
      });
    }
    await this.#entries.line;
    if (this.#seesKeys) for (const { key } of ours) await this.#untilNoneWaits(key);
  }

  /** What waits for others of its partition key comes as these are settled. */
  async #untilNoneWaits(key: string): Promise<void> {
    const { client } = this.#parts.commands;
    const { queue } = this.#placeOf(key);
    while (this.#reader.isConnected && !this.#reader.stopped) {
      // One of them says how far it is filled.
      const waiting = await client.zcard(queue).then(
        (count) => count - 1,
        () => 0,
      );
      if (waiting <= this.#entries.countKeyed(key)) return;
      await pause(KEYS_INTERVAL_MS);
    }
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
      await this.#entries.close();
      try {
        if (this.#parts.request.durable !== undefined) await this.#membership.restoreAll();
        await this.#membership.leaveAll();
      } catch (thrown) {
        // The group is taken away later by others; the reason may matter to somebody.
        this.#parts.context.signal({ kind: 'failed', what: 'source', error: mapError(thrown) });
      }
      this.#onClosed();
    })();
    return this.#closing;
  }
}
