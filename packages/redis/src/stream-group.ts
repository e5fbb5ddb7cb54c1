import type { BroadcastEvent, Lease, Source } from '@polycast/core/adapter';
import type { Redis } from 'ioredis';
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
  /** Held until the server has taken the acknowledgement. By key and id. */
  readonly #held = new Map<string, HeldEntry>();
  #accepted: HeldEntry[] = [];
  #flushing: Promise<void> | undefined;
  #flushSoon: NodeJS.Immediate | undefined;
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
    // What an earlier life of ours held, or what got lost on its way to us.
    for (const key of this.#streams.keys()) await this.#recover(redis, key);
  }

  read(redis: Redis, count: number, blockMs: number): Promise<RawStreams | null> {
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

  take(streams: RawStreams): void {
    for (const [key, entries] of streams) {
      for (const entry of entries) {
        this.#lastIds.set(key, entry[0]);
        this.#deliver(key, entry, 1);
      }
    }
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

  #deliver(key: string, [id, fields]: RawEntry, attempt: number): void {
    const { sink, request } = this.#parts;
    const name = `${key} ${id}`;
    if (this.#held.has(name) || fields === null) return;
    const events: BroadcastEvent[] = [];
    this.#decoder.read(fields, (event) => events.push(event));
    const address = this.#streams.get(key) ?? '*';
    const entry = new HeldEntry(this, { key, id, address }, { attempt, size: events.length, lockMs: request.lockMs });
    this.#held.set(name, entry);
    if (events.length === 0) this.acknowledge(entry);
    // An entry is handed on whole, even while stopping: half of one cannot be put back.
    for (let at = 0; at < events.length; at++) {
      const event = events[at] as BroadcastEvent;
      sink.deliver(event, entry.lease(event, at));
    }
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
    if (performance.now() - this.#sweptAtMs > SWEEP_INTERVAL_MS) await this.#sweep();
  }

  async #recover(redis: Redis, key: string): Promise<void> {
    for (let after = '0'; ; ) {
      const reply = (await redis.xreadgroup(
        'GROUP',
        this.#group,
        this.#consumer,
        'COUNT',
        100,
        'STREAMS',
        key,
        after,
      )) as RawStreams | null;
      const entries = reply?.[0]?.[1] ?? [];
      if (entries.length === 0) return;
      await this.#deliverAgain(redis, key, ['', entries], false);
      after = entries.at(-1)?.[0] as string;
    }
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
    queueMicrotask(() => this.#parts.sink.deliver(event, lease));
    return true;
  }

  acknowledge(entry: HeldEntry): void {
    this.#accepted.push(entry);
    this.#flushSoon ??= setImmediate(() => {
      this.#flushSoon = undefined;
      void this.#flush();
    });
  }

  /** One XACK a stream. What the server did not take is asked again by the next, after a while. */
  #flush(): Promise<void> {
    this.#flushing ??= this.#acknowledgeAll().finally(() => {
      this.#flushing = undefined;
      if (this.#accepted.length > 0 && this.#flushSoon === undefined && this.#isOpen) void this.#flush();
    });
    return this.#flushing;
  }

  async #acknowledgeAll(): Promise<void> {
    const { commands, watch, context } = this.#parts;
    const entries = this.#accepted;
    this.#accepted = [];
    const byKey = new Map<string, HeldEntry[]>();
    for (const entry of entries) {
      const ofKey = byKey.get(entry.key);
      if (ofKey === undefined) byKey.set(entry.key, [entry]);
      else ofKey.push(entry);
    }
    await Promise.all(
      [...byKey].map(async ([key, ofKey]) => {
        try {
          const ids = ofKey.map(({ id }) => id);
          await watch.run(() => commands.client.xack(key, this.#group, ...ids));
          for (const { id } of ofKey) this.#held.delete(`${key} ${id}`);
        } catch (thrown) {
          const error = mapError(thrown);
          if (error.retryable && this.#isOpen) {
            await new Promise((resolve) => {
              setTimeout(resolve, 100).unref();
            });
            this.#accepted.push(...ofKey);
          } else context.signal({ kind: 'failed', what: 'settle', error });
        }
      }),
    );
  }

  async putBack(entry: HeldEntry): Promise<void> {
    // Before the server hears of it: from then on our own claims may bring it again.
    this.#held.delete(`${entry.key} ${entry.id}`);
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
      clearImmediate(this.#flushSoon);
      await this.#flushing;
      await this.#flush();
      const { commands, request } = this.#parts;
      if (request.durable === undefined) {
        await Promise.all(
          [...this.#streams.keys()].map((key) => groups.leave(commands.client, key, this.#group, this.#consumer)),
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

/** What XAUTOCLAIM gives: where to go on, what was claimed, and (from Redis 7) what is no longer there. */
type ClaimReply = readonly [cursor: string, entries: readonly RawEntry[], deleted?: readonly string[]];
