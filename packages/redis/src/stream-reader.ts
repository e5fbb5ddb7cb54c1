import {
  type Address,
  type BroadcastEvent,
  decodeEvents,
  type LinkContext,
  Outage,
  PolycastError,
  pause,
  type Sink,
  type SourceRequest,
  within,
} from '@polycast/core/adapter';
import type { Cluster, Redis } from 'ioredis';
import { wantedAddresses } from './addresses.ts';
import { type Commands, GOODBYE_TIMEOUT_MS, nodeFor, reconnectDelayMs } from './client.ts';
import type { CommandWatch } from './command-watch.ts';
import { DedicatedConnection } from './dedicated-connection.ts';
import { mapError } from './map-error.ts';
import type { ServerClock } from './server-clock.ts';
import type { Settings } from './settings.ts';
import type { SeenLengths } from './stream-state.ts';
import { channelOf, EVENT_FIELD, KEY_FIELD } from './wire.ts';

/** Most entries of each stream that one read brings: at 256 events in an entry and 64 KB, some megabytes. */
const MAX_ENTRIES = 64;
/** Where a blocked read cannot be interrupted, it is kept this short, in ms. */
const UNINTERRUPTIBLE_WAIT_MS = 1_000;
/** A blocked read that is this late has no server any more, in ms. */
const READ_GRACE_MS = 10_000;

/** An entry as Redis gives it: id and fields; null fields for an entry that was deleted. */
export type RawEntry = readonly [id: string, fields: readonly string[] | null];
/** What a read brings, by key. */
export type RawStreams = readonly (readonly [key: string, entries: readonly RawEntry[]])[];

/** What a source of streams is made of. */
export interface SourceParts {
  readonly commands: Commands;
  readonly watch: CommandWatch;
  readonly settings: Settings;
  readonly context: LinkContext;
  readonly clock: ServerClock;
  /** Shared by all sources of the link. */
  readonly lengths: SeenLengths;
  readonly request: SourceRequest;
  readonly sink: Sink;
}

/** How one kind of source reads. */
export interface ReadingPart {
  /** May a read under way be cut off? Not if what is on its way to us would be ours already, unseen. */
  readonly canBeCut?: boolean;
  /**
   * On every new connection, before reading from it.
   * @param clientId of the connection, where a read on it can be interrupted
   */
  prepare(redis: Redis, clientId: number | undefined): Promise<void>;
  read(redis: Redis, count: number, blockMs: number): Promise<RawStreams | null>;
  /** @returns a promise only if some of it has to wait for the server's word: nothing is read until then */
  take(streams: RawStreams): void | Promise<void>;
  /** Core could take nothing for a while: what is unread may have been trimmed meanwhile. */
  afterPause(): Promise<void>;
  /** The connection is lost; another one is made, and prepared. */
  onDown?(): void;
}

/** The streams of the addresses asked for, by key. */
export function streamsOf({ settings, context, request }: SourceParts): ReadonlyMap<string, Address> {
  const keyOf = (address: Address) => channelOf(settings.prefix, context.topic, address);
  return new Map(wantedAddresses(request).map((address) => [keyOf(address), address]));
}

/** Takes entries apart. What is no event is told to the sink. */
export class EntryDecoder {
  readonly #sink: Sink;
  readonly #limits: { readonly maxTextLength: number };
  readonly #corrupt = (error: PolycastError): void => this.#sink.corrupt(error);

  constructor({ sink, settings }: SourceParts) {
    this.#sink = sink;
    this.#limits = { maxTextLength: 4 * settings.maxEventBytes };
  }

  /** @param each gets the event's place in the batch; undefined for one that travelled alone */
  read(fields: readonly string[] | null, each: (event: BroadcastEvent, index: number | undefined) => void): void {
    const text = textOf(fields ?? []);
    if (text === undefined) {
      this.#corrupt(new PolycastError('corrupt-event', `a stream entry has no field "${EVENT_FIELD}"`));
      return;
    }
    const isLone = text.charCodeAt(0) === OPEN_BRACE;
    let count = 0;
    decodeEvents(text, (event) => each(event, isLone ? undefined : count++), this.#corrupt, this.#limits);
  }
}

const OPEN_BRACE = 0x7b;

function textOf(fields: readonly string[]): string | undefined {
  return fieldOf(fields, EVENT_FIELD);
}

/** The partition key of an entry's only event, as its publisher put it beside it. */
export function partitionKeyOf(fields: readonly string[]): string | undefined {
  return fields.length === 2 ? undefined : fieldOf(fields, KEY_FIELD);
}

function fieldOf(fields: readonly string[], name: string): string | undefined {
  for (let at = 0; at + 1 < fields.length; at += 2) if (fields[at] === name) return fields[at + 1];
  return undefined;
}

/** Ends a blocked read of whichever connection to the server that holds `key`. Never rejects. */
export async function unblock(commands: Commands, key: string, clientId: number): Promise<void> {
  await serverOf(commands, key)
    ?.client('UNBLOCK', clientId)
    .catch(() => undefined);
}

/**
 * Does the server that holds `key` still have one of these connections? False, too, where it does not say, as before Redis 6.2. Never
 * rejects.
 */
export async function isConnected(commands: Commands, key: string, clientIds: readonly number[]): Promise<boolean> {
  const found = await serverOf(commands, key)
    ?.call('CLIENT', 'LIST', 'ID', ...clientIds)
    .catch(() => undefined);
  return typeof found === 'string' && found.trim() !== '';
}

function serverOf({ client, isCluster }: Commands, key: string): Redis | undefined {
  return isCluster ? nodeFor(client as Cluster, key) : (client as Redis);
}

/** Reads in a loop, on a connection of its own, no faster than core takes. */
export class StreamReader {
  readonly #parts: SourceParts;
  readonly #part: ReadingPart;
  readonly #key: string;
  readonly #connection: DedicatedConnection;
  #clientId: number | undefined;
  /** The read under way: when it is too late, by the monotonic clock, and how it is given up. */
  #reading: { readonly lateAtMs: number; readonly giveUp: (error: Error) => void } | undefined;
  #watch: NodeJS.Timeout | undefined;
  #stopped = false;
  #loop: Promise<void> = Promise.resolve();
  readonly #stopping = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(parts: SourceParts, part: ReadingPart, key: string) {
    this.#parts = parts;
    this.#part = part;
    this.#key = key;
    const { commands, settings, context } = parts;
    this.#connection = new DedicatedConnection({
      commands,
      key,
      context,
      // A blocked read takes longer than any other command may.
      configure: (redis) => {
        redis.options.commandTimeout = undefined;
      },
      connectTimeoutMs: settings.connectTimeoutMs,
      prepare: async (redis) => {
        // Without leave for CLIENT nothing can be unblocked.
        if (!part.canBeCut) this.#clientId = await redis.client('ID').catch(() => undefined);
        await part.prepare(redis, this.#clientId);
      },
      onDown: () => part.onDown?.(),
    });
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  get isConnected(): boolean {
    return this.#connection.current !== undefined;
  }

