import {
  ConnectionMonitor,
  decodeEvents,
  type JoinedLink,
  type LinkContext,
  Outage,
  type PolycastError,
  type Signal,
  type Sink,
  settlesWithin,
  startKeepAlive,
} from '@polycast/core/adapter';
import type { Redis } from 'ioredis';
import { type Commands, GOODBYE_TIMEOUT_MS, ready, reconnectDelayMs } from './client.ts';
import { DedicatedConnection } from './dedicated-connection.ts';
import { mapError } from './map-error.ts';
import { isReply } from './server-role.ts';
import type { Settings } from './settings.ts';

/** What one link sees of a subscriber that it may share. */
export interface LinkSubscriber {
  /** Has the link channels? Then it is told what becomes of the connection. */
  readonly isUsed: boolean;
  /** Resolves when the server has confirmed every channel. */
  add(channels: readonly string[], sink: Sink): Promise<void>;
  /** The sink gets nothing more from the moment of the call. Resolves when the server has let go. */
  remove(channels: readonly string[], sink: Sink): Promise<void>;
  /** Replies come in order with messages: when this one is here, everything taken before is too. */
  caughtUp(): Promise<void>;
  /** After all its sinks are removed. */
  leave(): Promise<void>;
}

/** One link. */
interface Member {
  readonly context: LinkContext;
  /** By channel. */
  readonly sinks: Map<string, Set<Sink>>;
  readonly outage: Outage;
  readonly monitor: JoinedLink;
}

/** A subscribed connection: which channels are subscribed to, for whom, again after every reconnect. */
export class Subscriber {
  readonly #commands: Commands;
  readonly #settings: Settings;
  readonly #key: string;
  #connection: DedicatedConnection;
  readonly #channels = new Map<string, Set<Member>>();
  readonly #members = new Set<Member>();
  readonly #monitor = new ConnectionMonitor();
  /** Those that may not subscribe to what they had, while others may. */
  readonly #refused = new Set<Member>();
  #retry: NodeJS.Timeout | undefined;
  readonly #endKeepAlive: () => void;
  /** Subscribing and unsubscribing, one after another: their effects must come in the order asked. */
  #tail: Promise<unknown> = Promise.resolve();
  #opening: Promise<void> | undefined;
  #isClosed = false;

