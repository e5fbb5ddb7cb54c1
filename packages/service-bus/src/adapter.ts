import { randomBytes } from 'node:crypto';
import {
  type BroadcastEvent,
  CORE,
  type Link,
  type LinkContext,
  PolycastError,
  reasonOf,
  type Share,
  Shared,
  type Sink,
  type Source,
  type SourceRequest,
  settlesWithin,
  type Transport,
  within,
} from '@polycast/core/adapter';
import { Administration, missing } from './administration.ts';
import { Connection } from './connection.ts';
import { manifest, OPERATIONS } from './manifest.ts';
import { mapError } from './map-error.ts';
import { topicName } from './names.ts';
import { Openings } from './openings.ts';
import { operationsOf } from './operations.ts';
import type { ServiceBusOptions } from './options.ts';
import { filterTarget } from './rules.ts';
import { isPublicForced } from './sdk-internals/shape.ts';
import { TopicSender } from './sender.ts';
import { locationOf, type Settings, settingsFrom } from './settings.ts';
import { SharedClient } from './shared-client.ts';
import { ServiceBusSource } from './source.ts';
import { kindOfReader, planSource } from './subscription-layout.ts';
import { type EncodedMessage, encodeMessage, messageIdOf, renumbered, type Sent, withTtl } from './wire.ts';

/** A group that others leave again and again while we join it is given up. */
const MAX_OPENINGS = 3;
/** Most topics other than its own that a link keeps a sender for. */
const MAX_SENDERS = 64;

/**
 * Azure Service Bus topics: at least once, with everything that the service does itself: groups, locks, sessions, dead letters,
 * time to live, filters, duplicate detection.
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-queues-topics-subscriptions
 * @throws PolycastError `invalid-configuration`
 */
export function serviceBus(options: ServiceBusOptions): Transport {
  const settings = settingsFrom(options);
  const clients = new Shared(
    async () => new SharedClient(settings),
    (client) => client.close(),
    settings.shareConnection,
  );
  return {
    manifest: manifest(settings),
    core: CORE,
    location: locationOf(settings),
    filterTarget,
    offeredBy: async () => (await import('@polycast/catalogue')).OFFERED_BY,
    open: async (context) => ServiceBusLink.open(settings, await clients.acquire(context.abortSignal), context),
  };
}

class ServiceBusLink implements Link<EncodedMessage> {
  readonly #settings: Settings;
  readonly #context: LinkContext;
  readonly #connection: Connection;
  readonly #administration: Administration;
  readonly #topic: string;
  /** Marks what this link sends. */
  readonly #mark = randomBytes(6).toString('base64url');
  readonly #senders = new Map<string, TopicSender>();
  #publishes = 0;
  readonly #places = new Set<string>();
  readonly #openings = new Openings();
  /** The last that joins or leaves each group. */
  readonly #turns = new Map<string, Promise<void>>();
  /** Why nothing may be sent, if so. */
  #mayNotSend: PolycastError | undefined;
  #closing: Promise<void> | undefined;