  /** Ends the read under way, if it is blocked. Where that cannot be done it ends by itself, soon. Never rejects. */
  async interrupt(): Promise<void> {
    if (this.#clientId !== undefined) await unblock(this.#parts.commands, this.#key, this.#clientId);
  }

  async open(): Promise<void> {
    await this.#connection.open();
    this.#watch = setInterval(() => {
      const reading = this.#reading;
      if (reading !== undefined && performance.now() > reading.lateAtMs) reading.giveUp(new Error('timed out'));
    }, READ_GRACE_MS / 4);
    this.#watch.unref();
    this.#loop = this.#run();
  }

  /** Nothing is read or handed on after it resolves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#closing ??= (async () => {
      this.#stopping.abort();
      if (this.#part.canBeCut || this.#connection.current === undefined) await this.#connection.close(false);
      else if (this.#clientId !== undefined) await this.#unblock(this.#clientId);
      await this.#loop;
      clearInterval(this.#watch);
      await this.#connection.close();
    })();
    await this.#closing;
  }

  /** Cutting the connection instead could lose entries that are on their way: they would be ours, unseen. */
  async #unblock(clientId: number): Promise<void> {
    const client = serverOf(this.#parts.commands, this.#key);
    const unblock = client?.client('UNBLOCK', clientId) ?? Promise.resolve(undefined);
    const unblocked = await within(GOODBYE_TIMEOUT_MS, unblock).catch(() => undefined);
    if (unblocked === undefined) this.#connection.drop();
    // It was between two reads, or had just begun one: ask until the loop has seen that it should end.
    const again = setInterval(() => client?.client('UNBLOCK', clientId).catch(() => {}), 20);
    await this.#loop;
    clearInterval(again);
  }

  async #run(): Promise<void> {
    const { sink, request, settings } = this.#parts;
    const outage = new Outage('nothing can be read', (error) => sink.failed(error));
    let failures = 0;
    while (!this.#stopped) {
      try {
        if (sink.capacity <= 0) {
          await sink.ready();
          if (!this.#stopped) await this.#part.afterPause();
          continue;
        }
        const redis = this.#connection.current ?? (await this.#connection.ready());
        if (redis === undefined || this.#stopped) return;
        const isInterruptible = this.#part.canBeCut || this.#clientId !== undefined;
        const blockMs = isInterruptible
          ? request.pollTimeoutMs
          : Math.min(UNINTERRUPTIBLE_WAIT_MS, request.pollTimeoutMs);
        await this.#read(redis, Math.min(MAX_ENTRIES, sink.capacity), Math.max(1, blockMs));
        failures = 0;
        outage.over();
      } catch (thrown) {
        if (this.#stopped) return;
        const error = await this.#afterFailure(thrown);
        if (error !== undefined) outage.failed(error);
        failures++;
        await pause(Math.min(reconnectDelayMs(failures), settings.connectTimeoutMs), this.#stopping.signal);
      }
    }
  }

  /** Reads once and takes what came, within the same turn: events wait for whatever stands between socket and handler. */
  #read(redis: Redis, count: number, blockMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (error: unknown) => {
        if (this.#reading === reading) this.#reading = undefined;
        reject(error);
      };
      const reading = { lateAtMs: performance.now() + blockMs + READ_GRACE_MS, giveUp };
      this.#reading = reading;
      const taken = this.#part.read(redis, count, blockMs).then((streams) => {
        // Given up already: what comes now will come again.
        if (this.#reading !== reading) return;
        this.#reading = undefined;
        const handing = streams === null ? undefined : this.#part.take(streams);
        if (handing === undefined) resolve();
        else handing.then(resolve, reject);
      });
      taken.catch(giveUp);
    });
  }

  /** @returns what stands in the way of the next read, if that is more than the connection */
  async #afterFailure(thrown: unknown): Promise<PolycastError | undefined> {
    const error = mapError(thrown);
    if (error.code === 'timeout' || error.code === 'disconnected') {
      // Silent, a replica by now, or no longer the owner of our keys in a cluster: the next connection knows.
      this.#connection.drop(thrown as Error);
      return undefined;
    }
    if (error.code !== 'not-found') return error;
    // The group is gone while the connection stayed: somebody removed it.
    const redis = this.#connection.current;
    return redis === undefined ? undefined : this.#part.prepare(redis, this.#clientId).then(() => undefined, mapError);
  }
}
