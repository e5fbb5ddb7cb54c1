import type { BroadcastEvent, EventInput } from '../envelope/event.ts';
import type { FilterInput } from '../filter/parse.ts';
import type { Address } from './address.ts';
import type { Manifest } from './manifest.ts';
import type { Participant } from './participant.ts';
import type { SignalListener } from './signal.ts';
import type { StartPosition } from './transport.ts';

/** Event types and the type of their data: `{ 'order.moved': { order: number } }`. */
export type EventMap = Record<string, unknown>;

/** Any event of the map, as it is published. */
export type EventInputOf<Events extends EventMap> = {
  [Type in keyof Events & string]: EventInput<Type, Events[Type]>;
}[keyof Events & string];

/**
 * Any event, as it is received: an event of the map or, since other participants may publish anything on the topic, of any other type.
 * A `switch` over the known types leaves {@link UnknownEvent}, not `never`.
 */
export type EventOf<Events extends EventMap> = string extends keyof Events
  ? BroadcastEvent<string, Events[string]>
  : { [Type in keyof Events & string]: BroadcastEvent<Type, Events[Type]> }[keyof Events & string] | UnknownEvent;

/** An event of a type that the map does not contain. The type of its data is unknown. */
export type UnknownEvent = BroadcastEvent<UnknownType, unknown>;

/** Any string but the known types: TypeScript has no such type, so it stands for one that equals none of them. At runtime it is any string. */
export type UnknownType = 'any other type' & { readonly [unknownType]: true };

declare const unknownType: unique symbol;

/** The data of the replies to requests of a type; `unknown` if the map does not contain the type. */
export type ReplyTo<Answers extends EventMap, Type extends string> = Type extends keyof Answers
  ? Answers[Type]
  : unknown;

/** @default for `ttlMs`: 10 minutes */
export const DEFAULT_TTL_MS = 600_000;
/** @default for `lockMs`: 5 minutes */
export const DEFAULT_LOCK_MS = 300_000;
/** @default for `pollTimeoutMs`: 30 seconds */
export const DEFAULT_POLL_TIMEOUT_MS = 30_000;
/** @default for `bufferSize`: 1,000 deliveries */
export const DEFAULT_BUFFER_SIZE = 1_000;
/** @default for `drainMs`: 10 seconds */
export const DEFAULT_DRAIN_MS = 10_000;
/** @default for `stalledAfterMs`: 1 minute */
export const DEFAULT_STALLED_AFTER_MS = 60_000;
/** Maximum number of events that wait in one broadcaster for the transport. Further ones are rejected with `overloaded`. */
export const MAX_PENDING_EVENTS = 65_536;

export interface PublishOptions {
  /** The recipients: one address or several (at most 64). Each recipient gets the event once. Invalid: `invalid-address`. @default '*' */
  readonly to?: Address | readonly Address[];
  /** Time to live, ms, above 0: the event is not delivered after this time. Infinity: never expires. @default the `ttlMs` of `connect` */
  readonly ttlMs?: number;
  /** Deliver the event to this participant's own subscriptions too, if an address matches it. @default the `carbonCopy` of `connect` */
  readonly carbonCopy?: boolean;
  /** `accepted`: resolves when the transport has accepted the event. `none`: resolves immediately; failures become `failed` signals. @default 'accepted' */
  readonly confirm?: 'accepted' | 'none';
  /** Events with the same key stay in order, also within a group. 1-128 characters; otherwise `invalid-event`. @default none */
  readonly partitionKey?: string;
  /** Stops waiting: the call rejects with `aborted`. The event may have been sent. @default none */
  readonly abortSignal?: AbortSignal;
}

export interface CloseOptions {
  /** Maximum wait for held deliveries and running handlers, ms. @default {@link DEFAULT_DRAIN_MS} */
  readonly drainMs?: number;
}

export interface ReleaseOptions {
  /** Minimum delay before redelivery, ms. @default the back-off of the subscription's `retry` */
  readonly delayMs?: number;
}

export interface RetryOptions {
  /** Maximum number of attempts, including the first. 1: no retry. @default 5 */
  readonly maxAttempts?: number;
  /** Maximum first delay, ms; it doubles each time. The actual delay is a random part of it (full jitter). @default 100 */
  readonly baseMs?: number;
  /** Maximum delay, ms. @default 10_000 */
  readonly maxMs?: number;
}

