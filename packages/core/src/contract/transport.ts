import type { BroadcastEvent } from '../envelope/event.ts';
import type { FilterTarget } from '../filter/target.ts';
import type { Address } from './address.ts';
import type { PolycastError } from './error.ts';
import type { Manifest } from './manifest.ts';
import type { Participant } from './participant.ts';
import type { Signal } from './signal.ts';

/**
 * What an adapter package implements. Inert until opened: making one connects to nothing and may be done anywhere.
 *
 * Core, on top, does: argument checks, identity, TTL, residual filter, carbon copy, dedupe, gap detection, retry,
 * batching, back-pressure, chunking, request and reply, members, closed state, tracing. An adapter opens, sends a
 * batch, listens, settles, closes, maps its errors, and states its manifest.
 */
export interface Transport {
  readonly manifest: Manifest;
  /** `CORE` of the copy of `@polycast/core/adapter` that the adapter imports: `connect` refuses another copy's. Left out, two copies go unnoticed. */
  readonly core?: object;
  /** Where it connects to, without secrets: shown to people, and compared to tell whether two transports are one place. */
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
  /** Reports what no promise can, and concerns every source: all subscriptions hear it. Never throws. See {@link Sink.signal}. */
  signal(signal: Signal): void;
  /**
   * Aborted when `connect` is, before the link is open: end what is being opened, so that nothing of it keeps the process alive. A link
   * that opens all the same is closed at once.
   */
  readonly abortSignal?: AbortSignal | undefined;
  /** Counts what the provider bills. `unit` is one of the manifest's `billedUnits`. Cheap: call it per batch. */
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
   * Returns nothing when the transport took them at once; else resolves once it took them all.
   * To fail single events, resolve to an array with an error at each failed index. Rejection fails the whole batch.
   * Must not be delayed to wait for company: core has done the waiting.
   */
  publish(batch: readonly Outgoing<Sent>[]): void | Promise<void | readonly (PolycastError | undefined)[]>;
  /**
   * Starts to listen. Once it resolves, an event that is published afterwards by anyone reaches the sink.
   * Any number of sources may be open on one link.
   */
  subscribe(request: SourceRequest, sink: Sink): Source | Promise<Source>;
  /** Who is there, if the service knows. Left out: core asks over the topic itself. */
  members?(): Promise<readonly Participant[]>;
  /**
   * The participant takes part from now on: it is about to have its first subscription, which waits for this. Where the manifest says that `members`
   * is `billed`, called only if `connect` was given `members: true`. It stays a member until `leave`, whatever becomes of the connection.
   */
  enter?(): Promise<void>;
  /** It takes part no longer: its last subscription is closed. Followed by another `enter`, or by `close`. Never called before `enter` resolved. */
  leave?(): Promise<void>;
  /**
   * Answers an HTTP request of the service (a delivery to a webhook) or of its clients (negotiation, a token). Given if, and only if, the
   * manifest's `endpoint` is not `none`. The body is bounded by whoever mounted it. May reject: a `PolycastError` becomes a status by its code.
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
  /** Only what is published from now on; a durable subscription resumes where it was. */
  | 'new'
  /** The oldest event that is kept. */
  | 'earliest'
  /** The first event taken by the service at or after this time (epoch ms). */
  | { readonly timeMs: number }
  /** The first event after this transport position, as `delivery.position` told it. */
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
  /** The greatest `Lease.attempt` that core takes: a service that counts by itself must not give up sooner. */
  readonly maxDeliveries: number;
  /** Most unsettled deliveries core will hold. */
  readonly maxUnsettled: number;
}

/** What a source feeds. Implemented by core. Its methods never throw. */
export interface Sink {
  /** How many more events core takes now. Sources that pull fetch no more than this; sources that are pushed to ignore it. */
  readonly capacity: number;
  /** Resolves when `capacity` is above zero, or when the source is stopped. */
  ready(): Promise<void>;
  /**
   * One event came. With a lease, core settles it exactly once; without, there is nothing to settle. A lease with an `attempt` above 1
   * takes the place of the one before, should core still hold that: its lock is lost.
   * @param isFresh Delivered within the very call that published it: no need to look at the clock for its time to live.
   * @param position Where the event stands in the service, if it can be replayed and there is no lease that says so.
   * @returns false if core had to drop it (buffer full and no lease).
   */
  deliver(event: BroadcastEvent, lease?: Lease, isFresh?: boolean, position?: string): boolean;
  /**
   * The source keeps an order, and something that comes before these comes again: what no handler was given of them is released, and
   * comes again behind it. What a handler was given stays. Left out where nothing is kept waiting.
   */
  recall?(leases: ReadonlySet<Lease>): void;
  /**
   * Reports what concerns this source alone, such as a gap: only its subscriptions hear it, and the broadcaster's listeners. What
   * concerns every source of the link, such as a lost connection, goes to `LinkContext.signal`.
   */
  signal(signal: Signal): void;
  /** Something came that is no event. Settle or skip it yourself afterwards. */
  corrupt(error: PolycastError): void;
  /** The source cannot go on and will not recover by itself. */
  failed(error: PolycastError): void;
}

/** The service's hold on one delivery. */
export interface Lease {
  /**
   * How often a handler has been given the event, this time included, as far as the service knows. What provably never reached core
   * (a reply that was lost with its connection) does not count.
   */
  readonly attempt: number;
  /**
   * How long the service has held the event when it is handed over, ms, by the service's own clock. From it core measures the time
   * to live, so that no clock of a participant matters. Left out where the service does not say: then the event's absolute expiry counts.
   */
  readonly ageMs?: number | undefined;
  /** Where the event stands in the service (stream id, sequence number): `{ after }` takes it. */
  readonly position?: string;
  /** Called once, unless the lock is lost; again only after it rejected. Returns at once when settling is buffered. A lost lock rejects with `lock-lost`. */
  settle(settlement: Settlement): void | Promise<void>;
  /** Extends the lock by `lockMs`. Left out: the lock cannot be renewed, or there is no lock to lose. @throws `lock-lost` */
  renew?(): Promise<void>;
  /**
   * For a lock that cannot be renewed: how long it lasts from now, ms. When it ends core takes it for lost: it reports that, aborts the
   * signal of the delivery, and does not settle.
   */
  readonly lockedForMs?: number | undefined;
}

export type Settlement =
  | { readonly kind: 'accept' }
  /**
   * Deliver it again, as attempt `attempts` + 1. `delayMs` is above 0 only if `delayedRelease` is native, and one of its `steps` if it has any. `attempts` is how often handlers
   * have been given the event, as far as core knows: less than `Lease.attempt` for what no handler saw, more for what was tried here.
   * Left out: `Lease.attempt`.
   */
  | { readonly kind: 'release'; readonly delayMs: number; readonly attempts?: number }
  /** Only if `deadLetter` is native; else core publishes to the dead-letter topic and accepts. */
  | { readonly kind: 'dead-letter'; readonly reason: string };

/** A listening source. */
export interface Source {
  /**
   * Resolves when all that the service took before the call was delivered; core asks before another subscription
   * joins in. Never rejects. Left out: nothing is ever on its way.
   */
  caughtUp?(): Promise<void>;
  /** No `deliver` after it resolves. What was fetched and not delivered goes back. Leases stay valid. Idempotent. */
  stop(): Promise<void>;
  /** After `stop` and after every lease is settled: removes what a non-durable subscription left on the service. Idempotent. */
  close(): Promise<void>;
}
