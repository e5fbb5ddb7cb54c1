import { notifyListener } from '../connection/signal-hub.ts';
import { type OptionNames, optionsOf } from '../contract/checked-option.ts';
import type { CloseOptions, Delivery, Handler, Subscription } from '../contract/contract.ts';
import { DEFAULT_DRAIN_MS } from '../contract/contract.ts';
import { describeError } from '../contract/describe-error.ts';
import { codeOf, PolycastError, retryAfterMsOf } from '../contract/error.ts';
import type { Signal } from '../contract/signal.ts';
import type { Lease, Settlement } from '../contract/transport.ts';
import { type BroadcastEvent, isExpired, pinExpiry, remainingMs } from '../envelope/event.ts';
import { ACCEPT, RELEASE } from '../receive/settler.ts';
import type { Pair, SourceReceiver } from '../receive/source-receiver.ts';
import { type Deferred, deferred } from '../timing/deferred.ts';
import { backOffMs, isRetryable, maxDeliveries } from '../timing/retry.ts';
import { keepAlive, type Runtime } from '../timing/runtime.ts';
import { settlesWithin, type Timer } from '../timing/timer.ts';
import { deadLetterTo } from './dead-letter.ts';
import { LiveDelivery } from './delivery.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import type { DeliveryStream } from './delivery-stream.ts';
import type { GivenAttempts } from './given-attempts.ts';
import { HandlerMark } from './handler-mark.ts';
import type { HeldLease } from './held-lease.ts';
import type { LockRenewal } from './lock-renewal.ts';
import { type MonitoredSubscription, StallDetector } from './stall-detector.ts';
import type { SubscriptionSettings } from './subscription-settings.ts';
import { WaitingRoom } from './waiting-room.ts';

type Leases = typeof import('./leases.ts');

export const CLOSE_OPTIONS: OptionNames<CloseOptions> = { drainMs: 1 };

/**
 * One subscription: decides what runs now, what waits, and what becomes of each delivery.
 *
 * The way of a delivery: taken → queued (while slots are busy or it is paused) → running → settled; or, when tried
 * again, resting until its next attempt. A plain subscription keeps its slot through retries, so order holds; in a
 * group a failed delivery goes back to the service, so that another member may try.
 */
export class LiveSubscription implements Subscription, MonitoredSubscription {
  readonly receiver: SourceReceiver;
  readonly settings: SubscriptionSettings;
  /** Of all that joined its receiver. */
  joined = 0;
  readonly #handler: Handler;
  /** One at a time, and not in a group, where an event may come twice. */
  readonly #isSimple: boolean;
  readonly #stream: DeliveryStream | undefined;
  #state: 'open' | 'paused' | 'closing' | 'closed' = 'open';
  #queue: DeliveryQueue | undefined;
  #waitingRoom: WaitingRoom | undefined;
  #running = 0;
  /** Being handled asynchronously, or held under a lease. */
  #active: Set<LiveDelivery> | undefined;
  /** Waiting for their next attempt without a slot. */
  #resting: Map<LiveDelivery, Timer> | undefined;
  /** Retries that hold their slot. */
  #retrying: Map<LiveDelivery, Timer> | undefined;
  /** By partition key: what is at work on it, or keeps its slot through retries. */
  #busyKeys: Map<unknown, LiveDelivery> | undefined;
  /** Those whose lock was lost while a handler runs: their next attempt waits for it. */
  #lingering: Set<LiveDelivery> | undefined;
  #pumping = false;
  #full = false;
  #watch: StallDetector | undefined;
  #locks: LockRenewal | undefined;
  #idle: Deferred<void> | undefined;
  /** Handlers that are being called at this moment: above 0, whoever calls us is inside one. */
  #calling = 0;
  /** Knows the same of handlers that have not returned yet. */
  #mark: HandlerMark | undefined;
  /** Deliveries whose handler waits for us: we must not wait for them. */
  #insiders = 0;
  #othersIdle: Deferred<void> | undefined;
  /** Nothing more comes; what came may still be handled. */
  #stopping: Deferred<void> | undefined;
  #closing: Promise<void> | undefined;
  readonly #onClosed: (() => void)[] = [];
  /** Closing, and what the service took before is still on its way. */
  #catchesUp = false;
  /** Closed by a handler of its own: nothing may come after that. */
  #takesNothing = false;
  readonly #leases: Leases | undefined;
  readonly #given: GivenAttempts | undefined;

