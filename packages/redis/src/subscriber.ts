import { decodeEvents, type LinkContext, type Sink } from '@polycast/core/adapter';
import type { Redis } from 'ioredis';
import { type Commands, GOODBYE_TIMEOUT_MS, within } from './client.ts';
import { Dedicated } from './dedicated.ts';
import { startHeartbeat } from './heartbeat.ts';
import { mapError } from './map-error.ts';
import type { Settings } from './settings.ts';
import { channelOf } from './wire.ts';

/** The link's subscribed connection: which channels are subscribed to, for whom, again after every reconnect. */
export class Subscriber {
  readonly #commands: Commands;
  readonly #settings: Settings;
  readonly #context: LinkContext;
  #connection: Dedicated;
  readonly #channels = new Map<string, Set<Sink>>();
  readonly #endHeartbeat: () => void;
  /** Subscribing and unsubscribing, one after another: their effects must come in the order asked. */
  #tail: Promise<unknown> = Promise.resolve();
  #opening: Promise<void> | undefined;
  #isClosed = false;

  constructor(commands: Commands, settings: Settings, context: LinkContext) {
    this.#commands = commands;
    this.#settings = settings;
    this.#context = context;
    this.#connection = this.#newConnection();
    this.#endHeartbeat = startHeartbeat({
      intervalMs: settings.pingIntervalMs,
      connection: () => this.#connection.current,
      signal: (signal) => context.signal(signal),
      giveUp: () => this.#connection.drop(),
    });
  }

  #newConnection(): Dedicated {
    const context = this.#context;
    return new Dedicated({
      commands: this.#commands,
      // All channels of a topic have the same hash tag.
      key: channelOf(this.#settings.prefix, context.topic, '*'),
      connectTimeoutMs: this.#settings.connectTimeoutMs,
      context,
      configure: (redis) => this.#listen(redis),
      prepare: (redis) => this.#subscribe(redis, [...this.#channels.keys()]),
      onDown: (error) => context.signal({ kind: 'disconnected', error }),
      onUp: (downMs) => context.signal({ kind: 'reconnected', downMs, mayHaveLost: true }),
    });
  }

  /** The first connection. What fails is tried anew by whoever subscribes next. */
  #open(): Promise<void> {
    this.#opening ??= this.#connection.open().catch((thrown) => {
      this.#opening = undefined;
      if (!this.#isClosed) this.#connection = this.#newConnection();
      throw thrown;
    });
    return this.#opening;
  }

  get isUsed(): boolean {
    return this.#channels.size > 0;
  }

  /** Resolves when the server has confirmed every channel. */
  add(channels: readonly string[], sink: Sink): Promise<void> {
    return this.#inTurn(async () => {
      const added = channels.filter((channel) => !this.#channels.has(channel));
      for (const channel of channels) {
        const sinks = this.#channels.get(channel);
        if (sinks === undefined) this.#channels.set(channel, new Set([sink]));
        else sinks.add(sink);
      }
      try {
        await this.#open();
        const redis = await this.#connection.ready();
        if (redis === undefined) throw new Error('Connection is closed.');
        await this.#subscribe(redis, added);
      } catch (thrown) {
        this.#forget(channels, sink);
        throw mapError(thrown);
      }
    });
  }

  /** The sink gets nothing more from the moment of the call. Resolves when the server has let go. */
  remove(channels: readonly string[], sink: Sink): Promise<void> {
    for (const channel of channels) this.#channels.get(channel)?.delete(sink);
    return this.#inTurn(async () => {
      const unused = this.#forget(channels, sink);
      const redis = this.#connection.current;
      if (redis === undefined || unused.length === 0) return;
      const unsubscribed = this.#commands.isCluster ? redis.sunsubscribe(...unused) : redis.unsubscribe(...unused);
      await within(GOODBYE_TIMEOUT_MS, unsubscribed, () => undefined);
    }).catch(() => {
      // A lost connection has let go of everything; a silent server will, once it reads what it was sent.
    });
  }

  /** Replies come in order with messages: when this one is here, everything taken before is too. */
  async caughtUp(): Promise<void> {
    await this.#connection.current?.ping().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endHeartbeat();
    await this.#connection.close();
  }

  #listen(redis: Redis): void {
    const limits = { maxTextLength: 4 * this.#settings.maxEventBytes };
    redis.on(this.#commands.isCluster ? 'smessage' : 'message', (channel: string, text: string) => {
      const sinks = this.#channels.get(channel);
      if (sinks === undefined) return;
      decodeEvents(
        text,
        (event) => {
          for (const sink of sinks) sink.deliver(event);
        },
        (error) => {
          for (const sink of sinks) sink.corrupt(error);
        },
        limits,
      );
    });
  }

  async #subscribe(redis: Redis, channels: readonly string[]): Promise<void> {
    if (channels.length === 0) return;
    await (this.#commands.isCluster ? redis.ssubscribe(...channels) : redis.subscribe(...channels));
  }

  /** @returns channels that nobody wants any more */
  #forget(channels: readonly string[], sink: Sink): string[] {
    return channels.filter((channel) => {
      const sinks = this.#channels.get(channel);
      sinks?.delete(sink);
      return sinks?.size === 0 && this.#channels.delete(channel);
    });
  }

  #inTurn<Value>(task: () => Promise<Value>): Promise<Value> {
    const done = this.#tail.then(task);
    this.#tail = done.catch(() => {});
    return done;
  }
}
