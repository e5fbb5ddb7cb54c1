import type { Delivery, Handler, Subscription } from './contract.ts';
import { DEFAULT_DRAIN_MS } from './contract.ts';
import { handOver } from './control-lane.ts';
import { deadLetterTo } from './dead-letter.ts';
import { type Deferred, deferred } from './deferred.ts';
import { LiveDelivery } from './delivery.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import { DeliveryStream } from './delivery-stream.ts';
import { DeliveryWatch, type Watched } from './delivery-watch.ts';
import { PolycastError } from './error.ts';
import { type BroadcastEvent, isExpired } from './event.ts';
import type { Inbox } from './inbox.ts';
import { backOffMs, isRetryable } from './retry.ts';
import type { Runtime } from './runtime.ts';
import { ACCEPT, RELEASE } from './settler.ts';
import type { Signal } from './signal.ts';
import { tellOne } from './signal-hub.ts';
import type { SubscriptionSettings } from './subscription-settings.ts';
import { settlesWithin, type Timer } from './timer.ts';
import type { Lease } from './transport.ts';

/**
 * One subscription: decides what runs now, what waits, and what becomes of each delivery.
 *
 * The way of a delivery: taken → queued (while slots are busy or it is paused) → running → settled; or, when tried
 * again, resting until its next attempt. A plain subscription keeps its slot through retries, so order holds; in a
 * group a failed delivery goes back to the service, so that another member may try.
 */
export class LiveSubscription implements Subscription, Watched {
  readonly inbox: Inbox;
  readonly settings: SubscriptionSettings;
  readonly #handler: Handler;
  /** One at a time. */
  readonly #isSimple: boolean;
  readonly #stream: DeliveryStream | undefined;
  #state: 'open' | 'paused' | 'closing' | 'closed' = 'open';
  #queue: DeliveryQueue | undefined;
  #running = 0;
  /** Being handled asynchronously, or held under a lease. */
  #active: Set<LiveDelivery> | undefined;
  /** Waiting for their next attempt without a slot. */
  #resting: Map<LiveDelivery, Timer> | undefined;
  /** Retries that hold their slot. */
  #retrying: Map<LiveDelivery, Timer> | undefined;
  #busyKeys: Set<unknown> | undefined;
  #pumping = false;
  #full = false;
  #watch: DeliveryWatch | undefined;
  #idle: Deferred<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(inbox: Inbox, settings: SubscriptionSettings, handler: Handler | undefined) {
    this.inbox = inbox;
    this.settings = settings;
    this.#isSimple = settings.concurrency === 1;
    this.#stream = handler === undefined ? new DeliveryStream(this) : undefined;
    const given = handler ?? (this.#stream as DeliveryStream).handler;
    this.#handler = inbox.session.wrapping?.wrapHandler(given, inbox.session, settings) ?? given;
  }

  get runtime(): Runtime {
    return this.inbox.session.runtime;
  }

  get state(): 'open' | 'paused' | 'closing' | 'closed' {
    return this.#state;
  }

  get pending(): number {
    return this.#running + (this.#queue?.length ?? 0) + (this.#resting?.size ?? 0);
  }

  /** How many more deliveries it takes before it is full. */
  get capacity(): number {
    return this.#state === 'open' ? Math.max(0, this.settings.bufferSize - this.pending) : 0;
  }

  // ── arrival ──

  /** @returns false if the event had to be dropped */
  take(event: BroadcastEvent, lease: Lease | undefined): boolean {
    const { filter } = this.settings;
    if (filter === undefined || filter.compiled.matches(event)) return this.takeFitting(event, lease);
    this.inbox.settler.settle(lease, ACCEPT);
    return true;
  }

