import type { BroadcastEvent, EventInput } from '../envelope/event.ts';
import type { FilterInput } from '../filter/parse.ts';
import type { Address } from './address.ts';
import type { Manifest } from './manifest.ts';
import type { Participant } from './participant.ts';
import type { SignalListener } from './signal.ts';
import type { StartPosition } from './transport.ts';

/** Event types and the type of their data: `{ 'order.moved': { order: number } }`. */
export type EventMap = Record<string, unknown>;

/** Any event a map allows, as it is published. */
export type EventInputOf<Events extends EventMap> = {
  [Type in keyof Events & string]: EventInput<Type, Events[Type]>;
}[keyof Events & string];

/**
 * Any event, as it is received: those of the map, and, since nothing checks what others publish on the topic, one of any other type.
 * A `switch` over the known types leaves {@link UnknownEvent}, not `never`.
 */
export type EventOf<Events extends EventMap> = string extends keyof Events
  ? BroadcastEvent<string, Events[string]>
  : { [Type in keyof Events & string]: BroadcastEvent<Type, Events[Type]> }[keyof Events & string] | UnknownEvent;

/** An event of a type that the map does not have. Nothing is known of its data. */
export type UnknownEvent = BroadcastEvent<UnknownType, unknown>;

/** Any string but the known types: TypeScript has no such type, so it stands for one that equals none of them. At runtime it is any string. */
export type UnknownType = 'any other type' & { readonly [unknownType]: true };

declare const unknownType: unique symbol;

/** The data of the replies to requests of a type: of any kind where the map does not have it. */
export type ReplyTo<Answers extends EventMap, Type extends string> = Type extends keyof Answers
  ? Answers[Type]
  : unknown;

/** @default for `ttlMs`: 10 minutes */
export const DEFAULT_TTL_MS = 600_000;
/** @default for `lockMs`: 5 minutes */
export const DEFAULT_LOCK_MS = 300_000;
/** @default for `pollTimeoutMs`: 30 seconds */
export const DEFAULT_POLL_TIMEOUT_MS = 30_000;
/** @default for `bufferSize`: deliveries a subscription holds beyond those being handled */
export const DEFAULT_BUFFER_SIZE = 1_000;
/** @default for `drainMs`: how long `close` waits for handlers */
export const DEFAULT_DRAIN_MS = 10_000;
/** @default for `stalledAfterMs`: a handler that runs longer is signalled */
export const DEFAULT_STALLED_AFTER_MS = 60_000;
/** Maximum number of events waiting in one broadcaster for the transport; another one is refused with `overloaded`. */
export const MAX_PENDING_EVENTS = 65_536;

export interface PublishOptions {
  /** Several addresses deliver once per recipient. @default '*' */
  readonly to?: Address | readonly Address[];
  /** Never delivered after this time. Infinity: never expires. @default {@link DEFAULT_TTL_MS} */
  readonly ttlMs?: number;
  /** Does this instance's own subscription receive it too? @default the `carbonCopy` of `connect` */
  readonly carbonCopy?: boolean;
  /** `accepted`: resolves when the transport has accepted the event. `none`: at once; failures become `failed` signals. @default 'accepted' */
  readonly confirm?: 'accepted' | 'none';
  /** Events with the same key stay in order, also within a group. At most 128 characters. */
  readonly partitionKey?: string;
  /** Aborts waiting: code `aborted`. The event may have been sent. */
  readonly abortSignal?: AbortSignal;
}

export interface CloseOptions {
  /** Maximum wait for handlers, ms. @default {@link DEFAULT_DRAIN_MS} */
  readonly drainMs?: number;
}

export interface ReleaseOptions {
  /** The event is not delivered again before this time has passed, ms. @default the retry back-off */
  readonly delayMs?: number;
}

export interface RetryOptions {
  /** Attempts in all, the first included. 1: no retry. @default 5 */
  readonly maxAttempts?: number;
  /** Upper bound of the first wait; it doubles each time. The wait is a random part of the bound (full jitter). @default 100 */
  readonly baseMs?: number;
  /** Upper bound of any wait. @default 10_000 */
  readonly maxMs?: number;
}

