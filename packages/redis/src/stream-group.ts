import type { BroadcastEvent, Lease, Source } from '@polycast/core/adapter';
import type { Redis } from 'ioredis';
import { Acknowledger } from './acknowledger.ts';
import { Contests } from './contests.ts';
import * as groups from './group-scripts.ts';
import { HeldEntry, type Holder } from './held-entry.ts';
import { mapError } from './map-error.ts';
import {
  EntryDecoder,
  type RawEntry,
  type RawStreams,
  type ReadingPart,
  type SourceParts,
  StreamReader,
  streamsOf,
} from './stream-reader.ts';
import { compareIds, startIdOf } from './wire.ts';

/** Idle time given to an entry that was put back, in ms: longer than any lock. */
const IDLE_FOREVER_MS = 2 ** 40;
/** How often orphaned groups are looked for, in ms. */
const SWEEP_INTERVAL_MS = 60_000;
/** Most entries claimed from others at once. */
const MAX_CLAIMED = 16;

/** A member of a consumer group: several compete in a group; a durable subscription is a group of one. */
export class GroupSource implements Source, ReadingPart, Holder {
  readonly #parts: SourceParts;
  readonly #group: string;
  readonly #consumer: string;
  readonly #onClosed: () => void;
  readonly #reader: StreamReader;
  readonly #decoder: EntryDecoder;
  readonly #streams: ReturnType<typeof streamsOf>;
  readonly #keysAndNew: readonly string[];
  /** Last entry handed to the group, by key: where it is made again should it get lost. */
  readonly #lastIds = new Map<string, string>();
  /** What is pending for us is read up to there, by key. Empty once all of it was. */
  readonly #recoverAfter = new Map<string, string>();
  /** Held until the server has taken the acknowledgement. By key and id. */
  readonly #held = new Map<string, HeldEntry>();
  readonly #contests: Contests;
  /** Waits for the server's word on an entry: later ones wait behind it. */
  #line: Promise<void> | undefined;
  readonly #acknowledger: Acknowledger;
  #claimTimer: NodeJS.Timeout | undefined;
  #claiming: Promise<void> | undefined;
  #sweptAtMs = 0;
  #isOpen = false;
  #closing: Promise<void> | undefined;