  /** For events that are known to fit the filter. @returns false if the event had to be dropped */
  takeFitting(event: BroadcastEvent, lease: Lease | undefined): boolean {
    if (lease === undefined && this.#isSimple && this.#running === 0 && this.#queue === undefined) {
      if (this.#state === 'open') return this.#handAtOnce(event);
    }
    return this.#takeInTurn(event, lease);
  }

  #takeInTurn(event: BroadcastEvent, lease: Lease | undefined): boolean {
    if (this.#state === 'closed') {
      this.inbox.settler.settle(lease, RELEASE);
      return false;
    }
    const delivery = new LiveDelivery(this, event, lease);
    if (lease?.renew !== undefined) this.#watching.leaseTaken();
    if (
      this.#running < this.settings.concurrency &&
      this.#state !== 'paused' &&
      (this.#queue === undefined || this.#queue.length === 0) &&
      !this.#isBusy(delivery)
    ) {
      this.#run(delivery);
      return true;
    }
    return this.#enqueue(delivery);
  }

  /**
   * What `take`, `#run`, `#finished` and `#free` come to when an idle subscription gets an event without a lease. In one
   * piece the engine need not keep the delivery at all: with many subscribers to an event it costs a third.
   */
  #handAtOnce(event: BroadcastEvent): true {
    const delivery = new LiveDelivery(this, event, undefined);
    this.#running++;
    let result: unknown;
    try {
      result = this.#handler(event, delivery);
    } catch (thrown) {
      this.#failed(delivery, thrown);
      return true;
    }
    if (isThenable(result)) this.#await(delivery, result);
    else if (delivery.outcome !== undefined || delivery.abandoned) this.#finished(delivery);
    else if (this.#queue !== undefined || this.#idle !== undefined || this.inbox.pulls) this.#free(delivery);
    else this.#running--;
    return true;
  }

  #enqueue(delivery: LiveDelivery): boolean {
    this.#queue ??= new DeliveryQueue();
    if (this.#queue.length >= this.settings.bufferSize && delivery.lease === undefined && this.inbox.dropsWhenFull) {
      this.inbox.session.dropped.overflow++;
      this.inbox.reopen(delivery.event, this);
      this.tell({ kind: 'gap', reason: 'overflow', source: delivery.event.source, count: 1 });
      return false;
    }
    this.#queue.push(delivery);
    this.#updateFull();
    if (this.settings.concurrency > 1) this.#pump();
    return true;
  }