  /**
   * @param given what handles the events, or the class of the stream that they are read from
   * @param leases where deliveries may come with leases
   */
  constructor(
    receiver: SourceReceiver,
    settings: SubscriptionSettings,
    given: { handler: Handler } | { Stream: typeof DeliveryStream },
    leases: Leases | undefined,
  ) {
    this.#leases = leases;
    this.#given = leases && new leases.GivenAttempts();
    this.receiver = receiver;
    this.settings = settings;
    this.#isSimple = settings.concurrency === 1 && settings.group === undefined;
    const { handler } = 'handler' in given ? given : (this.#stream = new given.Stream(this));
    this.#handler =
      receiver.context.wrapping?.wrapHandler(handler, receiver.context, settings, (delivery, thrown) =>
        this.#isFinal(delivery as LiveDelivery, thrown),
      ) ?? handler;
  }

  get runtime(): Runtime {
    return this.receiver.context.runtime;
  }

  /** Keeps the process alive meanwhile. */
  keepAlive<Value>(promise: Promise<Value>): Promise<Value> {
    return keepAlive(this.runtime, promise);
  }

  get state(): 'open' | 'paused' | 'closing' | 'closed' {
    return this.#state;
  }

  get #isEnding(): boolean {
    return this.#state === 'closing' || this.#state === 'closed';
  }

  get pending(): number {
    return this.#running + (this.#queue?.length ?? 0) + (this.#resting?.size ?? 0);
  }

  /** How many more deliveries it takes before it is full. */
  get capacity(): number {
    const takes = this.#state === 'open' || this.#catchesUp;
    return takes ? Math.max(0, this.settings.bufferSize - this.pending) : 0;
  }