export interface SubscribeOptions {
  /** Competing consumers: of all subscriptions with this group name and role on the topic, one gets each event. Invalid: `invalid-address`. @default none: all events */
  readonly group?: string;
  /** The subscription outlives the process and is resumed with the same instance id (or group) and the same name. `true`: the name is `default`. @default false */
  readonly durable?: boolean | string;
  /** Where to start: `new`, `earliest`, `{ timeMs }` or `{ after }`. Not supported by the transport: `unsupported`. @default 'new' */
  readonly startFrom?: StartPosition;
  /** Maximum number of handlers that run at once. 1: in order. Above 1, events with the same partition key stay in order. @default 1 */
  readonly concurrency?: number;
  /** Maximum number of deliveries held while handlers are busy. @default {@link DEFAULT_BUFFER_SIZE} */
  readonly bufferSize?: number;
  /**
   * Only matching events: a CESQL 1.0 string, a dialect of the CloudEvents Subscriptions API, a built expression or a compiled
   * filter. Invalid: `invalid-filter`. @default none: all events
   */
  readonly filter?: FilterInput;
  /** Number and delays of retries when the handler throws. */
  readonly retry?: RetryOptions;
  /** Events that fail every attempt are stored in the service, or on the topic `<topic>.dead-letter` (`topic`), or only signalled (`drop`). @default 'topic' */
  readonly deadLetter?: 'topic' | 'drop';
  /** Duration of the lock of a delivery, ms; renewed while its handler runs. @default {@link DEFAULT_LOCK_MS} */
  readonly lockMs?: number;
  /** Maximum wait of one poll, ms, on transports that poll. @default {@link DEFAULT_POLL_TIMEOUT_MS} */
  readonly pollTimeoutMs?: number;
  /** A handler that runs longer, ms, is signalled as `stalled`. @default {@link DEFAULT_STALLED_AFTER_MS} */
  readonly stalledAfterMs?: number;
  /** Listener for signals of this subscription. They also reach the broadcaster's listeners. @default none */
  readonly onSignal?: SignalListener;
  /** Closes the subscription when aborted; already aborted: `subscribe` rejects with `aborted`. @default none */
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
  /** Aborted when the lock is lost, or when closing stops waiting for the handler. */
  readonly abortSignal: AbortSignal;
  /** Accepts the event, as returning from a handler does. */
  accept(): void;
  /** Fails permanently: dead-letters the event. */
  reject(reason: string): void;
  /**
   * Returns the event for redelivery.
   * @returns the delay, ms: `delayMs`, or more if the service supports only certain delays. Undefined without `delayMs`, or if the delivery
   * was already settled
   */
  release(options?: ReleaseOptions): number | undefined;
  /**
   * Replies to a `request`. Rejects with `invalid-event` if the event is not a request, with `schema-mismatch` if the data does not match
   * the `replies` schema of this type, and with the codes of `publish`.
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
  /** Stops delivering until `resume`. Running handlers continue. The transport stops fetching if it can. */
  pause(): void;
  resume(): void;
  /** Resolves when no delivery is held and no handler runs. New events still arrive; `pause` or `close` stops them. */
  drain(): Promise<void>;
  /** Unsubscribes, waits up to `drainMs` for held deliveries, and releases the rest. Never rejects; idempotent. */
  close(options?: CloseOptions): Promise<void>;
}

export interface RequestOptions extends Omit<PublishOptions, 'confirm' | 'carbonCopy'> {
  /** Ends the request after this many replies. @default Infinity: all replies within `timeoutMs` */
  readonly maxReplies?: number;
  /** Maximum wait for replies, ms. @default 5_000 */
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
  /** Only members with this role. @default all roles */
  readonly role?: string;
  /** Wait for answers, ms, if the service has no list of members. @default 500 */
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
 * An invalid or unknown option is rejected with a TypeError; for an unknown one it suggests the nearest name.
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

  /**
   * Publishes an event. `confirm` decides when the promise resolves; events published without waiting stay in order.
   * Rejects with `invalid-event`, `invalid-address`, `invalid-payload`, `schema-mismatch`, `payload-too-large`, `overloaded`, `timeout`,
   * `aborted`, `closed`, or the code of the service's error.
   */
  publish(event: EventInputOf<Inputs>, options?: PublishOptions): Promise<void>;
  /**
   * Subscribes. Resolves once the service is listening: events published afterwards are delivered.
   * Rejects with `invalid-filter`, `invalid-address` (the group name), `unsupported`, `aborted`, `closed`, or the code of the service's error.
   */
  subscribe(handler: Handler<EventOf<Events>>, options?: SubscribeOptions): Promise<Subscription<EventOf<Events>>>;
  /**
   * Subscribes, to iterate with `for await`. Requesting the next delivery accepts the previous one;
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
   * Sends a request and collects the replies. Middleware and schemas apply as for `publish`. A reply that does not match the `replies` schema
   * of its type is dropped, counted and signalled as `corrupt`. Rejects with the codes of `publish`.
   */
  request<Type extends keyof Inputs & string>(
    event: EventInput<Type, Inputs[Type]>,
    options?: RequestOptions,
  ): Replies<ReplyTo<Answers, Type>>;
  /**
   * Lists the participants that are subscribed to the topic, including this one if it is. If the service has no list of members, a call
   * waits `timeoutMs` for answers, which are cached for 5 s: further calls return immediately, and may miss participants that subscribed
   * meanwhile. A participant that ended without closing may be listed for 12.5 s.
   * Rejects with `invalid-configuration` if the list is billed and `connect` was not given `members: true`.
   */
  members(options?: MembersOptions): Promise<readonly Participant[]>;
  /**
   * Answers an HTTP request from the service, or from one of its clients, on transports with the capability
   * `endpoint`: mount it with `endpointHandlers` of `@polycast/core/endpoint`.
   * Rejects with `unsupported` on other transports, with `closed`, and with the transport's error for an invalid request.
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
