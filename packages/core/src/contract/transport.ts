import type { BroadcastEvent } from '../envelope/event.ts';
import type { FilterTarget } from '../filter/target.ts';
import type { Address } from './address.ts';
import type { PolycastError } from './error.ts';
import type { Manifest } from './manifest.ts';
import type { Participant } from './participant.ts';
import type { Signal } from './signal.ts';

/**
 * What an adapter package implements. Creating a transport opens no connection.
 *
 * Core, on top, does: argument checks, identity, TTL, residual filter, carbon copy, dedupe, gap detection, retry,
 * batching, back-pressure, chunking, request and reply, members, closed state, tracing. An adapter opens, sends a
 * batch, listens, settles, closes, maps its errors, and states its manifest.
 */
export interface Transport {
  readonly manifest: Manifest;
  /** `CORE` of the copy of `@polycast/core/adapter` that the adapter imports: `connect` refuses another copy's. Left out, two copies go unnoticed. */
  readonly core?: object;
  /** The address it connects to, without secrets: shown to users, and compared to find out whether two transports use the same service. */
  readonly location: string;
  /**
   * What the service can evaluate of a filter: core splits each one with it, and hands the service's part to `subscribe`.
   * Given if, and only if, the manifest's `filterPushDown` is native.
   */
  readonly filterTarget?: FilterTarget;
  /**
   * The transports that offer each capability, so that a refusal can name those that have what this one lacks: `OFFERED_BY` of
   * `@polycast/catalogue`. Asked when connecting, where the manifest lacks something. Left out, or if it fails, none is named.
   */
  offeredBy?(): OfferedBy | Promise<OfferedBy>;
  /**
   * Connects. Rejects with `unreachable`, `unauthorized` or `protocol-mismatch` within the adapter's connect timeout;
   * after that, lost connections are the adapter's to restore, with `disconnected` and `reconnected` signals.
   */
  open(context: LinkContext): Promise<Link>;
}

/** For each capability, the transports that offer it. */
export type OfferedBy = Readonly<Partial<Record<string, readonly string[]>>>;

/** What every adapter package exports as `fromUrl`, so that `connect({ url })` can make its transport. */
export type TransportFromUrl = (url: URL) => Transport;

/** What core gives an adapter when it opens a link. */
export interface LinkContext {
  readonly topic: string;
  readonly self: Participant;
  /** Emits a signal that concerns every source: it reaches the listeners of all subscriptions. Never throws. See {@link Sink.signal}. */
  signal(signal: Signal): void;
  /**
   * Aborted when `connect` is aborted before the link is open: stop opening, so that nothing keeps the process alive. A link that opens
   * nevertheless is closed immediately.
   */
  readonly abortSignal?: AbortSignal | undefined;
  /** Counts billed units. `unit` is one of the manifest's `billedUnits`. Cheap: call it per batch. */
  meter(unit: string, count: number): void;
}

/** What one event becomes on the wire. Core looks at its size alone; the rest is the link's own. */
export interface Encoded {
  /** Bytes that it takes on the wire, or somewhat more: counted against the limits of the manifest. */
  readonly size: number;
}

/** What core makes of an event for a link without `encode`. */
export interface EncodedJson extends Encoded {
  /** The event in the CloudEvents JSON format. */
  readonly json: string;
}

