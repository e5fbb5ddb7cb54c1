import type { ControlSource, Session } from '../connection/session.ts';
import { type Address, CONTROL } from '../contract/address.ts';
import { PolycastError } from '../contract/error.ts';
import { addressesOf } from '../contract/participant.ts';
import type { Signal } from '../contract/signal.ts';
import type { Lease, Sink, Source } from '../contract/transport.ts';
import { handOver, listenBeside } from '../control/control-lane.ts';
import type { RequestDesk } from '../control/request-desk.ts';
import type { SubscriptionSettings } from '../deliver/subscription-settings.ts';
import { type BroadcastEvent, expireAfter, isExpired, ownNumberOf } from '../envelope/event.ts';
import type { FilterIndex } from '../filter/index/filter-index.ts';
import { CHUNK_TYPE, RESERVED_TYPE_PREFIX } from '../publish/publisher.ts';
import { type Deferred, deferred } from '../timing/deferred.ts';
import { maxAttempts } from '../timing/retry.ts';
import { settlesWithin } from '../timing/timer.ts';
import { Arrivals, type Reopened } from './arrivals.ts';
import type { Assembler } from './chunking.ts';
import type { Gap } from './gap-detector.ts';
import { ACCEPT, Settler } from './settler.ts';

/** A subscription, as far as its inbox knows it. */
export interface Receiving {
  readonly settings: SubscriptionSettings;
  readonly state: 'open' | 'paused' | 'closing' | 'closed';
  /** How many more deliveries it takes before it is full. */
  readonly capacity: number;
  /** Of all that joined its inbox. */
  joined: number;
  /** @returns false if the event had to be dropped */
  take(event: BroadcastEvent, lease: Lease | undefined): boolean;
  /** The same, for events that are known to fit its filter. */
  takeFitting(event: BroadcastEvent, lease: Lease | undefined): boolean;
  takeAgain(event: BroadcastEvent, lease: Lease): boolean;
  recall(leases: ReadonlySet<Lease>): void;
  /** @returns was there a listener? */
  hear(signal: Signal): boolean;
}

/**
 * The receiving end of one source: decides which events concern us, once, and hands them to its subscriptions.
 *
 * A shared inbox serves all plain subscriptions of a broadcaster; a subscription with a group, a name, a start position
 * or leases has an inbox of its own. A control inbox serves none: where no subscription hears roll calls and replies, it
 * listens to the addresses they come to, and to no other.
 */
export class Inbox implements Sink, ControlSource {
  readonly session: Session;
  readonly settler: Settler;
  readonly #settings: SubscriptionSettings;
  readonly #kind: 'own' | 'shared' | 'control';
  /** Those without a filter; and the one that has this inbox to itself. */
  readonly #subscriptions: Receiving[] = [];
  /** Those of a shared inbox that have one. */
  #filtered: FilterIndex<Receiving> | undefined;
  /** Subscriptions that left while an event was being handed out. */
  readonly #leaving = new Set<Receiving>();
  #fullOnes = 0;
  #source: Source | undefined;
  #opening: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #ready: Deferred<void> | undefined;
  #stopped = false;
  readonly #arrivals: Arrivals;
  #assembler: Assembler | undefined;
  #duplicateInstanceTold = false;
  #isLeaseTold = false;
  /** Of an inbox of its own: it hears of its source until that is closed. */
  #owner: Receiving | undefined;
  /** Publishers whose events came too late, which was signalled. */
  #late: Set<string> | undefined;
  #dispatching = 0;

  constructor(session: Session, settings: SubscriptionSettings, kind: 'own' | 'shared' | 'control') {
    this.session = session;
    this.settler = new Settler((signal) => this.signal(signal));
    this.#settings = settings;
    this.#kind = kind;
    // Members of a group are owed only a share of the events, and so is who lets the service filter.
    const isOwedAll = settings.group === undefined && !this.#pushesFilter;
    const gaps = isOwedAll && session.gaps ? new session.gaps.GapDetector((gap) => this.#tellGap(gap)) : undefined;
    this.#arrivals = new Arrivals(session.runtime, gaps);
  }

  get desk(): RequestDesk {
    return this.session.desk;
  }

  /** True once it will deliver nothing more. */
  get isStopped(): boolean {
    return this.#stopped;
  }

  /** Does the service evaluate the filter? Whatever it lets through, core evaluates again. */
  get #pushesFilter(): boolean {
    return this.#settings.filter?.native !== undefined;
  }

