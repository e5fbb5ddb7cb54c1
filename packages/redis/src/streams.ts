import {
  CORE,
  type Link,
  type LinkContext,
  type Outgoing,
  type Share,
  Shared,
  type Signal,
  type Sink,
  type Source,
  type SourceRequest,
  type Transport,
} from '@polycast/core/adapter';
import { type Commands, openCommands, usable } from './client.ts';
import { CommandConnection } from './command-connection.ts';
import { CommandWatch } from './command-watch.ts';
import { redisChannel } from './filter-target.ts';
import { GroupKeeper } from './group-keeper.ts';
import { recordTakeover } from './group-scripts.ts';
import { streamsManifest } from './manifest.ts';
import type { RedisStreamsOptions } from './options.ts';
import { execute, type Sending, sendBatch } from './send.ts';
import { ServerClock } from './server-clock.ts';
import { locationOf, type Settings, settingsFrom } from './settings.ts';
import { GroupSource } from './stream-group.ts';
import { PlainSource } from './stream-plain.ts';
import { SeenLengths } from './stream-state.ts';
import { channelOf, EVENT_FIELD, KEY_FIELD } from './wire.ts';
import { WrittenEntries } from './written-entries.ts';

/** Streams are trimmed by age at most this often, and at least ten times within `maxAgeMs`. */
const TRIM_INTERVAL_MS = 60_000;
/** Most streams whose last trimming is remembered. */
const TRIMMED_KEPT = 10_000;

/**
 * Redis Streams: at least once, kept and replayable; a stream an address. A plain subscription reads with a cursor of
 * its own and leaves nothing on the server; a group or a durable subscription is a consumer group.
 * @see https://redis.io/docs/latest/develop/data-types/streams/
 * @throws PolycastError `invalid-configuration`
 */
export function redisStreams(options: RedisStreamsOptions = {}): Transport {
  const settings = settingsFrom(options);
  const connections = new Shared(
    (abortSignal) => openCommands(settings, abortSignal),
    (commands) => commands.close(),
    settings.shareConnection,
  );
  return {
    manifest: streamsManifest(settings),
    core: CORE,
    location: locationOf(settings, 'redis+streams'),
    filterTarget: redisChannel,
    offeredBy: async () => (await import('@polycast/catalogue')).OFFERED_BY,
    open: async (context) => {
      const { abortSignal } = context;
      const share = await usable(await connections.acquire(abortSignal), abortSignal);
      const link = new StreamsLink(share, settings, context);
      await link.known();
      return link;
    },
  };
}

class StreamsLink implements Link {
  readonly #share: Share<Commands>;
  readonly #commands: Commands;
  readonly #settings: Settings;
  readonly #packing: Parameters<typeof sendBatch>[1];
  readonly #context: LinkContext;
  readonly #connection: CommandConnection;
  readonly #sending: Sending;
  readonly #watch: CommandWatch;
  readonly #keeper: GroupKeeper;
  /** When each stream was trimmed by age last, by the monotonic clock. */
  readonly #trimmedAt = new Map<string, number>();
  /** Names in use, each with its group. */
  readonly #consumers = new Set<string>();
  readonly #clock = new ServerClock();
  readonly #lengths = new SeenLengths();
  readonly #written = new WrittenEntries();
  readonly #clockIsRead: Promise<void>;
  #hasRead = false;
  #closing: Promise<void> | undefined;