  // ── handling ──

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#queue !== undefined && this.#running < this.settings.concurrency && this.#state !== 'paused') {
      const next = this.#queue.take(this.#busyKeys === undefined ? undefined : this.#isBusy);
      if (next === undefined) break;
      if (isExpired(next.event, this.runtime)) this.#expired(next);
      else this.#run(next);
    }
    this.#pumping = false;
    this.#updateFull();
    if (this.#idle !== undefined && this.pending === 0) {
      this.#idle.resolve();
      this.#idle = undefined;
    }
  }

  /** Its time was over while it waited here. */
  #expired({ event, lease }: LiveDelivery): void {
    this.inbox.reopen(event, this);
    this.inbox.session.expired(event);
    this.inbox.settler.settle(lease, ACCEPT);
  }

  #run(delivery: LiveDelivery): void {
    this.#running++;
    if (this.settings.concurrency > 1) this.#setBusy(delivery);
    let result: unknown;
    try {
      result = this.#handler(delivery.event, delivery);
    } catch (thrown) {
      this.#failed(delivery, thrown);
      return;
    }
    if (isThenable(result)) this.#await(delivery, result);
    else this.#finished(delivery);
  }

  #await(delivery: LiveDelivery, result: PromiseLike<unknown>): void {
    delivery.startedAtMs = this.runtime.nowMs();
    this.#hold(delivery);
    this.#watching.handlerStarted();
    result.then(
      () => this.#finished(delivery),
      (thrown: unknown) => this.#failed(delivery, thrown),
    );
  }

  #finished(delivery: LiveDelivery): void {
    delivery.startedAtMs = 0;
    const outcome = delivery.outcome;
    if (delivery.abandoned) {
      this.#free(delivery);
    } else if (outcome === undefined || outcome.kind === 'accept') {
      if (delivery.lease !== undefined) this.inbox.settler.settle(delivery.lease, ACCEPT);
      this.#free(delivery);
    } else if (outcome.kind === 'reject') {
      this.#deadLetter(delivery, outcome.reason);
    } else {
      this.#rest(delivery, outcome.delayMs ?? backOffMs(this.runtime, this.settings.retry, delivery.attempt));
    }
  }

  #failed(delivery: LiveDelivery, thrown: unknown): void {
    delivery.startedAtMs = 0;
    if (delivery.outcome !== undefined || delivery.abandoned) return this.#finished(delivery);
    const { retry, group } = this.settings;
    // The handler asked something of the broadcaster that is closing under it: no fault of the event.
    if (isClosed(thrown) && this.inbox.session.isClosing) return this.#giveBack(delivery, thrown);
    if (!isRetryable(thrown) || delivery.attempt >= retry.tries) {
      return this.#deadLetter(delivery, thrown instanceof Error ? thrown.message : String(thrown));
    }
    const delayMs = backOffMs(this.runtime, retry, delivery.attempt);
    // In a group another member may do better, unless the order of a key would suffer.
    if (group !== undefined && delivery.lease !== undefined && delivery.event.partitionkey === undefined) {
      return this.#rest(delivery, delayMs);
    }
    if (this.#state === 'closing') return this.#giveBack(delivery, thrown);
    const timer = this.runtime.after(delayMs, () => {
      this.#retrying?.delete(delivery);
      this.#running--;
      delivery.again();
      if (isExpired(delivery.event, this.runtime)) {
        this.#running++;
        this.#expired(delivery);
        this.#free(delivery);
      } else this.#run(delivery);
    });
    this.#hold(delivery);
    (this.#retrying ??= new Map()).set(delivery, timer);
  }

  /** Gives the slot free; the delivery comes again later, from here or from the service. */
  #rest(delivery: LiveDelivery, delayMs: number): void {
    const { lease } = delivery;
    if (this.#state === 'closing') return this.#giveBack(delivery, 'released while closing');
    if (lease !== undefined && this.inbox.delaysReleases) {
      this.inbox.settler.settle(lease, { kind: 'release', delayMs });
      return this.#free(delivery);
    }
    const timer = this.runtime.after(delayMs, () => {
      this.#resting?.delete(delivery);
      if (lease !== undefined) {
        this.inbox.settler.settle(lease, RELEASE);
        this.#active?.delete(delivery);
      } else {
        delivery.again();
        (this.#queue ??= new DeliveryQueue()).push(delivery);
      }
      this.#pump();
    });
    if (lease !== undefined) this.#hold(delivery);
    (this.#resting ??= new Map()).set(delivery, timer);
    this.#free(delivery, lease !== undefined);
  }

  /** While closing nothing is tried again here: the service gets it back, or else it is set aside. */
  #giveBack(delivery: LiveDelivery, thrown: unknown): void {
    if (delivery.lease !== undefined) {
      this.inbox.settler.settle(delivery.lease, RELEASE);
      this.#free(delivery);
    } else {
      this.#deadLetter(delivery, thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  #deadLetter(delivery: LiveDelivery, reason: string): void {
    this.#hold(delivery);
    deadLetterTo(this.inbox.session, this.settings, delivery, reason).then(
      () => this.#free(delivery),
      // Nothing took it: it stays ours, and comes again.
      (error: unknown) => {
        this.tell({ kind: 'failed', what: 'settle', error: PolycastError.from(error) });
        this.inbox.settler.settle(delivery.lease, RELEASE);
        this.#free(delivery);
      },
    );
  }

  /** It stays with us beyond this turn: its lock is renewed, and closing knows of it. */
  #hold(delivery: LiveDelivery): void {
    (this.#active ??= new Set()).add(delivery);
  }

  #free(delivery: LiveDelivery, staysActive = false): void {
    if (!staysActive) this.#active?.delete(delivery);
    this.#busyKeys?.delete(delivery.event.partitionkey);
    this.#running--;
    if (this.#queue !== undefined || this.#idle !== undefined || this.#full || this.inbox.pulls) this.#pump();
  }

  // ── partition keys, when several handlers run at once ──

  readonly #isBusy = (delivery: LiveDelivery): boolean => {
    const key = delivery.event.partitionkey;
    return key !== undefined && this.#busyKeys?.has(key) === true;
  };

  #setBusy(delivery: LiveDelivery): void {
    const key = delivery.event.partitionkey;
    if (key !== undefined) (this.#busyKeys ??= new Set()).add(key);
  }

  // ── watching ──

  /** Made when first needed: most of very many subscriptions never do. */
  get #watching(): DeliveryWatch {
    this.#watch ??= new DeliveryWatch(this);
    return this.#watch;
  }

  tell(signal: Signal): void {
    this.hear(signal);
    this.inbox.tell(signal);
  }

  /** A signal that the broadcaster's listeners have heard already. */
  hear(signal: Signal): void {
    if (this.settings.onSignal !== undefined) tellOne(this.settings.onSignal, signal);
  }

  #updateFull(): void {
    if (this.inbox.pulls) this.inbox.capacityChanged();
    const full = this.#queue !== undefined && this.#queue.length >= this.settings.bufferSize;
    if (full === this.#full) return;
    this.#full = full;
    this.inbox.fullChanged(full);
  }

  *held(): Iterable<LiveDelivery> {
    yield* this.#active ?? [];
    yield* this.#queue ?? [];
  }

  abandon(delivery: LiveDelivery): void {
    delivery.abandon();
    this.#queue?.remove(delivery);
    this.#resting?.get(delivery)?.cancel();
    this.#resting?.delete(delivery);
  }

  // ── the user's side ──

  pause(): void {
    if (this.#state === 'open') this.#state = 'paused';
    this.#updateFull();
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'open';
    this.#pump();
  }

  drain(): Promise<void> {
    if (this.pending === 0) return Promise.resolve();
    this.#idle ??= deferred();
    return this.#idle.promise;
  }

  close(options: { drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainMs ?? DEFAULT_DRAIN_MS);
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    // First: a source that feeds nobody any more brings no control events either.
    const handing = this.inbox.isOwn ? handOver(this.inbox, 1) : undefined;
    if (handing !== undefined) await handing;
    this.#state = 'closing';
    await this.inbox.stop(this);
    this.#hurry();
    if (this.#stream?.isUnread) this.#dropQueue();
    this.#pump();
    if (this.pending > 0 && !(await settlesWithin(this.runtime, this.drain(), drainMs))) this.#dropQueue();
    // What still runs is left to itself: its lease goes back, its signal is aborted.
    for (const delivery of this.#active ?? []) {
      if (!delivery.abandoned && delivery.lease !== undefined) this.inbox.settler.settle(delivery.lease, RELEASE);
      delivery.abandon();
    }
    this.#state = 'closed';
    this.#watch?.stop();
    this.#idle?.resolve();
    this.#stream?.end();
    this.inbox.session.subscriptions.delete(this);
    await this.inbox.leave();
  }

  /** Closing: whoever waits for a next attempt gets it now, or goes back to the service. */
  #hurry(): void {
    for (const [delivery, timer] of this.#retrying ?? []) {
      timer.cancel();
      this.#giveBackOrRun(delivery);
    }
    this.#retrying?.clear();
    for (const [delivery, timer] of this.#resting ?? []) {
      timer.cancel();
      this.#running++;
      this.#giveBackOrRun(delivery);
    }
    this.#resting?.clear();
  }

  #giveBackOrRun(delivery: LiveDelivery): void {
    if (delivery.lease !== undefined) return this.#giveBack(delivery, undefined);
    this.#running--;
    delivery.again();
    this.#run(delivery);
  }

  #dropQueue(): void {
    const left = this.#queue?.takeAll() ?? [];
    let lost = 0;
    for (const delivery of left) {
      if (delivery.lease === undefined) lost++;
      else this.inbox.settler.settle(delivery.lease, RELEASE);
    }
    if (lost > 0) this.tell({ kind: 'gap', reason: 'overflow', count: lost });
  }

  [Symbol.asyncIterator](): AsyncIterator<Delivery> {
    if (this.#stream === undefined) throw new TypeError('a subscription with a handler cannot be iterated');
    return this.#stream.iterate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function isClosed(thrown: unknown): boolean {
  return thrown instanceof PolycastError && thrown.code === 'closed';
}

function isThenable(value: unknown): value is PromiseLike<unknown> & { then: Promise<unknown>['then'] } {
  return value !== undefined && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
