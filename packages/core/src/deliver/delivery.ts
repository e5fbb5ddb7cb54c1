import { duration, type OptionNames, optionsOf } from '../contract/checked-option.ts';
import type { Delivery, ReleaseOptions } from '../contract/contract.ts';
import type { Signal } from '../contract/signal.ts';
import type { Lease } from '../contract/transport.ts';
import { type BroadcastEvent, positionOf } from '../envelope/event.ts';

/** What is to become of a delivery. */
export type Outcome =
  | { readonly kind: 'accept' }
  | { readonly kind: 'release'; readonly delayMs: number | undefined }
  | { readonly kind: 'reject'; readonly reason: string };

export const ACCEPT: Outcome = { kind: 'accept' };

/** The subscription of a delivery, as far as a delivery knows it. */
export interface DeliveryOwner {
  readonly receiver: {
    readonly requests: { reply(event: BroadcastEvent, data: unknown): Promise<void> };
  };
  serviceDelayMs(delayMs: number, isAsked: boolean): number | undefined;
  report(signal: Signal): void;
}

/** One event in one subscription, from its arrival until it is settled. */
export class LiveDelivery<Event extends BroadcastEvent = BroadcastEvent> implements Delivery<Event> {
  event: Event;
  /** Shared with a later one when the service hands the event over twice. */
  lease: Lease | undefined;
  /** The service was told what becomes of it: once. */
  settled = false;
  attempt: number;
  /** The handler was called for this attempt. */
  isBegun = false;
  /** What the handler said; the first word counts. */
  outcome: Outcome | undefined;
  /** When the handler was called, ms of a monotonic clock. 0: not yet. */
  startedAtMs = 0;
  /** When a lock ends that cannot be renewed, ms of a monotonic clock. 0: never. */
  lockEndsMs = 0;
  readonly #owner: DeliveryOwner;
  #abort: AbortController | undefined;

  constructor(owner: DeliveryOwner, event: Event, lease: Lease | undefined) {
    this.#owner = owner;
    this.event = event;
    this.lease = lease;
    this.attempt = lease === undefined ? 1 : lease.attempt;
  }

  get position(): string | undefined {
    return this.lease === undefined ? positionOf(this.event) : this.lease.position;
  }

  get abortSignal(): AbortSignal {
    const isAborted = this.#abort === ABORTED;
    if (isAborted) this.#abort = undefined;
    this.#abort ??= new AbortController();
    if (isAborted) this.#abort.abort();
    return this.#abort.signal;
  }

  accept(): void {
    this.outcome ??= ACCEPT;
  }

  reject(reason: string): void {
    if (typeof reason !== 'string') throw new TypeError('reject() needs a reason (string)');
    this.outcome ??= { kind: 'reject', reason };
  }

  release(options: ReleaseOptions = {}): number | undefined {
    optionsOf('release', options, RELEASE_OPTIONS);
    const { delayMs } = options;
    if (delayMs !== undefined) duration('delayMs', delayMs);
    if (this.outcome !== undefined) return undefined;
    this.outcome = { kind: 'release', delayMs };
    if (delayMs === undefined) return undefined;
    return Math.max(delayMs, (this.lease && this.#owner.serviceDelayMs(delayMs, true)) ?? 0);
  }

  reply(data: unknown): Promise<void> {
    return this.#owner.receiver.requests.reply(this.event, data);
  }

  report(signal: Signal): void {
    this.#owner.report(signal);
  }

  /** The lock is lost, or nobody waits for the handler any longer. */
  abandon(): void {
    if (this.#abort === undefined) this.#abort = ABORTED;
    else this.#abort.abort();
  }

  get abandoned(): boolean {
    return this.#abort?.signal.aborted === true;
  }

  /** Is the handler done with the event for good, although its lock is lost? One that has seen the signal may have returned because of it. */
  get wasHandled(): boolean {
    if (this.outcome !== undefined) return this.outcome.kind === 'accept';
    return this.isBegun && this.#abort === ABORTED;
  }

  /** The service has it again: what becomes of it is not ours to say any more. */
  get isGone(): boolean {
    return this.lease !== undefined && this.abandoned;
  }

  /** How often handlers were given the event, as far as we know. */
  get attempts(): number {
    return this.isBegun ? this.attempt : this.attempt - 1;
  }

  /** Forgets what the last attempt said. */
  again(): void {
    this.attempt++;
    this.isBegun = false;
    this.outcome = undefined;
    this.startedAtMs = 0;
  }
}

const RELEASE_OPTIONS: OptionNames<ReleaseOptions> = { delayMs: 1 };

/** For deliveries nobody had asked for a signal of. */
const ABORTED = new AbortController();
ABORTED.abort();