/** One broadcaster's connection to one topic. `Sent` is what it makes of an event. */
export interface Link<Sent extends Encoded | undefined = Encoded | undefined> {
  /**
   * What is sent of an event, with its size: called once for each, when it is published. It comes back to `publish` as
   * `Outgoing.encoded`, the very same however often the event is tried again. The data of the event is plain JSON or bytes, which the
   * caller may change afterwards: take what is sent, and keep no reference.
   * Left out: core writes CloudEvents JSON, or nothing if `maxEventBytes` is Infinity.
   * @param before given when the event gets another `sequence`: what it had become. Everything else is the same, and must be taken from
   * there; must not throw then.
   * @throws PolycastError `invalid-payload` for what cannot be sent: the publish rejects with it
   */
  encode?(event: BroadcastEvent, before?: Sent): Sent;
  /**
   * Sends events, in order. Never called with an empty batch, nor beyond the manifest's batch limits.
   * Returns nothing if the transport accepted them synchronously; otherwise resolves once it accepted them all.
   * To fail single events, resolve to an array with an error at each failed index. Rejection fails the whole batch.
   * Must not wait for more events: core has already built the batch.
   */
  publish(batch: readonly Outgoing<Sent>[]): void | Promise<void | readonly (PolycastError | undefined)[]>;
  /**
   * Starts to listen. Once it resolves, an event that is published afterwards by anyone reaches the sink.
   * Any number of sources may be open on one link.
   */
  subscribe(request: SourceRequest, sink: Sink): Source | Promise<Source>;
  /** Lists the members, if the service can. Omitted: core queries the participants over the topic. */
  members?(): Promise<readonly Participant[]>;
  /**
   * Adds the participant to the members, before its first subscription opens, which waits for this. If `members` is `billed` in the manifest,
   * called only if `connect` was given `members: true`. The participant stays a member until `leave`, even if the connection is lost.
   */
  enter?(): Promise<void>;
  /** Removes the participant from the members: its last subscription is closed. Followed by another `enter`, or by `close`. Never called before `enter` resolved. */
  leave?(): Promise<void>;
  /**
   * Answers an HTTP request of the service (a delivery to a webhook) or of its clients (negotiation, a token). Given if, and only if, the
   * manifest's `endpoint` is not `none`. The caller limits the size of the body. May reject: the code of a `PolycastError` determines the status.
   */
  endpoint?(request: Request): Promise<Response>;
  /** Ends everything this link opened, and nothing it was given. All sources are closed before. Idempotent. */
  close(): Promise<void>;
  /** The service's own client, for what Polycast does not cover. Portability ends there. */
  readonly native?: unknown;
}

/** One event on its way out. `Sent` is what the link's `encode` returns; {@link EncodedJson} where it has none. */
export interface Outgoing<Sent extends Encoded | undefined = EncodedJson> {
  readonly event: BroadcastEvent;
  /** Usually the link's own topic; another one for dead letters. */
  readonly topic: string;
  /** No duplicates, never empty; just `['*']` when everyone is addressed. */
  readonly to: readonly Address[];
  /** What the link's `encode` made of the event. Undefined where there is none and `maxEventBytes` is Infinity: the event itself is sent. */
  readonly encoded: Sent;
  /** Ends at `performance`-independent wall-clock time, epoch ms. Infinity: never. */
  readonly expiresAtMs: number;
}

/** Where a subscription starts. */
export type StartPosition =
  /** Only events published from now on; a durable subscription resumes where it stopped. */
  | 'new'
  /** The oldest retained event. */
  | 'earliest'
  /** The first event that the service accepted at or after this time (epoch ms). */
  | { readonly timeMs: number }
  /** The first event after this transport position, a `delivery.position`. */
  | { readonly after: string };

export interface SourceRequest {
  /** What to bring: any event for one of these. */
  readonly addresses: readonly Address[];
  /**
   * Competing consumers: each event goes to one of all that name this group, in whatever process. It is written `<role>/<name>`, since
   * a group belongs to a role, and its addresses are everyone and that role: the same for all members.
   */
  readonly group: string | undefined;
  /** Set for a subscription that outlives the process: its name, unique in the instance (or in the topic, with a group). */
  readonly durable: string | undefined;
  readonly startFrom: StartPosition;
  /**
   * The service's own filter, as `filterTarget` wrote it; undefined: bring every event. It may let through more than the
   * filter does, since core evaluates the whole again, and must never withhold what the filter accepts.
   */
  readonly filter: unknown;
  /** How long a delivery stays hidden from others without renewal, ms. */
  readonly lockMs: number;
  /** How long one poll may wait for events, ms. */
  readonly pollTimeoutMs: number;
  /** The maximum `Lease.attempt` that core accepts: a service that counts deliveries itself must not give up earlier. */
  readonly maxDeliveries: number;
  /** Maximum number of unsettled deliveries that core holds. */
  readonly maxUnsettled: number;
}