export interface SubscribeOptions {
  /** Competing consumers: of all subscriptions with this group name on the topic, one gets each event. @default none: all events */
  readonly group?: string;
  /** Outlives the process; resumed by the same instance id (or group) and the same name. `true` names it `default`. @default false */
  readonly durable?: boolean | string;
  /** @default 'new' */
  readonly startFrom?: StartPosition;
  /** Handlers that may run at once. 1: in order. Above 1, events with one partition key still keep their order. @default 1 */
  readonly concurrency?: number;
  /** Bound of deliveries held while handlers are busy. @default {@link DEFAULT_BUFFER_SIZE} */
  readonly bufferSize?: number;
  /**
   * Only matching events: a CESQL 1.0 string, a dialect of the CloudEvents Subscriptions API, a built expression or a compiled
   * filter. An invalid one is refused with `invalid-filter`.
   */
  readonly filter?: FilterInput;
  /** How often and how soon a delivery is retried when its handler throws. */
  readonly retry?: RetryOptions;
  /** What happens to events that fail every attempt. `topic`: kept in the service, or on the topic `<topic>.dead-letter`. `drop`: signalled only. @default 'topic' */
  readonly deadLetter?: 'topic' | 'drop';
  /** Lock of a delivery being handled; renewed while the handler runs. @default {@link DEFAULT_LOCK_MS} */
  readonly lockMs?: number;
  /** Maximum wait of one poll in ms, on transports that poll. @default {@link DEFAULT_POLL_TIMEOUT_MS} */
  readonly pollTimeoutMs?: number;
  /** A handler running longer is signalled as `stalled`. @default {@link DEFAULT_STALLED_AFTER_MS} */
  readonly stalledAfterMs?: number;
  /** Signals that concern this subscription; they reach the broadcaster's listeners too. */
  readonly onSignal?: SignalListener;
  /** Closes the subscription. */
  readonly abortSignal?: AbortSignal;
}

/**
 * Handles one delivery. Returning (or resolving) accepts it; throwing (or rejecting) retries it.
 * `delivery.reject` and `delivery.release` override that; the first call wins.
 */
export type Handler<Event extends BroadcastEvent = BroadcastEvent, Answer = unknown> = (
  event: Event,
  delivery: Delivery<Event, Answer>,
) => unknown;

/** One event delivered to one subscriber. `Answer` types what `reply` takes. */
export interface Delivery<Event extends BroadcastEvent = BroadcastEvent, Answer = unknown> {
  readonly event: Event;
  /** 1 for the first attempt, as far as the transport knows. */
  readonly attempt: number;
  /** The event's position in the service, for `startFrom: { after }`. Undefined where nothing can be replayed. */
  readonly position: string | undefined;
  /** Aborted when the lock is lost or the subscription closes without waiting for the handler any longer. */
  readonly abortSignal: AbortSignal;
  /** Accepts the event, as returning from a handler does. */
  accept(): void;
  /** Fails permanently: dead-letters the event. */
  reject(reason: string): void;
  /**
   * Returns the event for redelivery.
   * @returns how long it rests, ms: `delayMs`, or more where the service knows certain delays only. Undefined where the retry back-off
   * decides, or an earlier call has
   */
  release(options?: ReleaseOptions): number | undefined;
  /**
   * Answers a `request`. Rejects with `invalid-event` if the event is not a request, with `schema-mismatch` if the data does not fit
   * the schema that `connect` was given for replies to this type, and as `publish` does.
   */
  reply(data: Answer): Promise<void>;
}

/** A live subscription. Closing it drains: see {@link Broadcaster.close}. */
export interface Subscription<Event extends BroadcastEvent = BroadcastEvent>
  extends AsyncIterable<Delivery<Event>>,
    AsyncDisposable {
  readonly state: 'open' | 'paused' | 'closing' | 'closed';
  /** Deliveries held or being handled. */
  readonly pending: number;
  /** Delivers nothing more until `resume`. Running handlers continue; transports that can, stop fetching. */
  pause(): void;
  resume(): void;
  /** Resolves when nothing is held and no handler runs. Does not stop new events: `pause` or `close` does. */
  drain(): Promise<void>;
  /** Unsubscribes, waits up to `drainMs` for held deliveries, and releases the rest. Never rejects; idempotent. */
  close(options?: CloseOptions): Promise<void>;
}

export interface RequestOptions extends Omit<PublishOptions, 'confirm' | 'carbonCopy'> {
  /** Ends the request after this many replies. @default Infinity: all replies within `timeoutMs` */
  readonly maxReplies?: number;
  /** @default 5_000 */
  readonly timeoutMs?: number;
}

export interface Reply<Data = unknown> {
  readonly data: Data;
  /** The participant that replied. */
  readonly from: Participant;
  readonly event: BroadcastEvent;
}