  constructor(share: Share<Commands>, settings: Settings, context: LinkContext) {
    const commands = share.value;
    this.#share = share;
    this.#commands = commands;
    this.#settings = settings;
    this.#packing = { prefix: settings.prefix, batch: settings.batch, keyedAlone: true };
    this.#context = context;
    this.#watch = new CommandWatch(commands.client, settings.client !== undefined);
    this.#keeper = new GroupKeeper(commands, this.#watch, settings, context, this.#clock);
    this.#connection = new CommandConnection({
      commands,
      settings,
      context,
      key: channelOf(settings.prefix, context.topic, '*'),
      isIntact: () => this.#written.areThere(commands.client),
      isReader: () => this.#hasRead,
      onTakeover: (takeover) => recordTakeover(commands.client, this.#keeper.keys, takeover),
      concerns: () => true,
      onAnswer: (redis, isRestored) => void this.#clock.refresh(redis, isRestored),
    });
    this.#sending = this.#connection.gated({
      one: (stream, payload, key) => this.#append(stream, payload, key),
      several: (stream, parcels) => this.#appendSeveral(stream, parcels),
    });
    this.#clockIsRead = this.#clock.refresh(this.#connection.server);
  }

  get native(): unknown {
    return this.#commands.client;
  }

  /** Resolves when the server has answered what it is asked when a link opens. Never rejects. */
  async known(): Promise<void> {
    await Promise.all([this.#clockIsRead, this.#connection.known()]);
  }

  publish(batch: readonly Outgoing[]): ReturnType<Link['publish']> {
    return sendBatch(batch, this.#packing, this.#sending);
  }

  #append(key: string, payload: string, partitionKey: string | undefined): Promise<unknown> {
    const { client } = this.#commands;
    const { maxLength } = this.#settings;
    const added = this.#watch.run(() =>
      client.xadd(key, 'MAXLEN', '~', maxLength, '*', ...fieldsOf(payload, partitionKey)),
    );
    this.#trimByAge(key, this.#clock.nowMs);
    return added.then((id) => this.#wrote(key, id));
  }

  #appendSeveral(stream: string, parcels: Parameters<Sending['several']>[1]): Promise<true> {
    const transaction = this.#commands.client.multi();
    const { maxLength } = this.#settings;
    for (const { payload, key } of parcels) {
      transaction.xadd(stream, 'MAXLEN', '~', maxLength, '*', ...fieldsOf(payload, key));
    }
    const added = execute(transaction);
    this.#trimByAge(stream, this.#clock.nowMs);
    return added.then((ids) => {
      this.#wrote(stream, ids.at(-1));
      return true;
    });
  }

  #wrote(stream: string, id: unknown): void {
    this.#written.add(stream, id);
    // A user who may not ask for the time learns it from the ids of entries.
    if (this.#clock.nowMs === undefined && typeof id === 'string') this.#trimByAge(stream, Number.parseInt(id, 10));
  }

  /**
   * Also lets the stream itself go once nobody has written to it for as long as events are kept.
   * @param serverMs by the server's clock, which names the entries: by ours, if it is fast, we would take away what nobody has read
   */
  #trimByAge(key: string, serverMs: number | undefined): void {
    if (serverMs === undefined) return;
    const { maxAgeMs } = this.#settings;
    const nowMs = performance.now();
    const lastMs = this.#trimmedAt.get(key);
    if (lastMs !== undefined && nowMs - lastMs < Math.min(TRIM_INTERVAL_MS, maxAgeMs / 10)) return;
    if (this.#trimmedAt.size >= TRIMMED_KEPT) this.#trimmedAt.clear();
    this.#trimmedAt.set(key, nowMs);
    const { client } = this.#commands;
    // Housekeeping: what fails now is done by the next who publishes.
    client.xtrim(key, 'MINID', '~', String(Math.max(0, Math.floor(serverMs) - maxAgeMs))).catch(() => {});
    client.pexpire(key, maxAgeMs + TRIM_INTERVAL_MS).catch(() => {});
  }

  async subscribe(request: SourceRequest, sink: Sink): Promise<Source> {
    this.#hasRead = true;
    await this.#clockIsRead;
    const parts = {
      commands: this.#commands,
      watch: this.#watch,
      settings: this.#settings,
      // What its streams and its connection for reading tell concerns this source alone.
      context: { ...this.#context, signal: (signal: Signal) => sink.signal(signal) },
      clock: this.#clock,
      lengths: this.#lengths,
      request,
      sink,
    };
    if (request.group === undefined && request.durable === undefined) {
      const source = new PlainSource(parts);
      await source.open();
      return source;
    }
    const { consumer, free } = this.#consumerOf(request);
    const source = new GroupSource(parts, this.#keeper, consumer, free);
    try {
      await source.open();
    } catch (thrown) {
      free();
      throw thrown;
    }
    return source;
  }

  /**
   * The instance's own name, so that after a crash it finds what it held, and in its order; with a number from the second source
   * of the same group on.
   */
  #consumerOf({ group, durable }: SourceRequest): { readonly consumer: string; free(): void } {
    const { instance } = this.#context.self;
    const taken = (name: string) => JSON.stringify([group, durable, name]);
    let consumer = instance;
    for (let number = 2; this.#consumers.has(taken(consumer)); number++) consumer = `${instance}/${number}`;
    const key = taken(consumer);
    this.#consumers.add(key);
    return { consumer, free: () => this.#consumers.delete(key) };
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#keeper.close();
      this.#connection.close();
      await this.#share.release();
      this.#watch.stop();
    })();
    return this.#closing;
  }
}

function fieldsOf(payload: string, key: string | undefined): string[] {
  return key === undefined ? [EVENT_FIELD, payload] : [EVENT_FIELD, payload, KEY_FIELD, key];
}