/** What a source feeds. Implemented by core. Its methods never throw. */
export interface Sink {
  /** How many more events core accepts now. Sources that pull must not fetch more; sources that receive pushed events ignore it. */
  readonly capacity: number;
  /** Resolves when `capacity` is above zero, or when the source is stopped. */
  ready(): Promise<void>;
  /**
   * Delivers one event. With a lease, core settles it exactly once; without, there is nothing to settle. A lease with an `attempt` above 1
   * replaces the previous one if core still holds it, whose lock is lost.
   * @param isFresh Delivered within the very call that published it: no need to look at the clock for its time to live.
   * @param position Where the event stands in the service, if it can be replayed and there is no lease that says so.
   * @returns false if core had to drop it (buffer full and no lease).
   */
  deliver(event: BroadcastEvent, lease?: Lease, isFresh?: boolean, position?: string): boolean;
  /**
   * For sources that keep an order: an event that precedes these is redelivered. Core releases those that no handler has started, so that
   * they are redelivered after it. Started ones are not affected. Omitted if core holds no deliveries.
   */
  recall?(leases: ReadonlySet<Lease>): void;
  /**
   * Emits a signal that concerns only this source, such as a gap: it reaches the listeners of its subscriptions and of the broadcaster.
   * Signals that concern every source of the link, such as a lost connection, go to `LinkContext.signal`.
   */
  signal(signal: Signal): void;
  /** Reports a message that is not a valid event. The source settles or skips it afterwards. */
  corrupt(error: PolycastError): void;
  /** Reports that the source has failed and will not recover. */
  failed(error: PolycastError): void;
}

/** The service's lock on one delivery. */
export interface Lease {
  /**
   * How often the event was delivered to a handler, including this time, as far as the service knows. A delivery that certainly never
   * reached core (a reply that was lost with its connection) does not count.
   */
  readonly attempt: number;
  /**
   * How long the service has held the event on delivery, ms, by the service's own clock. Core derives the remaining time to live from it,
   * so that no participant's clock matters. Omitted if the service does not report it: then the event's absolute expiry applies.
   */
  readonly ageMs?: number | undefined;
  /** Where the event stands in the service (stream id, sequence number): `{ after }` takes it. */
  readonly position?: string;
  /** Called once, unless the lock is lost; again only after it rejected. Returns immediately if settlements are buffered. Rejects with `lock-lost` if the lock is lost. */
  settle(settlement: Settlement): void | Promise<void>;
  /** Extends the lock by `lockMs`. Left out: the lock cannot be renewed, or there is no lock to lose. @throws `lock-lost` */
  renew?(): Promise<void>;
  /**
   * For a lock that cannot be renewed: its remaining time, ms. When it ends, core treats it as lost: it emits a signal, aborts the
   * signal of the delivery, and does not settle.
   */
  readonly lockedForMs?: number | undefined;
}

export type Settlement =
  | { readonly kind: 'accept' }
  /**
   * Deliver it again. `delayMs` is above 0 only if `delayedRelease` is native, and is one of its `steps` if it has any. `attempts` is how often
   * handlers have been given the event, as far as core knows: fewer than `Lease.attempt` if no handler saw it, more if it was retried here. Its
   * next attempt is one more. Left out: `Lease.attempt`.
   */
  | { readonly kind: 'release'; readonly delayMs: number; readonly attempts?: number }
  /** Only if `deadLetter` is native; else core publishes to the dead-letter topic and accepts. */
  | { readonly kind: 'dead-letter'; readonly reason: string };

/** A listening source. */
export interface Source {
  /**
   * Resolves when every event that the service accepted before the call is delivered; core calls it before another subscription
   * joins the source. Never rejects. Omitted: events are never in transit.
   */
  caughtUp?(): Promise<void>;
  /** No `deliver` after it resolves. Events that were fetched and not delivered are returned. Leases stay valid. Idempotent. */
  stop(): Promise<void>;
  /** After `stop` and after every lease is settled: removes what a non-durable subscription left on the service. Idempotent. */
  close(): Promise<void>;
}