  /** Calls the listener once, when it has closed. */
  onClosed(listener: () => void): void {
    if (this.#state === 'closed') listener();
    else this.#onClosed.push(listener);
  }

  /** How long the service is asked to hold back what is released. Undefined where it knows no delays. */
  serviceDelayMs(delayMs: number, isAsked: boolean): number | undefined {
    return this.#leases?.serviceDelayMs(this.receiver.context.manifest, delayMs, isAsked);
  }

  // ── arrival ──

  /** @returns false if the event had to be dropped */
  take(event: BroadcastEvent, lease: Lease | undefined): boolean {
    const { filter } = this.settings;
    if (filter === undefined || filter.compiled.matches(event)) return this.takeFitting(event, lease);
    this.receiver.settler.settle(lease, ACCEPT);
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
    if (this.#state === 'closed' || this.#takesNothing) {
      this.receiver.settler.giveBack(lease);
      return false;
    }
    const delivery = new LiveDelivery(this, event, lease);
    if (lease !== undefined && !this.#takeLease(delivery, lease)) return true;
    if (
      this.#running < this.settings.concurrency &&
      this.#state !== 'paused' &&
      (this.#queue === undefined || this.#queue.length === 0) &&
      !(lease === undefined && this.room <= 0) &&
      !this.#isBusy(delivery)
    ) {
      this.#run(delivery);
      return true;
    }
    return this.#enqueue(delivery);
  }

  /** @returns false for what was delivered too often */
  #takeLease(delivery: LiveDelivery, lease: Lease): boolean {
    const given = this.#given as GivenAttempts;
    const attempt = lease.attempt - (lease.attempt > 1 ? given.unseen(delivery.event) : 0);
    delivery.attempt = Math.max(attempt, given.next(delivery.event));
    this.#watchLock(delivery, lease);
    if (attempt <= maxDeliveries(this.settings.retry)) return true;
    this.#running++;
    this.#deadLetter(delivery, `delivered ${attempt} times without an outcome`);
    return false;
  }

  /**
   * What `take`, `#run`, `#finished` and `#free` come to when an idle subscription gets an event without a lease. In one
   * piece the engine need not keep the delivery at all: with many subscribers to an event it costs a third.
   */
  #handAtOnce(event: BroadcastEvent): true {
    const delivery = new LiveDelivery(this, event, undefined);
    this.#running++;
    this.#calling++;
    let later: Promise<unknown> | undefined;
    try {
      later = promiseOf(this.#handler(event, delivery));
    } catch (thrown) {
      this.#calling--;
      this.#failed(delivery, thrown);
      return true;
    }
    this.#calling--;
    if (later !== undefined) this.#await(delivery, later);
    else if (delivery.outcome !== undefined) this.#finished(delivery);
    else if (this.#queue !== undefined || this.#idle !== undefined || this.receiver.pulls) this.#free(delivery);
    else this.#running--;
    return true;
  }

  /**
   * We are at the event already. Another message holds it, since it was published twice: handled once, both are settled. Or it is the
   * next attempt of the same message, whose lock was lost without our knowledge: what becomes of the event holds for this one.
   * @returns false if we do not hold it
   */
  takeAgain(event: BroadcastEvent, lease: Lease | undefined, pair?: Pair): boolean {
    const delivery = this.#leases?.deliveryOf(event, this.held(), lease, pair);
    if (delivery === undefined) return false;
    this.#watchLock(delivery, (pair ? delivery.lease : lease) as Lease);
    return true;
  }

  #watchLock(delivery: LiveDelivery, { renew, lockedForMs }: Lease): void {
    const locks = (this.#locks ??= new (this.#leases as Leases).LockRenewal(this));
    if (renew !== undefined) locks.leaseTaken();
    if (lockedForMs === undefined) delivery.lockEndsMs = 0;
    else {
      delivery.lockEndsMs = this.runtime.nowMs() + lockedForMs;
      locks.lockTaken(delivery.lockEndsMs);
    }
  }

  #enqueue(delivery: LiveDelivery): boolean {
    pinExpiry(delivery.event, this.runtime);
    this.#queue ??= new DeliveryQueue();
    if (delivery.lease === undefined && (this.room <= 0 || this.#waitsForRoom)) {
      return this.#enqueueLater(delivery);
    }
    this.#queue.push(delivery);
    this.#updateFull();
    if (this.settings.concurrency > 1) this.#pump();
    return true;
  }

  /** How many more the buffer takes. What was released is in it, too. */
  get room(): number {
    return this.settings.bufferSize - (this.#queue?.length ?? 0) - (this.#resting?.size ?? 0);
  }

  get #waitsForRoom(): boolean {
    return this.#waitingRoom !== undefined && this.#waitingRoom.length > 0;
  }

  /** The buffer is full. Where publishers wait for us, the event does, too; elsewhere it is dropped. */
  #enqueueLater(delivery: LiveDelivery): boolean {
    if (!this.receiver.dropsWhenFull) {
      this.#waitingRoom ??= new WaitingRoom(this.runtime, (late) => this.#overflow(late));
      if (this.#waitingRoom.add(delivery)) return true;
    }
    this.#overflow([delivery]);
    return false;
  }

  #overflow(deliveries: readonly LiveDelivery[]): void {
    this.receiver.context.dropped.overflow += deliveries.length;
    const counts = new Map<string, number>();
    for (const { event } of deliveries) {
      this.receiver.reopen(event, this);
      counts.set(event.source, (counts.get(event.source) ?? 0) + 1);
    }
    for (const [source, count] of counts) this.report({ kind: 'gap', reason: 'overflow', source, count });
  }

  /** There is room again. */
  #admit(): void {
    if (!this.#waitsForRoom) return;
    const queue = (this.#queue ??= new DeliveryQueue());
    for (const delivery of (this.#waitingRoom as WaitingRoom).take(Math.max(0, this.room))) {
      queue.push(delivery);
    }
  }

  // ── handling ──

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#queue !== undefined && this.#running < this.settings.concurrency && this.#state !== 'paused') {
      const isFree = this.#busyKeys === undefined && this.#lingering === undefined;
      const next = this.#queue.take(isFree ? undefined : this.#isBusy);
      if (next === undefined) break;
      this.#admit();
      if (!this.#isOver(next)) this.#run(next);
    }
    this.#pumping = false;
    this.#updateFull();
    if (this.#idle !== undefined && this.pending === 0) {
      this.#idle.resolve();
      this.#idle = undefined;
    }
    if (this.#othersIdle !== undefined && this.#running <= this.#insiders) {
      this.#othersIdle.resolve();
      this.#othersIdle = undefined;
    }
  }

  /**
   * While it waited here for its turn or its next try, our lock was lost, its time ended, or a second copy that had come was accepted:
   * no handler is called.
   */
  #isOver(delivery: LiveDelivery): boolean {
    if (delivery.isGone) return true;
    const { event, lease } = delivery;
    if (isExpired(event, this.runtime)) this.#expired(delivery);
    else if (lease !== undefined && this.receiver.wasAccepted(event)) {
      this.receiver.context.dropped.duplicates++;
      this.#settle(delivery, ACCEPT);
    } else return false;
    return true;
  }

  #expired(delivery: LiveDelivery): void {
    this.receiver.reopen(delivery.event, this);
    this.receiver.expired(delivery.event);
    this.#settle(delivery, ACCEPT);
  }

  /** Once for each delivery. What goes back is known when it comes again. */
  #settle(delivery: LiveDelivery, settlement: Settlement): void {
    const { lease } = delivery;
    if (lease === undefined || delivery.settled) return;
    delivery.settled = true;
    if (settlement.kind !== 'release') return this.receiver.settler.settle(lease, settlement);
    this.#given?.remember(delivery);
    this.receiver.settler.settle(lease, { ...settlement, attempts: delivery.attempts });
  }

