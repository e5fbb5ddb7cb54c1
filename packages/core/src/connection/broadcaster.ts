import { duration, type OptionNames, oneOf, optionsOf } from '../contract/checked-option.ts';
import type {
  Broadcaster,
  CloseOptions,
  Dropped,
  EventInputOf,
  EventMap,
  EventOf,
  Handler,
  MembersOptions,
  PublishOptions,
  Replies,
  ReplyTo,
  RequestOptions,
  SubscribeOptions,
  Subscription,
} from '../contract/contract.ts';
import { DEFAULT_DRAIN_MS } from '../contract/contract.ts';
import { asError } from '../contract/describe-error.ts';
import { PolycastError } from '../contract/error.ts';
import type { CapabilityName, Manifest } from '../contract/manifest.ts';
import type { Participant } from '../contract/participant.ts';
import type { SignalListener } from '../contract/signal.ts';
import type { Link } from '../contract/transport.ts';
import type { Refuse } from '../contract/unsupported.ts';
import type { MemberList } from '../control/member-list.ts';
import type { Through } from '../control/requests.ts';
import { CLOSE_OPTIONS, LiveSubscription } from '../deliver/subscription.ts';
import { type SubscriptionSettings, subscribeOptions, subscriptionSettings } from '../deliver/subscription-settings.ts';
import type { BroadcastEvent, EventInput } from '../envelope/event.ts';
import { RESERVED_TYPE_PREFIX } from '../publish/publisher.ts';
import { SourceReceiver } from '../receive/source-receiver.ts';
import { isAborted, onAbort, orAborted } from '../timing/abort.ts';
import { keepAlive } from '../timing/runtime.ts';
import { settlesWithin } from '../timing/timer.ts';
import type { BroadcasterContext, ControlSource, Wrapping } from './broadcaster-context.ts';

/** A connected broadcaster. Made by `connect`. */
export class LiveBroadcaster<
  Events extends EventMap = EventMap,
  Inputs extends EventMap = Events,
  Answers extends EventMap = EventMap,
  AnswerInputs extends EventMap = Answers,
