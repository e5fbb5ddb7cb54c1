import {
  CORE,
  type Link,
  type LinkContext,
  type Outgoing,
  type Share,
  Shared,
  type Sink,
  type Source,
  type SourceRequest,
  type Transport,
} from '@polycast/core/adapter';
import { wantedAddresses } from './addresses.ts';
import { type Commands, openCommands, usable } from './client.ts';
import { CommandConnection } from './command-connection.ts';
import { CommandWatch } from './command-watch.ts';
import { redisChannel } from './filter-target.ts';
import { pubSubManifest } from './manifest.ts';
import type { RedisTransportOptions } from './options.ts';
import { execute, type Sending, sendBatch } from './send.ts';
import { locationOf, type Settings, settingsFrom } from './settings.ts';
import { type LinkSubscriber, Subscriber } from './subscriber.ts';
import { channelOf } from './wire.ts';

/**
 * Redis pub/sub: at most once, to whoever listens now; a channel an address, so that the server does the addressing.
 * On a cluster, sharded pub/sub.
 * @see https://redis.io/docs/latest/develop/pubsub/
 * @throws PolycastError `invalid-configuration`
 */
export function redis(options: RedisTransportOptions = {}): Transport {
  const settings = settingsFrom(options, false);
  const connections = new Shared(
    (abortSignal) => PubSubConnections.open(settings, abortSignal),
    (opened) => opened.close(),
    settings.shareConnection,
  );
  return {
    manifest: pubSubManifest(settings),
    core: CORE,
    location: locationOf(settings, 'redis'),
    filterTarget: redisChannel,
    offeredBy: async () => (await import('@polycast/catalogue')).OFFERED_BY,
    open: async (context) => {
      const { abortSignal } = context;
      return new PubSubLink(await usable(await connections.acquire(abortSignal), abortSignal), settings, context);
    },
  };
}

/** The connection for commands, and the one that is subscribed. */
class PubSubConnections {
  readonly commands: Commands;
  readonly #settings: Settings;
  readonly #subscriber: Subscriber | undefined;

  static async open(settings: Settings, abortSignal: AbortSignal): Promise<PubSubConnections> {
    return new PubSubConnections(await openCommands(settings, abortSignal), settings);
  }

  private constructor(commands: Commands, settings: Settings) {
    this.commands = commands;
    this.#settings = settings;
    // The channels of a topic are on one server of a cluster, and those of another on another.
    if (!commands.isCluster) this.#subscriber = new Subscriber(commands, settings, '*');
  }

  usable(abortSignal: AbortSignal | undefined): Promise<void> {
    return this.commands.usable(abortSignal);
  }

  subscriber(context: LinkContext, key: string): LinkSubscriber {
    if (this.#subscriber !== undefined) return this.#subscriber.join(context);
    const own = new Subscriber(this.commands, this.#settings, key);
    return own.join(context, () => own.close());
  }

  async close(): Promise<void> {
    await this.#subscriber?.close();
    await this.commands.close();
  }
}

class PubSubLink implements Link {
  readonly #share: Share<PubSubConnections>;
  readonly #commands: Commands;
  readonly #settings: Settings;
  readonly #packing: Parameters<typeof sendBatch>[1];
  readonly #context: LinkContext;
  readonly #subscriber: LinkSubscriber;
  readonly #connection: CommandConnection;
  readonly #watch: CommandWatch;
  readonly #sending: Sending;
  #closing: Promise<void> | undefined;

  constructor(share: Share<PubSubConnections>, settings: Settings, context: LinkContext) {
    const { commands } = share.value;
    const { client, isCluster } = commands;
    const key = channelOf(settings.prefix, context.topic, '*');
    this.#share = share;
    this.#commands = commands;
    this.#settings = settings;
    this.#packing = { prefix: settings.prefix, batch: settings.batch, keyedAlone: false };
    this.#context = context;
    this.#subscriber = share.value.subscriber(context, key);
    this.#connection = new CommandConnection({
      commands,
      settings,
      context,
      key,
      concerns: () => !this.#subscriber.isUsed,
    });
    this.#watch = new CommandWatch(client, settings.client !== undefined);
    const publish = isCluster
      ? (channel: string, payload: string) => client.spublish(channel, payload)
      : (channel: string, payload: string) => this.#watch.run(() => client.publish(channel, payload));
    this.#sending = this.#connection.gated({
      one: publish,
      several: (channel, parcels) => {
        const transaction = client.multi();
        for (const { payload } of parcels) {
          if (isCluster) transaction.spublish(channel, payload);
          else transaction.publish(channel, payload);
        }
        return execute(transaction).then(() => true);
      },
    });
  }

  get native(): unknown {
    return this.#commands.client;
  }

  publish(batch: readonly Outgoing[]): ReturnType<Link['publish']> {
    return sendBatch(batch, this.#packing, this.#sending);
  }

  async subscribe(request: SourceRequest, sink: Sink): Promise<Source> {
    const { topic } = this.#context;
    const channels = wantedAddresses(request).map((address) => channelOf(this.#settings.prefix, topic, address));
    await this.#subscriber.add(channels, sink);
    let stopping: Promise<void> | undefined;
    const stop = () => {
      stopping ??= this.#subscriber.remove(channels, sink);
      return stopping;
    };
    return { stop, close: stop, caughtUp: () => this.#subscriber.caughtUp() };
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#connection.close();
      await this.#subscriber.leave();
      await this.#share.release();
      this.#watch.stop();
    })();
    return this.#closing;
  }
}