  #run(delivery: LiveDelivery): void {
    this.#running++;
    delivery.isBegun = true;
    if (this.settings.concurrency > 1) this.#setBusy(delivery);
    this.#calling++;
    let later: Promise<unknown> | undefined;
    try {
      later = promiseOf(this.#handler(delivery.event, delivery));
    } catch (thrown) {
      this.#calling--;
      this.#failed(delivery, thrown);
      return;
    }
    this.#calling--;
    if (later !== undefined) this.#await(delivery, later);
    else this.#finished(delivery);
  }

  #await(delivery: LiveDelivery, later: Promise<unknown>): void {
    delivery.startedAtMs = this.runtime.nowMs();
    pinExpiry(delivery.event, this.runtime);
    this.#hold(delivery);
    this.#watching.handlerStarted();
    this.#mark ??= new HandlerMark();
    void this.#mark.awaitHandler(later, (failed, thrown) => {
      if (failed) this.#failed(delivery, thrown);
      else this.#finished(delivery);
    });
  }

  #finished(delivery: LiveDelivery): void {
    delivery.startedAtMs = 0;
    const outcome = delivery.outcome;
    if (delivery.isGone) {
      // It comes again: should that be here, it need not be handled.
      if (delivery.wasHandled) this.receiver.accepted(delivery.event);
      this.#free(delivery);
    } else if (outcome === undefined || outcome.kind === 'accept') {
      if ((delivery.lease ?? this.settings.group) !== undefined) this.receiver.accepted(delivery.event);
      this.#settle(delivery, ACCEPT);
      this.#free(delivery);
    } else if (outcome.kind === 'reject') {
      this.#deadLetter(delivery, outcome.reason);
    } else {
      const { delayMs } = outcome;
      this.#rest(
        delivery,
        delayMs ?? backOffMs(this.runtime, this.settings.retry, delivery.attempt),
        delayMs !== undefined,
      );
    }
  }

  #failed(delivery: LiveDelivery, thrown: unknown): void {
    delivery.startedAtMs = 0;
    if (delivery.outcome !== undefined) return this.#finished(delivery);
    if (delivery.isGone) return this.#free(delivery);
    const { retry, group } = this.settings;
    // The handler asked something of the broadcaster that is closing under it: no fault of the event.
    if (codeOf(thrown) === 'closed' && this.receiver.context.isClosing) return this.#giveBack(delivery, thrown);
    if (this.#isFinal(delivery, thrown)) return this.#deadLetter(delivery, describeError(thrown));
    const delayMs = retryAfterMsOf(thrown) + backOffMs(this.runtime, retry, delivery.attempt);
    // In a group another member may do better, unless the order of a key would suffer.
    if (group !== undefined && this.#goesBack(delivery) && delivery.event.partitionkey === undefined) {
      return this.#rest(delivery, delayMs);
    }
    if (this.#isEnding) return this.#giveBack(delivery, thrown);
    pinExpiry(delivery.event, this.runtime);
    const timer = this.runtime.after(delayMs, () => {
      this.#retrying?.delete(delivery);
      delivery.again();
      if (this.#isOver(delivery)) return this.#free(delivery);
      this.#running--;
      this.#run(delivery);
    });
    this.#hold(delivery);
    (this.#retrying ??= new Map()).set(delivery, timer);
  }

  /** Is there no next try? An event that is over before it is set aside at once, and holds up nothing meanwhile. */
  #isFinal(delivery: LiveDelivery, thrown: unknown): boolean {
    const { retry } = this.settings;
    const pauseMs = retryAfterMsOf(thrown);
    const isLate = pauseMs > 0 && remainingMs(delivery.event, this.runtime) <= pauseMs;
    return !isRetryable(thrown) || isLate || delivery.attempt >= retry.maxAttempts;
  }

  /** Does the service get back what is to be tried again? Not what is for this instance alone. */
  #goesBack({ lease }: LiveDelivery): boolean {
    return lease !== undefined && (lease as HeldLease).isOurs !== true;
  }

  /** Gives the slot free; the delivery comes again later, from here or from the service. */
  #rest(delivery: LiveDelivery, delayMs: number, isAsked = false): void {
    if (this.#isEnding) return this.#giveBack(delivery, 'released while closing');
    const byService = this.#goesBack(delivery) ? this.serviceDelayMs(delayMs, isAsked) : undefined;
    if (byService !== undefined && byService >= delayMs) {
      this.#settle(delivery, { kind: 'release', delayMs: byService });
      return this.#free(delivery);
    }
    pinExpiry(delivery.event, this.runtime);
    const queue = (this.#queue ??= new DeliveryQueue());
    // What the service cannot wait for is waited for here.
    const timer = this.runtime.after(delayMs - (byService ?? 0), () => {
      this.#resting?.delete(delivery);
      this.#active?.delete(delivery);
      // Its second copy may have come meanwhile: then it stays with us.
      if (this.#goesBack(delivery)) this.#settle(delivery, { kind: 'release', delayMs: byService ?? 0 });
      else {
        delivery.again();
        queue.push(delivery);
        if (this.#takesNothing) this.#dropQueue();
      }
      this.#pump();
    });
    const isHeld = (delivery.lease ?? this.settings.group) !== undefined;
    if (isHeld) this.#hold(delivery);
    (this.#resting ??= new Map()).set(delivery, timer);
    this.#free(delivery, isHeld);
  }

  /** While closing nothing is tried again here: the service gets it back, or else it is set aside. */
  #giveBack(delivery: LiveDelivery, thrown: unknown): void {
    if (delivery.lease !== undefined) {
      this.#dropped(this.#release(delivery));
      this.#free(delivery);
    } else {
      this.#deadLetter(delivery, describeError(thrown));
    }
  }

  #deadLetter(delivery: LiveDelivery, reason: string, failures = 0): void {
    this.#hold(delivery);
    // Before its settlement: from then on it may come again.
    this.receiver.reopen(delivery.event, this, true);
    const { context, settler } = this.receiver;
    settler.track(
      deadLetterTo(context, this.settings, delivery, reason, (kept) => {
        // Its lock may have ended meanwhile.
        if (!this.#isLockOver(kept)) this.#settle(kept, ACCEPT);
      }).then(
        () => this.#free(delivery),
        (error: unknown) => this.#notSetAside(delivery, reason, PolycastError.from(error), failures + 1),
      ),
    );
  }

  /** Nothing took it. What the service holds for us stays ours, without being handled again, until something does. */
  #notSetAside(delivery: LiveDelivery, reason: string, error: PolycastError, failures: number): void {
    this.report({ kind: 'failed', what: 'settle', error });
    const isLost = error.code === 'lock-lost' || this.#isLockOver(delivery);
    if (this.#isEnding && !isLost) this.#settle(delivery, RELEASE);
    if (this.#isEnding || delivery.lease === undefined || delivery.abandoned || isLost) return this.#lost(delivery);
    const delayMs = Math.max(MIN_SET_ASIDE_DELAY_MS, backOffMs(this.runtime, this.settings.retry, failures));
    const timer = this.runtime.after(delayMs + retryAfterMsOf(error), () => {
      this.#retrying?.delete(delivery);
      if (this.#isLockOver(delivery)) this.#lost(delivery);
      else this.#deadLetter(delivery, reason, failures);
    });
    (this.#retrying ??= new Map()).set(delivery, timer);
  }

  /** It was not set aside. */
  #lost(delivery: LiveDelivery): void {
    this.receiver.mayComeAgain(delivery.event);
    this.#free(delivery);
  }

  #isLockOver({ lockEndsMs }: LiveDelivery): boolean {
    return lockEndsMs > 0 && lockEndsMs <= this.runtime.nowMs();
  }

  /** It stays with us beyond this turn: its lock is renewed, and closing knows of it. */
  #hold(delivery: LiveDelivery): void {
    (this.#active ??= new Set()).add(delivery);
  }

  #free(delivery: LiveDelivery, staysActive = false): void {
    if (!staysActive) this.#active?.delete(delivery);
    // What never ran (it came too often, it goes back while closing) does not end what another is doing.
    const key = delivery.event.partitionkey;
    if (this.#busyKeys?.get(key) === delivery) this.#busyKeys.delete(key);
    if (this.#lingering?.delete(delivery) && this.#lingering.size === 0) this.#lingering = undefined;
    this.#running--;
    if (
      this.#queue !== undefined ||
      this.#idle !== undefined ||
      this.#othersIdle !== undefined ||
      this.#full ||
      this.receiver.pulls
    ) {
      this.#pump();
    }
  }

  // ── partition keys and lost locks, when several handlers run at once ──

  readonly #isBusy = (delivery: LiveDelivery): boolean => {
    const key = delivery.event.partitionkey;
    return (key !== undefined && this.#busyKeys?.has(key) === true) || this.#isLingering(delivery);
  };

  /** Is a handler still at its event? */
  #isLingering({ event }: LiveDelivery): boolean {
    for (const other of this.#lingering ?? []) {
      if (other.event.id === event.id && other.event.source === event.source) return true;
    }
    return false;
  }

  #setBusy(delivery: LiveDelivery): void {
    const key = delivery.event.partitionkey;
    if (key !== undefined) (this.#busyKeys ??= new Map()).set(key, delivery);
  }

  // ── watching ──

  /** Made when first needed: most of very many subscriptions never do. */
  get #watching(): StallDetector {
    this.#watch ??= new StallDetector(this);
    return this.#watch;
  }

  report(signal: Signal): void {
    this.receiver.context.report(signal, this.hear(signal));
  }

  /** For its own listener alone. @returns false if it has none */
  hear(signal: Signal): boolean {
    const { onSignal } = this.settings;
    if (onSignal !== undefined) notifyListener(onSignal, signal);
    return onSignal !== undefined;
  }

  #updateFull(): void {
    if (this.receiver.pulls) this.receiver.capacityChanged();
    const full = this.#queue !== undefined && this.room <= 0;
    if (full === this.#full) return;
    this.#full = full;
    this.receiver.fullChanged(full);
  }

  *held(): Iterable<LiveDelivery> {
    yield* this.#active ?? [];
    yield* this.#queue ?? [];
  }

  /** The service gives it to us again, or to another member: it is not given up. */
  abandon(delivery: LiveDelivery): void {
    delivery.abandon();
    if (delivery.startedAtMs > 0) (this.#lingering ??= new Set()).add(delivery);
    this.receiver.mayComeAgain(delivery.event);
    if (this.#queue?.remove(delivery) && !delivery.isBegun) this.#given?.missed(delivery.event);
    const resting = this.#resting?.get(delivery);
    if (resting !== undefined) {
      resting.cancel();
      this.#resting?.delete(delivery);
      this.#active?.delete(delivery);
    }
    // There is room again, and perhaps nothing left that a caller of `drain` waits for.
    this.#pump();
  }

  /** Something before these comes again: those that wait for their turn go back, to come behind it. */
  recall(leases: ReadonlySet<Lease>): void {
    const queue = this.#queue ?? [];
    for (const delivery of this.#leases?.deliveriesWith(leases, queue) ?? []) {
      this.#queue?.remove(delivery);
      this.#settle(delivery, RELEASE);
    }
    this.#pump();
  }

  // ── the user's side ──

  pause(): void {
    if (this.#state === 'open') this.#state = 'paused';
    this.#updateFull();
    this.receiver.paused();
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'open';
    this.#pump();
  }

  drain(): Promise<void> {
    if (this.isInside) return this.#asInsider();
    return this.pending === 0 ? Promise.resolve() : keepAlive(this.runtime, this.#drained());
  }

  #drained(): Promise<void> {
    if (this.pending === 0) return Promise.resolve();
    this.#idle ??= deferred();
    return this.#idle.promise;
  }

  /** Is the caller one of our own handlers? */
  get isInside(): boolean {
    return this.#calling > 0 || (this.#running > 0 && this.#mark?.isInside === true);
  }

  /** Resolves when no other handler runs than those that wait here themselves, and what else the caller waits for is over. */
  async #asInsider(also?: Promise<unknown>): Promise<void> {
    this.#insiders++;
    try {
      if (this.#running > this.#insiders) await (this.#othersIdle ??= deferred()).promise;
      await also;
    } finally {
      this.#insiders--;
    }
  }

  close(options: CloseOptions = {}): Promise<void> {
    optionsOf('close', options, CLOSE_OPTIONS);
    const isInside = this.isInside;
    const closed = this.closeWhole(options.drainMs, isInside);
    if (isInside) return this.#closedBut(closed);
    // A reader that closes in its loop asks for the next delivery only afterwards: it must not wait for itself either.
    return this.#stream?.isReading === true ? Promise.race([closed, this.#stopped.promise]) : closed;
  }

  get #stopped(): Deferred<void> {
    this.#stopping ??= deferred();
    return this.#stopping;
  }

  /** Resolves when nothing of it is left but the delivery whose handler waits here. */
  async #closedBut(closed: Promise<void>): Promise<void> {
    await this.#asInsider(Promise.race([closed, this.#stopped.promise]));
    // Its handler has returned meanwhile: nothing is left to wait around.
    if (this.#running === 0) await closed;
  }

  /** Resolves when nothing of it is left, its own caller's delivery included. */
  closeWhole(drainMs = DEFAULT_DRAIN_MS, isInside = this.isInside): Promise<void> {
    this.#closing ??= keepAlive(this.runtime, this.#close(+drainMs, isInside));
    return this.#closing;
  }

  async #close(drainMs: number, isInside: boolean): Promise<void> {
    if (isInside) {
      // What waits behind the handler that closes us can never come before it.
      this.#takesNothing = true;
      this.#dropQueue();
    }
    // First: a source that feeds nobody any more brings no control events either.
    const handing = this.receiver.isOwn ? this.receiver.handOver(1) : undefined;
    if (handing !== undefined) await handing;
    this.#state = 'closing';
    const catchingUp = isInside || drainMs <= 0 ? undefined : this.receiver.catchUp(drainMs);
    if (catchingUp !== undefined) await this.#catchUp(catchingUp);
    await this.receiver.stop(this);
    this.#stopped.resolve();
    this.#hurry();
    if (this.#stream?.isUnread) this.#dropQueue();
    this.#pump();
    if (this.pending > 0 && !(await settlesWithin(this.runtime, this.#drained(), drainMs))) this.#dropQueue();
    // What still runs is left to itself: its lease goes back, its signal is aborted. Without one its outcome counts still: nothing else brings the event again.
    for (const delivery of this.#active ?? []) {
      if (!delivery.abandoned) this.#settle(delivery, RELEASE);
      if ((delivery.lease as HeldLease | undefined)?.isOnce) delivery.lease = undefined;
      delivery.abandon();
    }
    this.#state = 'closed';
    this.#watch?.stop();
    this.#locks?.stop();
    this.#idle?.resolve();
    this.#othersIdle?.resolve();
    this.#stream?.end();
    this.receiver.context.subscriptions.delete(this);
    for (const listener of this.#onClosed.splice(0)) listener();
    await this.receiver.leave();
  }

  async #catchUp(caughtUp: Promise<unknown>): Promise<void> {
    this.#catchesUp = true;
    this.#pump();
    await caughtUp;
    this.#catchesUp = false;
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
    if (isExpired(delivery.event, this.runtime)) {
      this.#expired(delivery);
      return this.#free(delivery);
    }
    this.#running--;
    delivery.again();
    this.#run(delivery);
  }

  #dropQueue(): void {
    const unread = this.#stream?.takeUnread() ?? [];
    const waiting = this.#waitingRoom?.take(Number.POSITIVE_INFINITY) ?? [];
    for (const delivery of unread) (delivery as LiveDelivery).isBegun = false;
    const left = [...unread, ...(this.#queue?.takeAll() ?? []), ...waiting];
    let lost = 0;
    for (const delivery of left) {
      lost += this.#release(delivery);
    }
    this.#dropped(lost);
    // To the reader they never were; their slots are free.
    for (const delivery of unread) (delivery as LiveDelivery).abandon();
    this.#stream?.forget(unread);
  }

  /** @returns how many do not come again because of it: 0 or 1 */
  #release(delivery: LiveDelivery): number {
    if (delivery.isGone) return 0;
    this.#settle(delivery, RELEASE);
    return delivery.lease === undefined || (delivery.lease as HeldLease).isOnce ? 1 : 0;
  }

  #dropped(count: number): void {
    if (count === 0) return;
    this.receiver.context.dropped.overflow += count;
    this.report({ kind: 'gap', reason: 'overflow', count });
  }

  [Symbol.asyncIterator](): AsyncIterator<Delivery> {
    if (this.#stream === undefined) throw new TypeError('it has a handler: it cannot be iterated');
    return this.#stream.iterate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A handler may return anything that has a `then`, and that may do anything: what we await is a promise. @throws what reading it throws */
function promiseOf(returned: unknown): Promise<unknown> | undefined {
  if (returned === undefined || returned === null) return undefined;
  return typeof (returned as { then?: unknown }).then === 'function' ? Promise.resolve(returned) : undefined;
}

/** Shortest wait before a delivery that nothing took is set aside again, ms: each try may be billed. */
const MIN_SET_ASIDE_DELAY_MS = 100;