  /** @param key lives on the server of a cluster to connect to */
  constructor(commands: Commands, settings: Settings, key: string) {
    this.#commands = commands;
    this.#settings = settings;
    this.#key = key;
    this.#connection = this.#newConnection();
    this.#endKeepAlive = startKeepAlive({
      intervalMs: settings.pingIntervalMs,
      monitor: this.#monitor,
      connection: () => ready(this.#connection.current),
      ask: (redis) => redis.ping(),
      isAnswer: isReply,
      giveUp: () => this.#connection.drop(),
    });
  }

  #newConnection(): DedicatedConnection {
    return new DedicatedConnection({
      commands: this.#commands,
      key: this.#key,
      connectTimeoutMs: this.#settings.connectTimeoutMs,
      context: { signal: (signal) => this.#signal(signal) },
      configure: (redis) => this.#listen(redis),
      prepare: (redis) => this.#subscribeAll(redis),
      onDown: (error) => this.#down(error),
      onUp: () => this.#up(),
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

  /** @param onLeave what else there is to do when the link leaves */
  join(context: LinkContext, onLeave?: () => Promise<void>): LinkSubscriber {
    const outage = new Outage('the channels cannot be subscribed to again', (error) =>
      context.signal({ kind: 'failed', what: 'source', error }),
    );
    const sinks: Member['sinks'] = new Map();
    // Of a connection that it does not use it need not know.
    const monitor = this.#monitor.join(context.signal, () => sinks.size > 0);
    const member: Member = { context, sinks, outage, monitor };
    this.#members.add(member);
    return {
      get isUsed() {
        return member.sinks.size > 0;
      },
      add: (channels, sink) => this.#add(member, channels, sink),
      remove: (channels, sink) => this.#remove(member, channels, sink),
      caughtUp: async () => {
        await this.#connection.current?.ping().catch(() => undefined);
      },
      leave: async () => {
        monitor.leave();
        this.#members.delete(member);
        this.#refused.delete(member);
        await onLeave?.();
      },
    };
  }

  #add(member: Member, channels: readonly string[], sink: Sink): Promise<void> {
    return this.#inTurn(async () => {
      const added = channels.filter((channel) => !this.#channels.has(channel));
      for (const channel of channels) {
        addTo(this.#channels, channel, member);
        addTo(member.sinks, channel, sink);
      }
      try {
        await this.#open();
        const redis = await this.#connection.ready();
        if (redis === undefined) throw new Error('Connection is closed.');
        await this.#subscribe(redis, added);
      } catch (thrown) {
        this.#forget(member, channels, sink);
        throw mapError(thrown);
      }
    });
  }

  #remove(member: Member, channels: readonly string[], sink: Sink): Promise<void> {
    for (const channel of channels) member.sinks.get(channel)?.delete(sink);
    return this.#inTurn(async () => {
      const unused = this.#forget(member, channels, sink);
      const redis = this.#connection.current;
      if (redis === undefined || unused.length === 0) return;
      const unsubscribed = this.#commands.isCluster ? redis.sunsubscribe(...unused) : redis.unsubscribe(...unused);
      await settlesWithin(GOODBYE_TIMEOUT_MS, unsubscribed);
    }).catch(() => {
      // A lost connection has let go of everything; a silent server will, once it reads what it was sent.
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#endKeepAlive();
    await this.#connection.close();
  }

  // ── loss and return ──

  /** To those who have channels. */
  #signal(signal: Signal): void {
    for (const { context, sinks } of [...this.#members]) if (sinks.size > 0) context.signal(signal);
  }

  #down(error: PolycastError): void {
    clearTimeout(this.#retry);
    this.#monitor.down(error);
  }

  #up(): void {
    const refused = new Set([...this.#refused].map(({ monitor }) => monitor));
    for (const { outage, monitor } of this.#members) if (!refused.has(monitor)) outage.over();
    this.#monitor.up({ mayHaveLost: true }, refused);
    if (refused.size > 0) this.#tryRefused(1);
  }

  /** One channel that is refused refuses all of a command: what is not allowed to one link must not keep the others from coming back. */
  async #subscribeAll(redis: Redis): Promise<void> {
    this.#refused.clear();
    try {
      await this.#subscribe(redis, [...this.#channels.keys()]);
    } catch (thrown) {
      const members = [...this.#members].filter(({ sinks }) => sinks.size > 0);
      if (!isReply(thrown) || members.length < 2 || this.#commands.isCluster) throw thrown;
      for (const member of members) await this.#resubscribe(redis, member);
      if (this.#refused.size === members.length) throw thrown;
    }
  }

  /** @throws what is no answer of the server */
  async #resubscribe(redis: Redis, member: Member): Promise<void> {
    try {
      await this.#subscribe(redis, [...member.sinks.keys()]);
      this.#refused.delete(member);
    } catch (thrown) {
      if (!isReply(thrown)) throw thrown;
      this.#refused.add(member);
      member.outage.failed(mapError(thrown));
    }
  }

  #tryRefused(times: number): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      const again = this.#inTurn(async () => {
        const redis = this.#connection.current;
        if (redis === undefined) return;
        for (const member of [...this.#refused]) {
          await this.#resubscribe(redis, member);
          if (this.#refused.has(member)) continue;
          member.outage.over();
          member.monitor.up({ mayHaveLost: true });
        }
        if (this.#refused.size > 0 && !this.#isClosed) this.#tryRefused(times + 1);
      });
      // The connection is lost: all are subscribed anew with the next one.
      again.catch(() => {});
    }, reconnectDelayMs(times));
    this.#retry.unref();
  }

  #listen(redis: Redis): void {
    const limits = { maxTextLength: 4 * this.#settings.maxEventBytes };
    redis.on(this.#commands.isCluster ? 'smessage' : 'message', (channel: string, text: string) => {
      // Each link has events of its own: what a handler does to one is nobody else's concern.
      for (const { sinks } of this.#channels.get(channel) ?? []) {
        const all = sinks.get(channel) ?? [];
        decodeEvents(
          text,
          (event) => {
            for (const sink of all) sink.deliver(event);
          },
          (error) => {
            for (const sink of all) sink.corrupt(error);
          },
          limits,
        );
      }
    });
  }

  async #subscribe(redis: Redis, channels: readonly string[]): Promise<void> {
    if (channels.length === 0) return;
    await (this.#commands.isCluster ? redis.ssubscribe(...channels) : redis.subscribe(...channels));
  }

  /** @returns channels that nobody wants any more */
  #forget(member: Member, channels: readonly string[], sink: Sink): string[] {
    return channels.filter((channel) => {
      const sinks = member.sinks.get(channel);
      sinks?.delete(sink);
      if (sinks === undefined || sinks.size > 0) return false;
      member.sinks.delete(channel);
      const members = this.#channels.get(channel);
      members?.delete(member);
      return members?.size === 0 && this.#channels.delete(channel);
    });
  }

  #inTurn<Value>(task: () => Promise<Value>): Promise<Value> {
    const done = this.#tail.then(task);
    this.#tail = done.catch(() => {});
    return done;
  }
}

function addTo<Value>(sets: Map<string, Set<Value>>, key: string, value: Value): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([value]));
  else set.add(value);
}