  constructor(parts: SourceParts, consumer: string, onClosed: () => void) {
    const { request, context } = parts;
    this.#parts = parts;
    this.#consumer = consumer;
    this.#onClosed = onClosed;
    this.#group =
      request.group === undefined
        ? `polycast:instance:${context.self.instance}:${request.durable}`
        : `polycast:group:${request.group}`;
    this.#streams = streamsOf(parts);
    const keys = [...this.#streams.keys()];
    this.#keysAndNew = [...keys, ...keys.map(() => '>')];
    this.#contests = new Contests(parts, { group: this.#group, consumer }, [...this.#streams.values()]);
    this.#acknowledger = new Acknowledger(parts, this.#group, this.#contests, ({ key, id }) => {
      this.#held.delete(`${key} ${id}`);
    });
    this.#decoder = new EntryDecoder(parts);
    this.#reader = new StreamReader(parts, this, keys[0] as string);
  }

  async open(): Promise<void> {
    const { settings, request } = this.#parts;
    await this.#sweep();
    await this.#reader.open();
    this.#isOpen = true;
    const intervalMs = Math.max(10, Math.min(settings.claimIntervalMs, request.lockMs / 2));
    this.#claimTimer = setInterval(() => {
      this.#claiming ??= this.#claim()
        .catch(() => {})
        .finally(() => {
          this.#claiming = undefined;
        });
    }, intervalMs);
    this.#claimTimer.unref();
  }

  // ── reading ──

  async prepare(redis: Redis): Promise<void> {
    const { request, settings } = this.#parts;
    await Promise.all(
      [...this.#streams].map(async ([key, address]) => {
        const start = this.#lastIds.get(key) ?? startIdOf(request.from, address) ?? '$';
        const joined = await groups.join(redis, key, {
          group: this.#group,
          consumer: this.#consumer,
          start,
          durable: request.durable !== undefined,
          keepMs: settings.maxAgeMs,
        });
        const lost = joined.lost > 0 && joined.firstId !== '' && compareIds(joined.lastId, joined.firstId) < 0;
        if (lost || (joined.made && this.#isOpen)) this.#tellGap(lost ? joined.lost : undefined);
        this.#lastIds.set(key, joined.lastId);
      }),
    );
    // Read first: what an earlier life of ours held, or what got lost on its way to us.
    for (const key of this.#streams.keys()) this.#recoverAfter.set(key, '0');
  }

  read(redis: Redis, count: number, blockMs: number): Promise<RawStreams | null> {
    const recovering = this.#recoverAfter.entries().next().value;
    if (recovering !== undefined) return this.#recover(redis, recovering[0], recovering[1], count);
    return redis.xreadgroup(
      'GROUP',
      this.#group,
      this.#consumer,
      'COUNT',
      count,
      'BLOCK',
      blockMs,
      'STREAMS',
      ...this.#keysAndNew,
    ) as Promise<RawStreams | null>;
  }

  take(streams: RawStreams): void | Promise<void> {
    for (const [key, entries] of streams) {
      for (const entry of entries) {
        this.#lastIds.set(key, entry[0]);
        this.#deliver(key, entry, 1);
      }
    }
    return this.#line;
  }

  async afterPause(): Promise<void> {
    for (const key of this.#streams.keys()) {
      const { commands, request, settings } = this.#parts;
      const joined = await groups
        .join(commands.client, key, {
          group: this.#group,
          consumer: this.#consumer,
          start: this.#lastIds.get(key) ?? '0-0',
          durable: request.durable !== undefined,
          keepMs: settings.maxAgeMs,
        })
        .catch(() => undefined);
      if (joined === undefined || joined.lost === 0 || joined.firstId === '') continue;
      if (compareIds(joined.lastId, joined.firstId) < 0) this.#tellGap(joined.lost);
    }
  }

  /** @param hasTurn the server has said already that no other entry of the same event counts */
  #deliver(key: string, [id, fields]: RawEntry, attempt: number, hasTurn = false): void {
    const { request } = this.#parts;
    const name = `${key} ${id}`;
    if (this.#held.has(name) || fields === null) return;
    const events: BroadcastEvent[] = [];
    this.#decoder.read(fields, (event) => events.push(event));
    const address = this.#streams.get(key) ?? '*';
    const lone = events.length === 1 ? events[0] : undefined;
    const size = lone !== undefined && this.#contests.comesByAnother(lone, address) ? 0 : events.length;
    const contestant = lone === undefined || size === 0 ? undefined : this.#contests.contestantFor(lone, { key, id });
    const entry = new HeldEntry(this, { key, id, address }, { attempt, size, lockMs: request.lockMs, contestant });
    this.#held.set(name, entry);
    if (size === 0) {
      this.acknowledge(entry);
    } else if (contestant !== undefined && !hasTurn) {
      this.#wait(this.#contests.enter(contestant, address, attempt), (turn) => {
        // Its lock may have run out meanwhile: then it came again.
        if (this.#held.get(name) !== entry) return;
        if (turn === 'won') this.#hand(entry, events);
        else this.#held.delete(name);
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

  // ── what others released or left ──

  async #claim(): Promise<void> {
    const { commands, request, sink } = this.#parts;
    if (this.#reader.stopped) return;
    const room = Math.min(MAX_CLAIMED, sink.capacity);
    for (const key of this.#streams.keys()) {
      // With no room nothing is claimed, but the server hears that we live.
      const idleMs = room > 0 ? request.lockMs : IDLE_FOREVER_MS * 2;
      const reply = await commands.client.xautoclaim(
        key,
        this.#group,
        this.#consumer,
        idleMs,
        '0-0',
        'COUNT',
        Math.max(1, room),
      );
      await this.#deliverAgain(commands.client as Redis, key, reply as unknown as ClaimReply, true);
    }
    if (room > 0) await this.#takeTurns();
    if (performance.now() - this.#sweptAtMs > SWEEP_INTERVAL_MS) await this.#sweep();
  }

  /** What another entry of the same event kept us from, and keeps us from no more. */
  async #takeTurns(): Promise<void> {
    const { client } = this.#parts.commands;
    for (const { contestant, attempt } of await this.#contests.askAgain()) {
      const { stream, id } = contestant;
      const [entry] = (await client.xrange(stream, id, id)) as RawEntry[];
      if (entry !== undefined) this.#deliver(stream, entry, attempt, true);
      else {
        // Trimmed meanwhile. Another entry of the event may be there still.
        await client.xack(stream, this.#group, id);
        await this.#contests.leave(contestant);
        this.#tellGap(1);
      }
    }
    await this.#line;
  }

  /** One page of what is pending for us. Delivered by the read loop, once the source is open: an opening that fails has delivered nothing. */
  async #recover(redis: Redis, key: string, after: string, count: number): Promise<null> {
    const reply = (await redis.xreadgroup(
      'GROUP',
      this.#group,
      this.#consumer,
      'COUNT',
      count,
      'STREAMS',
      key,
      after,
    )) as RawStreams | null;
    const entries = reply?.[0]?.[1] ?? [];
    if (entries.length === 0) this.#recoverAfter.delete(key);
    else {
      await this.#deliverAgain(redis, key, ['', entries], false);
      this.#recoverAfter.set(key, entries.at(-1)?.[0] as string);
    }
    return null;
  }

  async #deliverAgain(
    redis: Redis,
    key: string,
    [, entries, deleted = []]: ClaimReply,
    expired: boolean,
  ): Promise<void> {
    const fresh = entries.filter(([id]) => {
      const held = this.#held.get(`${key} ${id}`);
      if (held === undefined) return true;
      if (!expired || held.isSettled) return false;
      // Our own, and nobody renewed it: it passes on, if only to ourselves.
      held.lose();
      return this.#held.delete(`${key} ${id}`);
    });
    // Trimmed while somebody held them: nothing is left to deliver.
    const gone = fresh.filter(([, fields]) => fields === null).map(([id]) => id);
    if (gone.length > 0) await redis.xack(key, this.#group, ...gone);
    if (gone.length + deleted.length > 0) this.#tellGap(gone.length + deleted.length);
    for (const entry of fresh) {
      if (entry[1] === null) continue;
      const [pending] = (await redis.xpending(key, this.#group, entry[0], entry[0], 1)) as [
        string,
        string,
        number,
        number,
      ][];
      if (pending === undefined || pending[1] !== this.#consumer) continue;
      if (this.#reader.stopped) await this.#return(key, entry[0], pending[3] - 1);
      else this.#deliver(key, entry, pending[3]);
    }
    await this.#line;
  }

  async #sweep(): Promise<void> {
    this.#sweptAtMs = performance.now();
    const { commands, settings } = this.#parts;
    await Promise.all(
      [...this.#streams.keys()].map((key) => groups.sweep(commands.client, key, settings.maxAgeMs)),
    ).catch((thrown) => {
      throw mapError(thrown);
    });
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

  acknowledge(entry: HeldEntry): void {
    this.#acknowledger.add(entry);
  }

  async putBack(entry: HeldEntry): Promise<void> {
    // Before the server hears of it: from then on our own claims may bring it again.
    this.#held.delete(`${entry.key} ${entry.id}`);
    // Perhaps nobody stays who reads this stream.
    if (entry.contestant !== undefined && this.#reader.stopped) await this.#contests.leave(entry.contestant);
    await this.#return(entry.key, entry.id, entry.attempt);
  }

  /** Lets the next one who looks claim it at once. The count is what it was, until then. */
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
      return await groups.renew(this.#parts.commands.client, entry.key, this.#group, this.#consumer, entry.id);
    } catch (thrown) {
      throw mapError(thrown);
    }
  }

  #tellGap(entries: number | undefined): void {
    const { context, settings } = this.#parts;
    const count = settings.batch === 'off' ? entries : undefined;
    context.signal({ kind: 'gap', reason: 'trimmed', ...(count === undefined ? {} : { count }) });
  }

  // ── ending ──

  async stop(): Promise<void> {
    clearInterval(this.#claimTimer);
    await this.#reader.stop();
    await this.#claiming;
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.stop();
      this.#isOpen = false;
      await this.#acknowledger.close();
      for (const { contestant, attempt } of this.#contests.takeLost()) {
        await this.#return(contestant.stream, contestant.id, attempt - 1).catch(() => {});
      }
      const { commands, request } = this.#parts;
      if (request.durable === undefined) {
        await Promise.all(
          [...this.#streams].map(([key, address]) => {
            const done = address === '*' ? this.#contests.doneKey : undefined;
            return groups.leave(commands.client, key, this.#group, this.#consumer, done);
          }),
        ).catch((thrown) => {
          // The group is swept later by others; the reason may matter to somebody.
          this.#parts.context.signal({ kind: 'failed', what: 'source', error: mapError(thrown) });
        });
      }
      this.#onClosed();
    })();
    return this.#closing;
  }
}

/** The source stopped between the release and the next delivery. What fails comes back when its lock runs out. */
async function putBackLate(lease: Lease): Promise<void> {
  try {
    await lease.settle({ kind: 'release', delayMs: 0 });
  } catch {}
}

/** What XAUTOCLAIM gives: where to go on, what was claimed, and (from Redis 7) what is no longer there. */
type ClaimReply = readonly [cursor: string, entries: readonly RawEntry[], deleted?: readonly string[]];
