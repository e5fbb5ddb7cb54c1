import {
  type Address,
  type BroadcastEvent,
  type Lease,
  PolycastError,
  type Settlement,
  type Source,
} from '@polycast/core/adapter';
import type { Redis } from 'ioredis';
import {
  EntryDecoder,
  type RawEntry,
  type RawStreams,
  type ReadingPart,
  type SourceParts,
  StreamReader,
  streamsOf,
} from './stream-reader.ts';
import { type FirstEntry, fateOf, firstOf, type StreamState, stateOf } from './stream-state.ts';
import { compareIds, formatPosition, parsePosition, startIdOf } from './wire.ts';

/** While streams are read it is looked at so often, in ms, or as often as a read may wait, what became of them. */
const CHECK_INTERVAL_MS = 30_000;
/** After events came it is counted this soon, in ms, whether all of them did: a process that stood still reads past what was trimmed. */
const COUNT_WITHIN_MS = 1_000;

/** How far one stream was read. */
interface Cursor {
  readonly address: Address;
  /** Of the last entry read. */
  id: string;
  /** Entries ever added up to there; undefined where it cannot be known. */
  count: number | undefined;
  /** When it was looked at last. */
  first: FirstEntry | undefined;
  /** When it was looked at last; undefined if it was read from since. */
  length: number | undefined;
}

/** Waits until every stream has been read up to an id. */
interface CatchingUp {
  /** By key; undefined until the server has told. */
  ids: ReadonlyMap<string, string> | undefined;
  readonly resolve: () => void;
}

/**
 * Every event for us, read with a cursor that lives in this process: nothing of it is on the server, so nothing is left
 * there after a crash. The cursor outlives lost connections and restarts of the server.
 */
export class PlainSource implements Source, ReadingPart {
  readonly canBeCut = true;
  readonly #parts: SourceParts;
  readonly #reader: StreamReader;
  readonly #decoder: EntryDecoder;
  readonly #cursors: ReadonlyMap<string, Cursor>;
  readonly #keys: readonly string[];
  readonly #catchingUp = new Set<CatchingUp>();
  /** The entry that holds the position we start after, when it holds later events too. */
  #startsWithin: { readonly id: string; readonly index: number; readonly address: Address } | undefined;
  #isOpen = false;
  /** Has the last read brought all there was? Then nothing was unread when it ended. */
  #hasReadAll = false;
  /** Was something read since the streams were counted last? Between two reads events may come, and go with their stream, unseen. */
  #isUncounted = false;
  #checkedAtMs = performance.now();
  #awaySinceMs: number | undefined;
  #counting: NodeJS.Timeout | undefined;

