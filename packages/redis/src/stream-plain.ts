import type { Address, BroadcastEvent, Lease, Settlement, Source } from '@polycast/core/adapter';
import type { Redis } from 'ioredis';
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
import { compareIds, formatPosition, parsePosition, startIdOf } from './wire.ts';

/** How far one stream was read. */
interface Cursor {
  readonly address: Address;
  /** Of the last entry read. */
  id: string;
  /** Entries ever added up to there; undefined where it cannot be known. */
  count: number | undefined;
}

/** What XINFO STREAM says. */
interface StreamState {
  readonly lastId: string;
  readonly firstId: string | undefined;
  readonly added: number | undefined;
  readonly length: number;
}

/**
 * Every event for us, read with a cursor that lives in this process: nothing of it is on the server, so nothing is left
 * there after a crash. The cursor outlives lost connections and restarts of the server.
 */
export class PlainSource implements Source, ReadingPart {
  readonly #parts: SourceParts;
  readonly #reader: StreamReader;
  readonly #decoder: EntryDecoder;
  readonly #cursors: ReadonlyMap<string, Cursor>;
  readonly #keys: readonly string[];
  /** The entry that holds the position we start after, when it holds later events too. */
  #startsWithin: { readonly id: string; readonly index: number; readonly address: Address } | undefined;
  #isOpen = false;

  constructor(parts: SourceParts) {
    this.#parts = parts;
    const streams = streamsOf(parts);
    this.#cursors = new Map([...streams].map(([key, address]) => [key, { address, id: '', count: undefined }]));
    this.#keys = [...streams.keys()];
    this.#decoder = new EntryDecoder(parts);
    this.#reader = new StreamReader(parts, this, this.#keys[0] as string);
    const { from } = parts.request;
    if (typeof from === 'object' && 'after' in from) {
      const position = parsePosition(from.after);
      if (position?.index !== undefined) this.#startsWithin = { ...position, index: position.index };
    }
  }

  async open(): Promise<void> {
    await this.#reader.open();
    this.#isOpen = true;
  }

  stop(): Promise<void> {
    return this.#reader.stop();
  }

  close(): Promise<void> {
    return this.#reader.stop();
  }

  /** First: where to start. Later: what became of the streams while we were away. */
  async prepare(redis: Redis): Promise<void> {
    const { from } = this.#parts.request;
    await Promise.all(
      [...this.#cursors].map(async ([key, cursor]) => {
        const state = await stateOf(redis, key);
        if (this.#isOpen) return this.#check(cursor, state);
        const start = startIdOf(from, cursor.address);
        cursor.id = start ?? state.lastId;
        if (start === undefined) cursor.count = state.added;
        else if (start === '0-0' && from === 'earliest' && state.added !== undefined) {
          cursor.count = state.added - state.length;
        } else if (state.firstId !== undefined && compareIds(start, state.firstId) < 0 && isTrimmed(state)) {
          if (typeof from === 'object' && 'after' in from) this.#tellGap(undefined);
        }
      }),
    );
  }

  read(redis: Redis, count: number, blockMs: number): Promise<RawStreams | null> {
    const ids = [...this.#cursors.values()].map(({ id }) => id);
    return redis.xread(
      'COUNT',
      count,
      'BLOCK',
      blockMs,
      'STREAMS',
      ...this.#keys,
      ...ids,
    ) as Promise<RawStreams | null>;
  }

  take(streams: RawStreams): void {
    for (const [key, entries] of streams) {
      const cursor = this.#cursors.get(key);
      if (cursor === undefined) continue;
      for (const entry of entries) {
        if (this.#reader.stopped) return;
        cursor.id = entry[0];
        if (cursor.count !== undefined) cursor.count++;
        this.#deliver(entry, cursor.address);
      }
    }
  }

  async afterPause(): Promise<void> {
    const { client } = this.#parts.commands;
    await Promise.all(
      [...this.#cursors].map(async ([key, cursor]) => this.#check(cursor, await stateOf(client as Redis, key))),
    ).catch((thrown) => {
      // Not knowing is no reason to stop reading.
      mapError(thrown);
    });
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

  /** Were entries trimmed, or the stream lost, before they were read? */
  #check(cursor: Cursor, state: StreamState): void {
    const { added, length } = state;
    if (cursor.count === undefined || added === undefined) return;
    if (added < cursor.count) {
      // The server came back without (all of) what it had: what it counts now is another stream.
      this.#tellGap(undefined);
      if (compareIds(state.lastId, cursor.id) < 0) cursor.id = state.lastId;
      cursor.count = added - length;
    } else if (
      added - length > cursor.count &&
      (state.firstId === undefined || compareIds(cursor.id, state.firstId) < 0)
    ) {
      this.#tellGap(added - length - cursor.count);
      cursor.count = added - length;
    }
  }

  /** @param entries of which each may hold several events */
  #tellGap(entries: number | undefined): void {
    const { context, settings } = this.#parts;
    const count = settings.batch === 'off' ? entries : undefined;
    context.signal({ kind: 'gap', reason: 'trimmed', ...(count === undefined ? {} : { count }) });
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

  settle(settlement: Settlement): void {
    if (settlement.kind !== 'release') return;
    this.#source.redeliver(this.#event, new PlainLease(this.#source, this.#event, this.#at, this.attempt + 1));
  }
}

async function stateOf(redis: Redis, key: string): Promise<StreamState> {
  let reply: unknown;
  try {
    reply = await redis.xinfo('STREAM', key);
  } catch (thrown) {
    if (thrown instanceof Error && thrown.message.includes('no such key')) {
      return { lastId: '0-0', firstId: undefined, added: 0, length: 0 };
    }
    throw thrown;
  }
  const fields = new Map<string, unknown>();
  const flat = reply as readonly unknown[];
  for (let at = 0; at + 1 < flat.length; at += 2) fields.set(String(flat[at]), flat[at + 1]);
  const added = fields.get('entries-added');
  const first = fields.get('first-entry') as readonly unknown[] | null;
  return {
    lastId: String(fields.get('last-generated-id') ?? '0-0'),
    firstId: first === null || first === undefined ? undefined : String(first[0]),
    // Redis 7 and later count.
    added: typeof added === 'number' ? added : undefined,
    length: Number(fields.get('length') ?? 0),
  };
}

function isTrimmed({ added, length }: StreamState): boolean {
  return added !== undefined && added > length;
}