  get isOwn(): boolean {
    return this.#kind === 'own';
  }

  /** Does everything that comes through it wait until its subscription goes on? */
  get isPaused(): boolean {
    return this.isOwn && this.#subscriptions[0]?.state === 'paused';
  }

  /** Does every roll call and reply come through it? */
  get hearsControl(): boolean {
    return this.#settings.group === undefined && !this.#pushesFilter && !this.#stopped;
  }

  /** Does the service have the last word on when to deliver? Then a full buffer drops. */
  get dropsWhenFull(): boolean {
    return this.session.manifest.capabilities.backPressure.level === 'none';
  }

  /**
   * The delay that the service is asked for, where it knows of delays. Where it knows certain ones only: one of them.
   * @param isAsked by a handler: never less, but for what is beyond the longest. Otherwise never more
   */
  serviceDelayMs(delayMs: number, isAsked: boolean): number | undefined {
    const { level, steps } = this.session.manifest.capabilities.delayedRelease;
    if (level !== 'native') return undefined;
    const all = steps?.delayMs ?? [delayMs];
    return (isAsked && all.find((step) => step >= delayMs)) || all.findLast((step) => step <= delayMs);
  }

  /** Does the source ask how much we take? Only then need it be told that more fits. */
  get pulls(): boolean {
    return this.#ready !== undefined;
  }

  // ── life ──