/** Replies as they arrive (`for await`), or all of them (`await`). */
export interface Replies<Data = unknown> extends AsyncIterable<Reply<Data>>, PromiseLike<readonly Reply<Data>[]> {}

export interface MembersOptions {
  readonly role?: string;
  /** How long to wait for answers where the service keeps no list of members, in ms. @default 500 */
  readonly timeoutMs?: number;
}

/** Number of events that a broadcaster received and did not pass to a handler, by reason. */
export interface Dropped {
  /** Their time to live had ended when they arrived, or ended while they were buffered. Signalled once per publisher as `expired`. */
  readonly expired: number;
  /** An event with the same id and source was accepted before. */
  readonly duplicates: number;
  /** A buffer was full. Signalled as `gap`, reason `overflow`. */
  readonly overflow: number;
  /** Messages that were not valid events. Signalled as `corrupt`. */
  readonly corrupt: number;
}

/**
 * One participant on one topic: what `connect` returns. `Events` types what is received; `Inputs` what is published, which
 * differs only where a schema transforms. `Answers` types replies as they are received, `AnswerInputs` as they are given.
 *
 * Every method may be called at any time and concurrently. After `close` began, all but `close` reject with `closed`.
 * Options that do not exist are refused with a TypeError that names the nearest one.
 */
export interface Broadcaster<
  Events extends EventMap = EventMap,
  Inputs extends EventMap = Events,
  Answers extends EventMap = EventMap,
  AnswerInputs extends EventMap = Answers,
> extends AsyncDisposable {
  readonly topic: string;
  readonly self: Participant;
  readonly manifest: Manifest;
  /** Billed units so far, by name. */
  readonly metered: Readonly<Record<string, number>>;
  /** Events received and not passed to a handler so far, by reason. */
  readonly dropped: Dropped;
  /** The service's own client; portability ends there. */
  readonly native: unknown;

  /** Publishes an event. `confirm` decides when the promise resolves; events published without waiting stay in order. */
  publish(event: EventInputOf<Inputs>, options?: PublishOptions): Promise<void>;
  /** Subscribes. Resolves once the service is listening: events published afterwards are delivered. */
  subscribe(handler: Handler<EventOf<Events>>, options?: SubscribeOptions): Promise<Subscription<EventOf<Events>>>;
  /**
   * Subscribes, to iterate with `for await`. Asking for the next delivery accepts the previous one;
   * leaving the loop releases the current one unless it was settled.
   */
  subscribe(options?: SubscribeOptions): Promise<Subscription<EventOf<Events>>>;
  /**
   * Subscribes to events of one type: `subscribe` with an exact filter on `type`, which the service evaluates where it can. A `filter` in
   * the options narrows it further. @throws TypeError (a rejection) for a type that is not a string, or a handler that is not a function
   */
  on<Type extends keyof Events & string>(
    type: Type,
    handler: Handler<BroadcastEvent<Type, Events[Type]>, ReplyTo<AnswerInputs, Type>>,
    options?: SubscribeOptions,
  ): Promise<Subscription<BroadcastEvent<Type, Events[Type]>>>;
  /**
   * Sends a request and collects the replies. Middleware and schemas see it as they see what is published. A reply that does not fit the
   * schema for replies to its type is dropped, counted and signalled as `corrupt`.
   */
  request<Type extends keyof Inputs & string>(
    event: EventInput<Type, Inputs[Type]>,
    options?: RequestOptions,
  ): Replies<ReplyTo<Answers, Type>>;
  /**
   * The participants subscribed to the topic now, including this one if it is. Where core emulates it, a call waits `timeoutMs`
   * for answers. The answers stand for 5 s: calls within that time return at once, and may miss participants that subscribed
   * meanwhile. One that ended without closing may be listed for 12.5 s.
   * Rejects with `invalid-configuration` where the list is billed and `connect` was not given `members: true`.
   */
  members(options?: MembersOptions): Promise<readonly Participant[]>;
  /**
   * Answers an HTTP request that the service, or a client of it, makes to this broadcaster, on transports that have the capability
   * `endpoint`: mount it with `endpointHandlers` of `@polycast/core/endpoint`.
   * Rejects with `unsupported` on other transports, with `closed`, and with what the transport finds wrong with the request.
   */
  endpoint(request: Request): Promise<Response>;
  /** @returns a function that removes the listener */
  onSignal(listener: SignalListener): () => void;
  /**
   * Closes all subscriptions (each drains), sends pending events, disconnects.
   * Never rejects; idempotent; leaves no timer, handle or broker-side residue.
   */
  close(options?: CloseOptions): Promise<void>;
}