> implements Broadcaster<Events, Inputs, Answers, AnswerInputs>
{
  readonly #context: BroadcasterContext;
  readonly #metered: Readonly<Record<string, number>>;
  /** What is for this instance alone. The same one until it has stopped. */
  readonly #directReceiver: () => SourceReceiver;
  readonly #onClosed: () => void;
  /** Can some publish options not be honoured here? Then each publish is looked at. */
  readonly #isRestricted: boolean;
  readonly #isPlain: boolean;
  #shared: SourceReceiver | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    context: BroadcasterContext,
    metered: Readonly<Record<string, number>>,
    directReceiver: () => SourceReceiver,
    onClosed: () => void,
  ) {
    this.#context = context;
    this.#metered = metered;
    this.#directReceiver = directReceiver;
    this.#onClosed = onClosed;
    this.#isRestricted = PUBLISH_CAPABILITIES.some((name) => context.manifest.capabilities[name].level === 'none');
    this.#isPlain = context.schemas === undefined && !context.middleware.some((layer) => layer.publish !== undefined);
  }

  get topic(): string {
    return this.#context.topic;
  }

  get self(): Participant {
    return this.#context.self;
  }

  get manifest(): Manifest {
    return this.#context.manifest;
  }

  get metered(): Readonly<Record<string, number>> {
    return { ...this.#metered };
  }

  get dropped(): Dropped {
    return { ...this.#context.dropped };
  }

  get native(): unknown {
    return this.#context.link.native;
  }

  publish(event: EventInputOf<Inputs>, options?: PublishOptions): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    try {
      if (options !== undefined) this.#checkPublish(options);
      const sent = this.#isPlain
        ? this.#send(event, options)
        : keepAlive(
            this.#context.runtime,
            (this.#context.wrapping as Wrapping).publishThrough(this.#context, event, options, this.#send),
          );
      return options === undefined ? sent : this.#as(options, sent);
    } catch (thrown) {
      return Promise.reject(asError(thrown) === thrown ? thrown : PolycastError.from(thrown, 'invalid-event'));
    }
  }

  readonly #send = (event: EventInput, options: PublishOptions | undefined): Promise<void> => {
    const { publisher } = this.#context;
    const type: unknown = event?.type;
    if (typeof type === 'string' && type.charCodeAt(0) === LETTER_P && type.startsWith(RESERVED_TYPE_PREFIX)) {
      throw new PolycastError('invalid-event', `event types that start with '${RESERVED_TYPE_PREFIX}' are reserved`);
    }
    return publisher.send(publisher.prepare(event, options));
  };

  /** The promise the caller asked for. */
  #as(options: PublishOptions, sent: Promise<void>): Promise<void> {
    const { confirm, abortSignal } = options;
    if (confirm === 'none') {
      sent.catch((thrown: unknown) => {
        this.#context.report({ kind: 'failed', what: 'publish', error: PolycastError.from(thrown) });
      });
      return Promise.resolve();
    }
    return orAborted(sent, abortSignal, 'publish was aborted; the event may have been sent');
  }

  #checkPublish(options: PublishOptions): void {
    if (!isUsual(options)) optionsOf('publish', options, PUBLISH_OPTIONS);
    const { confirm = 'accepted', abortSignal } = options;
    oneOf('confirm', confirm, ['accepted', 'none']);
    if (isAborted(abortSignal)) throw abortedError('publish');
    if (!this.#isRestricted) return;
    const addresses = typeof options.to === 'string' ? [options.to] : (options.to ?? []);
    if (options.carbonCopy) this.#require('carbonCopy', 'carbonCopy: true');
    if (options.partitionKey !== undefined) this.#require('partitionKey', 'partitionKey');
    if (addresses.some((address) => address.startsWith('role:'))) this.#require('role', "to: 'role:…'");
    if (addresses.some((address) => address.startsWith('instance:'))) this.#require('instance', "to: 'instance:…'");
  }

  #require(capability: CapabilityName, asked: string): void {
    const { manifest, refuse } = this.#context;
    if (manifest.capabilities[capability].level === 'none') throw (refuse as Refuse)(capability, asked);
  }

  subscribe(handler: Handler<EventOf<Events>>, options?: SubscribeOptions): Promise<Subscription<EventOf<Events>>>;
  subscribe(options?: SubscribeOptions): Promise<Subscription<EventOf<Events>>>;
  subscribe(
    first?: Handler<EventOf<Events>> | SubscribeOptions,
    second?: SubscribeOptions,
  ): Promise<Subscription<EventOf<Events>>> {
    return keepAlive(this.#context.runtime, this.#subscribe(first, second));
  }

  on<Type extends keyof Events & string>(
    type: Type,
    handler: Handler<BroadcastEvent<Type, Events[Type]>, ReplyTo<AnswerInputs, Type>>,
    options?: SubscribeOptions,
  ): Promise<Subscription<BroadcastEvent<Type, Events[Type]>>> {
    if (typeof type !== 'string' || typeof handler !== 'function') {
      return Promise.reject(new TypeError('on() takes a type and a handler function'));
    }
    return keepAlive(
      this.#context.runtime,
      this.#subscribe(handler as unknown as Handler<EventOf<Events>>, options, type),
    ) as never;
  }

  async #subscribe(
    first: Handler<EventOf<Events>> | SubscribeOptions | undefined,
    second: SubscribeOptions | undefined,
    type?: string,
  ): Promise<Subscription<EventOf<Events>>> {
    if (this.#closing !== undefined) throw closedError();
    const handler = typeof first === 'function' ? first : undefined;
    const isNeither = first !== undefined && (typeof first !== 'object' || first === null);
    // Options first, and something behind them: the two were swapped, and the second one would be ignored.
    if (handler === undefined && (isNeither || second !== undefined)) {
      throw new TypeError('subscribe() takes a function and options or, to iterate, only options');
    }
    const options = subscribeOptions(handler === undefined ? (first as SubscribeOptions | undefined) : second);
    if (isAborted(options?.abortSignal)) throw abortedError('subscribe');
    const settings = await this.#settingsOf(options, type);
    // Most pages iterate over none.
    const given =
      handler === undefined
        ? { Stream: (await import('../deliver/delivery-stream.ts')).DeliveryStream }
        : { handler: handler as Handler };
    // It may have been closed meanwhile.
    if (this.#closing !== undefined) throw closedError();
    this.#checkSubscribe(settings);
    let subscription: LiveSubscription | undefined;
    let isAbandoned = false;
    const off = onAbort(options?.abortSignal, () => {
      isAbandoned = true;
      void subscription?.close();
    });
    try {
      subscription = await this.#listen(settings, given);
    } catch (thrown) {
      off();
      throw thrown;
    }
    // Nothing of ours stays on the caller's signal after the subscription has ended.
    subscription.onClosed(off);
    if (isAbandoned) void subscription.close();
    return subscription as unknown as Subscription<EventOf<Events>>;
  }

  async #settingsOf(options: SubscribeOptions = {}, type: string | undefined): Promise<SubscriptionSettings> {
    if (options.filter === undefined && type === undefined) return subscriptionSettings(options);
    const { subscriptionFilter } = await import('../filter/subscription-filter.ts');
    return subscriptionSettings(options, subscriptionFilter(options.filter, this.#context.filterTarget, type));
  }

  async #listen(
    settings: SubscriptionSettings,
    given: ConstructorParameters<typeof LiveSubscription>[2],
  ): Promise<LiveSubscription> {
    const context = this.#context;
    const isShared = this.#isSharable(settings);
    const leases = isShared ? undefined : await import('../deliver/leases.ts');
    const receiver = await this.#receiverFor(settings);
    // It may have been closed meanwhile.
    if (this.#closing !== undefined) throw closedError();
    const subscription = new LiveSubscription(receiver, settings, given, leases);
    receiver.join(subscription);
    context.subscriptions.add(subscription);
    try {
      await receiver.open();
      if (context.manifest.capabilities.members.level === 'emulated') await context.lane?.listenForControl(context);
      const { presence } = context;
      subscription.onClosed(() => void presence?.sync().catch(() => {}));
      await presence?.sync();
    } catch (thrown) {
      if (receiver === this.#shared) this.#shared = undefined;
      await subscription.close({ drainMs: 0 });
      throw this.#closing === undefined ? PolycastError.from(thrown) : closedError();
    }
    if (this.#closing !== undefined) {
      await subscription.close({ drainMs: 0 });
      throw closedError();
    }
    return subscription;
  }

  async #receiverFor(settings: SubscriptionSettings): Promise<SourceReceiver> {
    const context = this.#context;
    if (this.#isSharable(settings)) return this.#caughtUp(() => this.#sharedReceiver());
    const { instance, fanOut } = context.manifest.capabilities;
    // Where a group is the only receiver there is, nothing comes past it.
    if (settings.group === undefined || instance.level === 'none' || fanOut.level === 'none')
      return new SourceReceiver(context, settings, 'own');
    await this.#caughtUp(this.#directReceiver);
    const { groupReceiver } = await import('../receive/group-receiver.ts');
    return groupReceiver(SourceReceiver, context, settings, this.#directReceiver);
  }

  /** Plain subscriptions share one source, unless the service settles each delivery. */
  #isSharable(settings: SubscriptionSettings): boolean {
    const { capabilities } = this.#context.manifest;
    return (
      settings.group === undefined &&
      settings.durable === undefined &&
      settings.startFrom === 'new' &&
      settings.filter?.native === undefined &&
      capabilities.settlement.level !== 'native'
    );
  }

  #checkSubscribe(settings: SubscriptionSettings): void {
    if (settings.group !== undefined) this.#require('groups', `group: '${settings.group}'`);
    if (settings.durable !== undefined) this.#require('durable', 'durable');
    if (settings.startFrom !== 'new') this.#require('replay', 'from');
    if (settings.group === undefined) this.#require('fanOut', 'a subscription without a group');
  }

  #sharedReceiver(): SourceReceiver {
    if (this.#shared === undefined || this.#shared.isStopped) {
      this.#shared = new SourceReceiver(this.#context, subscriptionSettings(undefined), 'shared');
    }
    return this.#shared;
  }

  async #caughtUp(receiverOf: () => SourceReceiver): Promise<SourceReceiver> {
    // Bounded: one whose members are full brings nothing until they have room.
    await settlesWithin(this.#context.runtime, receiverOf().caughtUp(), CAUGHT_UP_WITHIN_MS);
    // Its last subscription may have left meanwhile.
    return receiverOf();
  }

  request<Type extends keyof Inputs & string>(
    event: EventInput<Type, Inputs[Type]>,
    options: RequestOptions = {},
  ): Replies<ReplyTo<Answers, Type>> {
    if (this.#closing !== undefined) throw closedError();
    optionsOf('request', options, REQUEST_OPTIONS);
    this.#require('request', 'request()');
    const context = this.#context;
    const { wrapping } = context;
    const through: Through | undefined =
      this.#isPlain || wrapping === undefined ? undefined : (...given) => wrapping.publishThrough(context, ...given);
    return context.requests.request(event, options, () => this.#listenBeside(), through) as Replies<
      ReplyTo<Answers, Type>
    >;
  }

  members(options: MembersOptions = {}): Promise<readonly Participant[]> {
    return keepAlive(this.#context.runtime, this.#members(options));
  }

  async #members(options: MembersOptions): Promise<readonly Participant[]> {
    if (this.#closing !== undefined) throw closedError();
    optionsOf('members', options, MEMBERS_OPTIONS);
    if (options.timeoutMs !== undefined) duration('timeoutMs', options.timeoutMs);
    this.#require('members', 'members()');
    const { link, members, mayAskMembers } = this.#context;
    if (!mayAskMembers) throw new PolycastError('invalid-configuration', 'members() needs connect({ members: true })');
    if (link.members !== undefined) {
      const all = await link.members();
      return options.role === undefined ? all : all.filter(({ role }) => role === options.role);
    }
    await this.#listenBeside();
    return (members as MemberList).list(options, this.#context.subscriptions.size > 0);
  }

  async #listenBeside(): Promise<void> {
    const context = this.#context;
    context.lane ??= await import('../control/control-channel.ts');
    await context.lane.listenBeside(context);
  }

  async endpoint(request: Request): Promise<Response> {
    if (this.#closing !== undefined) throw closedError();
    this.#require('endpoint', 'endpoint()');
    try {
      return await (this.#context.link as Required<Pick<Link, 'endpoint'>>).endpoint(request);
    } catch (thrown) {
      throw PolycastError.from(thrown);
    }
  }

  onSignal(listener: SignalListener): () => void {
    return this.#context.signals.add(listener);
  }

  close(options: CloseOptions = {}): Promise<void> {
    optionsOf('close', options, CLOSE_OPTIONS);
    const { drainMs = DEFAULT_DRAIN_MS } = options;
    const all = [...this.#context.subscriptions];
    const own = all.filter((subscription) => subscription.isInside);
    this.#closing ??= keepAlive(this.#context.runtime, this.#close(+drainMs));
    if (own.length === 0) return this.#closing;
    // A handler of ours waits for all others; the rest follows when it has returned.
    return Promise.race([
      this.#closing,
      Promise.all(
        all.map((subscription) =>
          own.includes(subscription) ? subscription.close({ drainMs }) : subscription.closeWhole(drainMs),
        ),
      ).then(() => {}),
    ]);
  }

  async #close(drainMs: number): Promise<void> {
    const context = this.#context;
    context.isClosing = true;
    // Nobody takes over from it.
    const { control } = context;
    context.control = undefined;
    context.requests.close(closedError());
    await Promise.all([...context.subscriptions].reverse().map((subscription) => subscription.closeWhole(drainMs)));
    if (context.presence !== undefined) await settlesWithin(context.runtime, context.presence.sync(), drainMs);
    // Its goodbye waits behind what is being sent.
    if (context.members !== undefined) await settlesWithin(context.runtime, context.members.close(), drainMs);
    await settlesWithin(context.runtime, context.publisher.drain(), drainMs);
    context.publisher.close(closedError());
    await control?.close();
    const successor = context.control as ControlSource | undefined;
    await successor?.close();
    await this.#shared?.close();
    try {
      await context.link.close();
    } catch (thrown) {
      // Nothing can be done any more; whoever listens may want to know.
      context.report({ kind: 'failed', what: 'source', error: PolycastError.from(thrown) });
    }
    this.#onClosed();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Longest wait, before a subscription joins a source, for what was published before, ms. */
const CAUGHT_UP_WITHIN_MS = 5_000;
const PUBLISH_OPTIONS: OptionNames<PublishOptions> = {
  to: 1,
  ttlMs: 1,
  carbonCopy: 1,
  confirm: 1,
  partitionKey: 1,
  abortSignal: 1,
};
/** Only what most publishes give? To compare takes a third of looking names up, and every publish is looked at. */
function isUsual(options: PublishOptions): boolean {
  if (typeof options !== 'object' || options === null) return false;
  for (const name in options) if (name !== 'to' && name !== 'ttlMs' && name !== 'partitionKey') return false;
  return true;
}
const REQUEST_OPTIONS: OptionNames<RequestOptions> = {
  to: 1,
  ttlMs: 1,
  partitionKey: 1,
  abortSignal: 1,
  maxReplies: 1,
  timeoutMs: 1,
};

const MEMBERS_OPTIONS: OptionNames<MembersOptions> = { role: 1, timeoutMs: 1 };

/** Most types are told apart by their first letter. */
const LETTER_P = 112;
const PUBLISH_CAPABILITIES: readonly CapabilityName[] = ['carbonCopy', 'partitionKey', 'role', 'instance'];

function closedError(): PolycastError {
  return new PolycastError('closed', 'the broadcaster is closed');
}

function abortedError(what: string): PolycastError {
  return new PolycastError('aborted', `${what} was aborted before it began`);
}
