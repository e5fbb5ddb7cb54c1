import type { Delivery, Dropped, Handler, PublishOptions } from '../contract/contract.ts';
import type { PolycastError } from '../contract/error.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { Middleware, MiddlewareContext } from '../contract/middleware.ts';
import type { Participant } from '../contract/participant.ts';
import type { SchemaMap } from '../contract/schema.ts';
import type { Signal } from '../contract/signal.ts';
import type { Link } from '../contract/transport.ts';
import type { Refuse } from '../contract/unsupported.ts';
import type { MemberList } from '../control/member-list.ts';
import type { Presence } from '../control/presence.ts';
import type { Requests } from '../control/requests.ts';
import type { SubscriptionSettings } from '../deliver/subscription-settings.ts';
import type { BroadcastEvent, EventInput } from '../envelope/event.ts';
import type { FilterTarget } from '../filter/target.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { Runtime } from '../timing/runtime.ts';
import type { SignalHub } from './signal-hub.ts';

/** The receiving end of a source, as far as the broadcaster and its control events know it. */
export interface ControlSource {
  /** True once it will deliver nothing more. */
  readonly isStopped: boolean;
  /** Has a subscription it to itself? */
  readonly isOwn: boolean;
  /** Does everything that comes through it wait until its subscription goes on? */
  readonly isPaused: boolean;
  /** Does every roll call and reply come through it? */
  readonly hearsControl: boolean;
  readonly context: BroadcasterContext;
  open(): Promise<void>;
  close(): Promise<void>;
  failed(error: PolycastError): void;
}

/** A subscription, as far as its broadcaster knows it. */
export interface OpenSubscription {
  readonly receiver: ControlSource;
  /** Are we called by a handler of its own? */
  readonly isInside: boolean;
  /** @returns was there a listener? */
  hear(signal: Signal): boolean;
  close(options?: { drainMs?: number }): Promise<void>;
  closeWhole(drainMs: number): Promise<void>;
}

/** What stands around publishes and handlers where there are schemas or middleware. */
export interface Wrapping {
  /** @param isFinal is a delivery whose handler threw this not tried again? */
  wrapHandler(
    handler: Handler,
    context: BroadcasterContext,
    settings: SubscriptionSettings,
    isFinal: (delivery: Delivery, thrown: unknown) => boolean,
  ): Handler;
  publishThrough(
    context: BroadcasterContext,
    event: EventInput,
    options: PublishOptions | undefined,
    send: (event: EventInput, options: PublishOptions | undefined) => Promise<void>,
  ): Promise<void>;
}

/** What the parts of one connected broadcaster share. */
export interface BroadcasterContext {
  readonly topic: string;
  readonly self: Participant;
  /** The CloudEvents `source` of `self`. */
  readonly source: string;
  readonly manifest: Manifest;
  /** What the service can evaluate of a filter. */
  readonly filterTarget: FilterTarget | undefined;
  readonly link: Link;
  readonly runtime: Runtime;
  readonly publisher: Publisher;
  readonly requests: Requests;
  /** Set where core finds out who is there. */
  readonly members: MemberList | undefined;
  /** Set where the service is told who takes part. */
  readonly presence: Presence | undefined;
  /** False where the list of members is billed and was not asked for. */
  readonly mayAskMembers: boolean;
  /** Roll calls and replies come through one receiver, however many there are. */
  control: ControlSource | undefined;
  /** The source for what comes to this instance alone, roll calls and replies included. Perhaps not open yet. */
  makeControl(): ControlSource;
  readonly middleware: readonly Middleware[];
  readonly schemas: SchemaMap | undefined;
  /** Set where holes in the publishers' numbers are looked for. */
  readonly gaps: typeof import('../receive/gap-detector.ts') | undefined;
  /** Set where events can be too large for the service: what travels in pieces comes from elsewhere, too. */
  readonly chunking: typeof import('../receive/chunking.ts') | undefined;
  /** Set where roll calls are heard, and from the first request on. */
  lane: typeof import('../control/control-channel.ts') | undefined;
  /** Set where something is not offered: the error for asking for it names the transports that offer it. */
  readonly refuse: Refuse | undefined;
  /** Set where there are schemas or middleware. */
  readonly wrapping: Wrapping | undefined;
  readonly middlewareContext: MiddlewareContext;
  /** All that are open, in the order made. */
  readonly subscriptions: Set<OpenSubscription>;
  readonly signals: SignalHub;
  /** From the moment its broadcaster is asked to close. */
  isClosing: boolean;
  /** What came and was not handed on. */
  readonly dropped: { -readonly [Reason in keyof Dropped]: number };
  /** To the broadcaster's listeners. Where nobody heard it, those of subscriptions included, it is printed as a warning. */
  report(signal: Signal, isHeard?: boolean): void;
  /** Counts an event whose time was over, and signals it once per publisher. @param hear is there a listener of a subscription? */
  expired(event: BroadcastEvent, hear: (signal: Signal) => boolean): void;
}