  /** Listens. The same promise for all who ask. */
  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<void> {
    const { session } = this;
    const settings = this.#settings;
    this.#source = await session.link.subscribe(
      {
        addresses: this.#addresses(),
        group: settings.group,
        durable: settings.durable,
        from: settings.from,
        filter: settings.filter?.native,
        lockMs: settings.lockMs,
        waitMs: settings.waitMs,
        maxAttempts: maxAttempts(settings.retry),
        maxUnsettled: settings.bufferSize + settings.concurrency,
      },
      this,
    );
  }

  #addresses(): readonly Address[] {
    const own = addressesOf(this.session.self);
    if (this.#kind === 'control') return [CONTROL, own[2] as Address];
    return this.hearsControl ? [...own, CONTROL] : own;
  }

  /** Whoever joins now must not get what was published before. */
  async caughtUp(): Promise<void> {
    await this.#source?.caughtUp?.();
  }

  join(subscription: Receiving): void {
    subscription.joined = this.#arrivals.join();
    if (this.isOwn) this.#owner = subscription;
    const { filter } = subscription.settings;
    if (this.#kind !== 'shared' || filter === undefined) this.#subscriptions.push(subscription);
    else {
      this.#filtered ??= filter.newIndex();
      this.#filtered.add(subscription, filter.compiled);
    }
  }

  /** Resolves when what the service had taken when it was called is handed on; undefined where nothing is ever on its way. Never rejects. */
  catchUp(limitMs: number): Promise<unknown> | undefined {
    if (this.#settings.durable !== undefined || this.#stopped) return undefined;
    const caughtUp = this.#source?.caughtUp?.();
    return caughtUp && settlesWithin(this.session.runtime, caughtUp, limitMs);
  }

  /** The subscription gets nothing more. */
  async stop(subscription: Receiving): Promise<void> {
    if (this.#filtered?.remove(subscription)) return;
    // From the end: closing a broadcaster closes its newest subscription first.
    const at = this.#subscriptions.lastIndexOf(subscription);
    if (at < 0) return;
    if (this.#dispatching > 0) {
      // It was there when the event came that is being handed out: it gets that one, and leaves afterwards.
      this.#leaving.add(subscription);
    } else this.#subscriptions.splice(at, 1);
    if (this.#kind === 'own') await this.#stop();
  }

  /** Roll calls that came through it come through another source from now on, if it has one to itself. */
  paused(): void {
    const { session } = this;
    if (this.#kind !== 'own' || session.control !== this || session.manifest.capabilities.members.level !== 'emulated')
      return;
    listenBeside(session).catch((thrown: unknown) => this.failed(PolycastError.from(thrown)));
  }

  /** After `stop`: the subscription has settled everything. */
  async leave(): Promise<void> {
    if (
      this.#kind !== 'own' &&
      (this.#subscriptions.length > this.#leaving.size ||
        this.#hasFiltered ||
        this.session.desk.isWaiting ||
        this.session.members?.isAsking)
    ) {
      return;
    }
    const handing = handOver(this, 0);
    // Somebody may join meanwhile.
    if (handing !== undefined) return handing.then(() => this.leave());
    await this.close();
  }

  get #hasFiltered(): boolean {
    return this.#filtered !== undefined && this.#filtered.size > 0;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#stop();
    this.#assembler?.close();
    // Bounded: a service that answers nothing must not keep us open.
    await settlesWithin(this.session.runtime, this.settler.settled(), SETTLED_WITHIN_MS);
    try {
      await this.#source?.close();
    } catch (thrown) {
      this.failed(PolycastError.from(thrown));
    }
  }

  #stop(): Promise<void> {
    this.#stopping ??= (async () => {
      this.#stopped = true;
      this.#ready?.resolve();
      try {
        await this.#opening;
        await this.#source?.stop();
      } catch {
        // What could not be opened need not be stopped.
      }
    })();
    return this.#stopping;
  }

  // ── the sink ──

  get capacity(): number {
    if (this.#stopped) return 0;
    if (this.#kind !== 'own') return this.#fullOnes > 0 ? 0 : this.#settings.bufferSize;
    return this.#subscriptions[0]?.capacity ?? 0;
  }

  ready(): Promise<void> {
    if (this.#stopped || this.capacity > 0) return Promise.resolve();
    this.#ready ??= deferred();
    return this.#ready.promise;
  }

  /** A subscription may take more than before. */
  capacityChanged(): void {
    if (this.#ready !== undefined && (this.#stopped || this.capacity > 0)) {
      this.#ready.resolve();
      this.#ready = undefined;
    }
  }

  fullChanged(full: boolean): void {
    this.#fullOnes += full ? 1 : -1;
    this.capacityChanged();
  }

  recall(leases: ReadonlySet<Lease>): void {
    if (this.#kind === 'own') this.#subscriptions[0]?.recall(leases);
  }

  corrupt(error: PolycastError): void {
    this.session.dropped.corrupt++;
    this.signal({ kind: 'corrupt', error });
  }

  failed(error: PolycastError): void {
    this.signal({ kind: 'failed', what: 'source', error });
  }

  /** @param isTimed its time to live runs already: it was put together here */
  deliver(event: BroadcastEvent, lease?: Lease, isFresh = false, isTimed = false): boolean {
    const isOwed = this.#isOwed(event);
    if (!this.#concernsUs(event)) {
      this.#arrivals.pass(event, isOwed);
      return this.#done(lease);
    }
    const isReserved = event.type.charCodeAt(0) === LETTER_P && event.type.startsWith(RESERVED_TYPE_PREFIX);
    let reopened: Reopened | undefined;
    if (lease !== undefined && lease.attempt > 1) {
      const before = this.#arrivals.again(event, isOwed);
      if (before === 'accepted') return this.#repeated(lease);
      if (before === 'seen' && this.#isHeld(event, lease)) return true;
    } else if (!this.#arrivals.isNew(event, isOwed)) {
      if (lease !== undefined && this.#isHeld(event, lease)) return true;
      reopened = this.#arrivals.takeReopened(event);
      // What was given back comes again, whatever the service counts.
      if (!reopened && (!lease || isReserved || this.#arrivals.isSettled(event))) return this.#repeated(lease);
    }
    if (!isFresh && (isTimed ? isExpired(event, this.session.runtime) : this.#hasExpired(event, lease))) {
      this.#arrivals.reopen(event);
      this.expired(event);
      return this.#done(lease);
    }
    if (isReserved) return this.#deliverOwn(event, lease);
    return reopened?.subscriptions === undefined
      ? this.#hand(event, lease)
      : this.#handAgain(event, lease, reopened.subscriptions);
  }

  /** The subscription that has this source to itself is at the event already: it takes the lease, too. */
  #isHeld(event: BroadcastEvent, lease: Lease): boolean {
    if (this.#kind !== 'own' || !this.#subscriptions[0]?.takeAgain(event, lease)) return false;
    this.session.dropped.duplicates++;
    return true;
  }

  #repeated(lease: Lease | undefined): boolean {
    this.session.dropped.duplicates++;
    return this.#done(lease);
  }

  /** Measured from when the service took the event: no clock of ours or of the publisher's matters, as far as the service says. */
  #hasExpired(event: BroadcastEvent, lease: Lease | undefined): boolean {
    if (event.expiresAtMs === Number.POSITIVE_INFINITY) return false;
    const { runtime, manifest } = this.session;
    if (ownNumberOf(event) === 0 || lease?.ageMs !== undefined) {
      // Where nothing is kept, what comes was taken just now.
      const ageMs = lease === undefined && manifest.guarantee === 'at-most-once' ? 0 : lease?.ageMs;
      const { ttlMs } = event;
      if (ageMs !== undefined && ttlMs !== undefined) expireAfter(event, ttlMs - ageMs, runtime);
    }
    return isExpired(event, runtime);
  }

  /** To some of a shared source's subscriptions it is news. */
  #handAgain(event: BroadcastEvent, lease: Lease | undefined, to: ReadonlySet<object>): boolean {
    if (this.#kind === 'own') return this.#hand(event, lease);
    let taken = true;
    for (const subscription of to) if (!(subscription as Receiving).takeFitting(event, undefined)) taken = false;
    this.settler.settle(lease, ACCEPT);
    return taken;
  }

  /** A handler has accepted the event: should its settlement be lost, it is not handled again. */
  accepted(event: BroadcastEvent): void {
    this.#arrivals.accept(event);
  }

  /** Has a handler accepted it, as another message? */
  wasAccepted(event: BroadcastEvent): boolean {
    return this.#arrivals.wasAccepted(event);
  }

  /** A subscription did not handle the event for good: published again, it is news. */
  reopen(event: BroadcastEvent, subscription: object): void {
    this.#arrivals.reopen(event, this.#kind === 'own' ? undefined : subscription);
  }

  #hand(event: BroadcastEvent, lease: Lease | undefined): boolean {
    const subscriptions = this.#subscriptions;
    const count = subscriptions.length;
    if (lease !== undefined) {
      // Only control events matter where none of the subscriptions is ours: those of a service that settles have inboxes of their own.
      if (this.#kind === 'control') return this.#done(lease);
      if (this.#kind === 'shared') return this.#handUnleased(event, lease);
      const subscription = subscriptions[0];
      if (subscription !== undefined) return subscription.take(event, lease);
      this.settler.giveBack(lease);
      return false;
    }
    if (this.#kind === 'own') return subscriptions[0]?.take(event, undefined) ?? true;
    let taken = this.#filtered === undefined || this.#handFiltered(event, this.#filtered);
    this.#dispatching++;
    for (let at = 0; at < count; at++) {
      if (!(subscriptions[at] as Receiving).takeFitting(event, undefined)) taken = false;
    }
    this.#dispatching--;
    if (this.#leaving.size > 0 && this.#dispatching === 0) this.#sweep();
    return taken;
  }

  /** A fault of the adapter: its manifest does not claim settlement. The event is handled, and nothing of it comes again. */
  #handUnleased(event: BroadcastEvent, lease: Lease): boolean {
    if (!this.#isLeaseTold) this.failed(new PolycastError('unsupported', 'a lease came, and settlement is not native'));
    this.#isLeaseTold = true;
    this.#done(lease);
    return this.#hand(event, undefined);
  }

  #handFiltered(event: BroadcastEvent, filtered: FilterIndex<Receiving>): boolean {
    let taken = true;
    filtered.forEachMatch(event, (subscription) => {
      if (!subscription.takeFitting(event, undefined)) taken = false;
    });
    return taken;
  }

  /** Requests, replies, heartbeats, pieces: told by their type, never handed to subscriptions as they are. */
  #deliverOwn(event: BroadcastEvent, lease: Lease | undefined): boolean {
    const { chunking } = this.session;
    if (event.type === CHUNK_TYPE && chunking !== undefined) {
      this.#assembler ??= new chunking.Assembler({
        complete: (whole, joined) => void this.deliver(whole, joined, false, true),
        lost: (source, count) => {
          const gap = { kind: 'gap', reason: 'chunk', source } as const;
          this.signal(count === undefined ? gap : { ...gap, count });
        },
        wasAccepted: (whole) => this.#arrivals.wasAccepted(whole),
        corrupt: (error) => this.corrupt(error),
        settler: this.settler,
        runtime: this.session.runtime,
      });
      this.#assembler.add(event, lease);
      return true;
    }
    try {
      if (!this.session.desk.receive(event)) this.session.members?.receive(event);
    } catch (thrown) {
      // Its data is read here for the first time.
      this.corrupt(PolycastError.from(thrown, 'corrupt-event'));
    }
    return this.#done(lease);
  }

  #done(lease: Lease | undefined): boolean {
    this.settler.settle(lease, ACCEPT);
    return true;
  }

  /** Of our own events a service that knows of carbon copies brings no others: their numbers have holes. */
  #isOwed(event: BroadcastEvent): boolean {
    const { publisher, manifest } = this.session;
    return manifest.capabilities.carbonCopy.level !== 'native' || event.epoch !== publisher.epoch;
  }

  /** Our own events come back only as carbon copies. */
  #concernsUs(event: BroadcastEvent): boolean {
    const { session } = this;
    if (event.source !== session.source && event.epoch !== session.publisher.epoch) return true;
    const epoch = event.epoch;
    // Somebody who started after us speaks with our name. (Before us, it was our own earlier life.)
    if (epoch !== undefined && epoch > session.publisher.epoch && !this.#duplicateInstanceTold) {
      this.#duplicateInstanceTold = true;
      this.signal({ kind: 'duplicate-instance', instance: session.self.instance });
    }
    return event.carboncopy === true;
  }

  #sweep(): void {
    let kept = 0;
    for (const subscription of this.#subscriptions) {
      if (!this.#leaving.has(subscription)) this.#subscriptions[kept++] = subscription;
    }
    this.#subscriptions.length = kept;
    this.#leaving.clear();
  }

  /** To the broadcaster's listeners and to those of each subscription of this source. */
  signal(signal: Signal): void {
    this.session.tell(
      signal,
      this.#hear(() => signal),
    );
  }

  /** @returns false if none of them listens */
  #hear(toEach: (subscription: Receiving) => Signal): boolean {
    const all = this.#owner ? [this.#owner] : [...this.#subscriptions, ...(this.#filtered?.ids() ?? [])];
    let isHeard = false;
    for (const one of all) isHeard = one.hear(toEach(one)) || isHeard;
    return isHeard;
  }

  /** Counts an event whose time was over, and signals it once per publisher. */
  expired(event: BroadcastEvent): void {
    this.session.expired(event, (signal) => {
      const late = (this.#late ??= new Set());
      if (late.has(event.source) || late.size >= MAX_LATE_SOURCES) return false;
      late.add(event.source);
      return this.#hear(() => signal);
    });
  }

  /** With a count only where each missing event is known to have been for the listener. */
  #tellGap({ source, epoch, count, joins }: Gap): void {
    const { publisher, source: own } = this.session;
    const isOurs = epoch === publisher.epoch;
    if (isOurs && !publisher.copiesItself) return;
    const some: Signal = { kind: 'gap', reason: 'sequence', source };
    const all: Signal = isOurs || source === own ? some : { ...some, count };
    const isHeard = this.#hear((one) => (one.joined > joins || one.settings.filter ? some : all));
    this.session.tell(all, isHeard);
  }
}

const LETTER_P = 112;
/** Publishers that `expired` is signalled of. */
export const MAX_LATE_SOURCES = 10_000;
/** Longest wait for settlements under way before the source closes, ms. */
const SETTLED_WITHIN_MS = 3_000;