  /** @throws PolycastError `unreachable` `unauthorized` `not-found` `invalid-configuration`, within `connectTimeoutMs` */
  static async open(settings: Settings, share: Share<SharedClient>, context: LinkContext): Promise<Link> {
    const link = new ServiceBusLink(settings, share, context);
    const { connectTimeoutMs, endpoint } = settings;
    const hint = endpoint.isEmulator ? '' : ' over TLS (an emulator needs UseDevelopmentEmulator=true)';
    const late = () =>
      new PolycastError('unreachable', `${locationOf(settings)} did not answer within ${connectTimeoutMs} ms${hint}`);
    try {
      await within(connectTimeoutMs, link.#open(), { late, abortSignal: context.abortSignal });
      return link;
    } catch (thrown) {
      await link.close();
      throw asOpening(thrown);
    }
  }

  private constructor(settings: Settings, share: Share<SharedClient>, context: LinkContext) {
    this.#settings = settings;
    this.#context = context;
    this.#topic = topicName(settings.prefix, context.topic);
    this.#connection = new Connection(share, context);
    this.#administration = new Administration(settings, () => context.meter(OPERATIONS, 1));
  }

  async #open(): Promise<void> {
    await this.#administration.ensureTopic(this.#topic);
    this.#sayHow();
    try {
      await this.#sender(this.#topic).open();
      this.#connection.reopen = () => this.#sender(this.#topic).open();
    } catch (thrown) {
      const error = PolycastError.from(thrown);
      if (error.code === 'not-found') throw missing(this.#topic, [], this.#settings);
      // A key that may only listen is as good as any for who only listens.
      if (error.code !== 'unauthorized' || !/claim/i.test(error.message)) throw error;
      this.#mayNotSend = error;
    }
    this.#connection.start(this.#topic);
  }

  /** Where the SDK is not as we know it. */
  #sayHow(): void {
    const { publicBecause } = this.#settings;
    if (publicBecause === undefined || isPublicForced() || 'client' in this.#settings.access) return;
    const error = new PolycastError(
      'unsupported',
      `the installed @azure/service-bus differs from the known versions (${publicBecause}): only its public interface is used, which is slower and notices a lost connection later`,
    );
    this.#context.signal({ kind: 'failed', what: 'source', error });
  }

  get native(): unknown {
    return this.#connection.client;
  }

  encode(event: BroadcastEvent, before?: EncodedMessage): EncodedMessage {
    if (before !== undefined) return renumbered(before, event.sequence);
    const publish = `${this.#mark}.${(this.#publishes++).toString(36)}`;
    return encodeMessage(event, this.#mark, messageIdOf(event.id, publish));
  }

  async publish(batch: readonly Sent[]): Promise<undefined | readonly (PolycastError | undefined)[]> {
    if (this.#mayNotSend !== undefined) throw this.#mayNotSend;
    const first = batch[0] as Sent;
    if (batch.every(({ topic }) => topic === first.topic)) return this.#send(first.topic, batch);
    const errors: (PolycastError | undefined)[] = new Array(batch.length).fill(undefined);
    const topics = [...new Set(batch.map(({ topic }) => topic))];
    await Promise.all(
      topics.map(async (topic) => {
        const indexes = [...batch.keys()].filter((at) => batch[at]?.topic === topic);
        const sent = this.#send(
          topic,
          indexes.map((at) => batch[at] as Sent),
        ).catch((thrown) => indexes.map(() => PolycastError.from(thrown)));
        (await sent)?.forEach((error, at) => {
          errors[indexes[at] as number] = error;
        });
      }),
    );
    return errors.some((error) => error !== undefined) ? errors : undefined;
  }

  async #send(topic: string, batch: readonly Sent[]): Promise<undefined | readonly (PolycastError | undefined)[]> {
    let errors: undefined | readonly (PolycastError | undefined)[];
    try {
      errors = await this.#sender(topicName(this.#settings.prefix, topic)).send(batch.map(withTtl));
    } catch (thrown) {
      throw mapError(thrown);
    }
    let operations = 0;
    batch.forEach(({ encoded }, at) => {
      if (errors?.[at] === undefined) operations += operationsOf(encoded.size);
    });
    this.#context.meter(OPERATIONS, operations);
    return errors;
  }

  #sender(topic: string): TopicSender {
    let sender = this.#senders.get(topic);
    if (sender === undefined) {
      if (this.#senders.size >= MAX_SENDERS) {
        const oldest = [...this.#senders.keys()].find((name) => name !== this.#topic) as string;
        void this.#senders.get(oldest)?.close();
        this.#senders.delete(oldest);
      }
      sender = new TopicSender(this.#connection, topic, () => this.#administration.ensureTopic(topic));
      this.#senders.set(topic, sender);
    }
    return sender;
  }

  async subscribe(request: SourceRequest, sink: Sink): Promise<Source> {
    for (let tries = 1; ; tries++) {
      const source = this.#source(request, sink);
      try {
        const lacking = await this.#openings.add(source.open());
        if (lacking.length > 0) throw missing(this.#topic, lacking, this.#settings);
        return source;
      } catch (thrown) {
        // Who left the group just before our mark was there may have removed what we had found.
        const mayPass = (thrown as PolycastError).code === 'not-found' && request.group !== undefined;
        if (!mayPass || !this.#administration.mayManage || tries === MAX_OPENINGS) throw thrown;
      }
    }
  }

  #source(request: SourceRequest, sink: Sink): ServiceBusSource {
    const { instance } = this.#context.self;
    const place = this.#place(request);
    const unique = this.#administration.mayManage ? randomBytes(6).toString('hex') : String(place.number);
    return new ServiceBusSource({
      connection: this.#connection,
      administration: this.#administration,
      topic: this.#topic,
      request,
      sink,
      plan: planSource(request, { instance, link: this.#mark, unique }),
      meter: (unit, count) => this.#context.meter(unit, count),
      inTurn: (work) => (request.group === undefined ? work() : this.#inTurn(request.group, work)),
      onClosed: () => this.#places.delete(place.key),
    });
  }

  /** One after another for each group. */
  #inTurn<Result>(group: string, work: () => Promise<Result>): Promise<Result> {
    const result = (this.#turns.get(group) ?? Promise.resolve()).then(work);
    const done = result.then(
      () => {},
      () => {},
    );
    this.#turns.set(group, done);
    void done.then(() => {
      if (this.#turns.get(group) === done) this.#turns.delete(group);
    });
    return result;
  }

  /** The lowest number that no open source of the link has whose subscription would be called the same. */
  #place({ addresses, group, durable }: SourceRequest): { readonly key: string; readonly number: number } {
    const kind = (group ?? durable) === undefined ? kindOfReader(addresses) : 'named';
    for (let number = 1; ; number++) {
      const key = `${kind} ${number}`;
      if (this.#places.has(key)) continue;
      this.#places.add(key);
      return { key, number };
    }
  }

  async #end(): Promise<void> {
    // A client of our own ends its links when it is closed: with the last link.
    if (this.#connection.isShared || 'client' in this.#settings.access) {
      const ending = Promise.all([...this.#senders.values()].map((sender) => sender.close()));
      await settlesWithin(this.#settings.closeTimeoutMs, ending);
    }
    await this.#connection.close();
    this.#administration.abort();
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }
}

function asOpening(thrown: unknown): PolycastError {
  const error = thrown instanceof PolycastError ? thrown : mapError(thrown, 'open');
  if (error.code !== 'disconnected' && error.code !== 'timeout') return error;
  return new PolycastError('unreachable', reasonOf(error), { cause: error.cause });
}