  constructor(parts: SourceParts) {
    this.#parts = parts;
    const streams = streamsOf(parts);
    this.#cursors = new Map(
      [...streams].map(([key, address]) => [
        key,
        { address, id: '', count: undefined, first: undefined, length: undefined },
      ]),
    );
    this.#keys = [...streams.keys()];
    this.#decoder = new EntryDecoder(parts);
    this.#reader = new StreamReader(parts, this, this.#keys[0] as string);
    const { startFrom } = parts.request;
    if (typeof startFrom === 'object' && 'after' in startFrom) {
      const position = parsePosition(startFrom.after);
      // Taken for the beginning, it would replay everything.
      if (position === undefined) {
        throw new PolycastError('invalid-configuration', 'from.after is not a position in Redis Streams');
      }
      if (position.index !== undefined) this.#startsWithin = { ...position, index: position.index };
    }
  }

  async open(): Promise<void> {
    await this.#reader.open();
    this.#isOpen = true;
  }

  async stop(): Promise<void> {
    await this.#reader.stop();
    clearTimeout(this.#counting);
    this.#endCatchingUp();
  }

  close(): Promise<void> {
    return this.stop();
  }

  // ── reading ──

  /** First: where to start. Later: what became of the streams while we were away. */
  async prepare(redis: Redis): Promise<void> {
    if (this.#isOpen) {
      await this.#checkAll(redis);
      this.#awaySinceMs = undefined;
      return;
    }
    await Promise.all([...this.#cursors].map(async ([key, cursor]) => this.#start(cursor, await stateOf(redis, key))));
  }

  #start(cursor: Cursor, state: StreamState): void {
    const { startFrom } = this.#parts.request;
    const start = startIdOf(startFrom, cursor.address);
    cursor.id = start ?? state.lastId;
    cursor.first = firstOf(state);
    if (start === undefined) cursor.count = state.added;
    else if (start === '0-0' && startFrom === 'earliest' && state.added !== undefined) {
      cursor.count = state.added - state.length;
    } else if (state.firstId !== undefined && compareIds(start, state.firstId) < 0 && isTrimmed(state)) {
      if (typeof startFrom === 'object' && 'after' in startFrom) this.#tellGap();
    }
  }

  async read(redis: Redis, count: number, blockMs: number): Promise<RawStreams | null> {
    if (performance.now() - this.#checkedAtMs >= this.#checkIntervalMs) await this.#checkAll(redis);
    const ids = [...this.#cursors.values()].map(({ id }) => id);
    const reading = redis.xread('COUNT', count, 'BLOCK', blockMs, 'STREAMS', ...this.#keys, ...ids);
    const streams = (await reading) as RawStreams | null;
    this.#hasReadAll = streams === null || streams.every(([, entries]) => entries.length < count);
    // All that was taken while it waited would have ended the wait.
    if (streams === null) this.#endCatchingUp();
    return streams;
  }

  take(streams: RawStreams): void {
    for (const [key, entries] of streams) {
      const cursor = this.#cursors.get(key);
      if (cursor === undefined) continue;
      cursor.length = undefined;
      for (const entry of entries) {
        if (this.#reader.stopped) return;
        cursor.id = entry[0];
        if (cursor.count !== undefined) cursor.count++;
        this.#deliver(entry, cursor.address);
      }
    }
    for (const waiting of this.#catchingUp) this.#ifCaughtUp(waiting);
    this.#isUncounted = true;
    this.#countSoon();
  }

  #countSoon(): void {
    if (this.#reader.stopped) return;
    this.#counting ??= setTimeout(() => void this.#count(), COUNT_WITHIN_MS).unref();
  }

  async afterPause(): Promise<void> {
    this.#hasReadAll = false;
    const { commands } = this.#parts;
    // Not knowing is no reason to stop reading.
    await this.#checkAll(commands.client as Redis).catch(() => {});
  }

  onDown(): void {
    this.#hasReadAll = false;
    this.#awaySinceMs ??= performance.now();
    this.#endCatchingUp();
  }

  #deliver([id, fields]: RawEntry, address: Address): void {
    const skip = this.#startsWithin;
    const { sink } = this.#parts;
    this.#decoder.read(fields, (event, index) => {
      if (skip !== undefined && skip.id === id && skip.address === address && (index ?? 0) <= skip.index) return;
      sink.deliver(event, new PlainLease(this, event, { id, index, address }, 1));
    });
  }

  /** Again, from memory: nobody else has it. */
  redeliver(event: BroadcastEvent, lease: Lease): void {
    queueMicrotask(() => {
      if (!this.#reader.stopped) this.#parts.sink.deliver(event, lease);
    });
  }

  ageMs(id: string): number | undefined {
    return this.#parts.clock.ageMs(id);
  }

  // ── what was taken before a moment ──

  /** Resolves, too, when the connection is lost: what was unread then is read from the next one. */
  caughtUp(): Promise<void> {
    if (this.#reader.stopped || !this.#reader.isConnected) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting: CatchingUp = { ids: undefined, resolve };
      this.#catchingUp.add(waiting);
      this.#newestIds()
        .then((ids) => {
          waiting.ids = ids;
          this.#ifCaughtUp(waiting);
        })
        .catch(() => this.#letGo(waiting));
    });
  }

  async #newestIds(): Promise<ReadonlyMap<string, string>> {
    const { client } = this.#parts.commands;
    const newest = async (key: string) => [key, (await client.xrevrange(key, '+', '-', 'COUNT', 1))[0]?.[0]] as const;
    const ids = await Promise.all(this.#keys.map(newest));
    return new Map(ids.filter((pair): pair is [string, string] => pair[1] !== undefined));
  }

  #ifCaughtUp(waiting: CatchingUp): void {
    if (waiting.ids === undefined) return;
    for (const [key, id] of waiting.ids) if (compareIds(this.#cursors.get(key)?.id ?? id, id) < 0) return;
    this.#letGo(waiting);
  }

  #letGo(waiting: CatchingUp): void {
    this.#catchingUp.delete(waiting);
    waiting.resolve();
  }

  #endCatchingUp(): void {
    for (const waiting of this.#catchingUp) this.#letGo(waiting);
  }

  // ── what became of the streams ──

  /** Were entries trimmed, or a stream lost, before they were read? */
  async #checkAll(redis: Redis): Promise<void> {
    this.#checkedAtMs = performance.now();
    await Promise.all(
      [...this.#cursors].map(async ([key, cursor]) => {
        // As long as before, and nothing was read since: it is the same, without asking for all that XINFO tells.
        const isWatched = cursor.length !== undefined && this.#awaySinceMs === undefined;
        if (isWatched && (await this.#lengthOf(redis, key)) === cursor.length) return;
        const state = await stateOf(redis, key);
        this.#parts.lengths.add(key, state.length);
        this.#check(cursor, state);
      }),
    );
    this.#isUncounted = false;
  }

  get #checkIntervalMs(): number {
    return Math.min(CHECK_INTERVAL_MS, this.#parts.request.pollTimeoutMs);
  }

  /** Unless another source of the link has looked meanwhile, such as the one that brings what is for the instance to its groups. */
  async #lengthOf(redis: Redis, key: string): Promise<number> {
    const { lengths } = this.#parts;
    const seen = lengths.of(key, this.#checkIntervalMs / 2);
    if (seen !== undefined) return seen;
    const length = await redis.xlen(key);
    lengths.add(key, length);
    return length;
  }

  #check(cursor: Cursor, state: StreamState): void {
    const fate = fateOf(cursor, state);
    cursor.length = state.length;
    cursor.first = firstOf(state);
    if (fate === 'kept') return;
    const hadReadAll = (this.#hasReadAll && !this.#isUncounted) || this.#hasExpired(cursor, state);
    if (fate === 'trimmed' || fate === 'remade' || !hadReadAll) this.#tellGap();
    if (compareIds(state.lastId, cursor.id) < 0) {
      // The server came back without the last of what it had, or without any.
      cursor.id = state.lastId;
      cursor.count = state.added;
    } else if (fate !== 'trimmed' && state.firstId !== undefined && compareIds(state.firstId, cursor.id) <= 0) {
      // The same, and more was added since: how much of it is unread cannot be told.
      cursor.count = undefined;
    } else cursor.count = (state.added ?? 0) - state.length;
  }

  /** Who has read the last entry has read as many as were ever added, or some were trimmed unread. Never rejects. */
  async #count(): Promise<void> {
    this.#counting = undefined;
    const counting = [...this.#cursors].map(async ([key, cursor]) => {
      const { id, count, first } = cursor;
      const state = await stateOf(this.#parts.commands.client as Redis, key);
      if (this.#reader.stopped || state.added === undefined || count === undefined) return true;
      const isLost = fateOf({ id, count, first }, state) !== 'kept';
      // What was read meanwhile may be of the stream that took its place: once it stands still, that can be told.
      if (cursor.id !== id) return !isLost;
      if (isLost) this.#check(cursor, state);
      else if (state.lastId === id && state.added > count) {
        cursor.count = state.added;
        this.#tellGap();
      }
      return true;
    });
    // Not knowing is no reason to stop reading: it is counted again when more has come.
    const counted = await Promise.all(counting).catch(() => undefined);
    if (counted === undefined) return;
    if (counted.every(Boolean)) this.#isUncounted = this.#counting !== undefined;
    else this.#countSoon();
  }

  /** Nobody wrote to it for so long that the server removed it, as it was told to; and we were not away for as long. */
  #hasExpired(cursor: Cursor, state: StreamState): boolean {
    const { maxAgeMs } = this.#parts.settings;
    const ageMs = this.#parts.clock.ageMs(cursor.id);
    const awayMs = this.#awaySinceMs === undefined ? 0 : performance.now() - this.#awaySinceMs;
    return state.length === 0 && ageMs !== undefined && ageMs >= maxAgeMs && awayMs < maxAgeMs;
  }

  /** How many events were lost cannot be known: an entry may hold several, and some may not have been for us. */
  #tellGap(): void {
    this.#parts.context.signal({ kind: 'gap', reason: 'trimmed' });
  }
}

class PlainLease implements Lease {
  readonly attempt: number;
  readonly #source: PlainSource;
  readonly #event: BroadcastEvent;
  readonly #at: Parameters<typeof formatPosition>[0];

  constructor(source: PlainSource, event: BroadcastEvent, at: Parameters<typeof formatPosition>[0], attempt: number) {
    this.#source = source;
    this.#event = event;
    this.#at = at;
    this.attempt = attempt;
  }

  get position(): string {
    return formatPosition(this.#at);
  }

  get ageMs(): number | undefined {
    return this.#source.ageMs(this.#at.id);
  }

  settle(settlement: Settlement): void {
    if (settlement.kind !== 'release') return;
    this.#source.redeliver(this.#event, new PlainLease(this.#source, this.#event, this.#at, this.attempt + 1));
  }
}

function isTrimmed({ added, length }: StreamState): boolean {
  return added !== undefined && added > length;
}
