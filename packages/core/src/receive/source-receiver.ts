import type { BroadcasterContext, ControlSource } from '../connection/broadcaster-context.ts';
import { type Address, CONTROL, EVERYONE } from '../contract/address.ts';
import { PolycastError } from '../contract/error.ts';
import { addressesOf } from '../contract/participant.ts';
import type { Signal } from '../contract/signal.ts';
import type { Lease, Sink, Source } from '../contract/transport.ts';
import type { Requests } from '../control/requests.ts';
import type { SubscriptionSettings } from '../deliver/subscription-settings.ts';
import { type BroadcastEvent, expireAfter, isExpired, ownNumberOf, placeAt } from '../envelope/event.ts';
import type { FilterIndex } from '../filter/index/filter-index.ts';
import { CHUNK_TYPE, RESERVED_TYPE_PREFIX } from '../publish/publisher.ts';
import { type Deferred, deferred } from '../timing/deferred.ts';
import { maxDeliveries } from '../timing/retry.ts';
import { settlesWithin } from '../timing/timer.ts';
import type { Assembler } from './chunking.ts';
import { type Reopened, SequenceTracker } from './sequence-tracker.ts';
import { ACCEPT, Settler } from './settler.ts';

/** A subscription, as far as its receiver knows it. */
export interface Receiving {
  readonly settings: SubscriptionSettings;
  readonly state: 'open' | 'paused' | 'closing' | 'closed';
  /** How many more deliveries it takes before it is full. */
  readonly capacity: number;
  /** How many more its buffer takes, be it paused or not. */
  readonly room: number;
  /** Of all that joined its receiver. */
  joined: number;
  /** @returns false if the event had to be dropped */
  take(event: BroadcastEvent, lease: Lease | undefined): boolean;
  /** The same, for events that are known to fit its filter. */
  takeFitting(event: BroadcastEvent, lease: Lease | undefined): boolean;
  /** A copy of what it is at: its lease joins the one that it has. @returns false if it is not at it */
  takeAgain(event: BroadcastEvent, lease: Lease | undefined, pair?: Pair): boolean;
  recall(leases: ReadonlySet<Lease>): void;
  /** @returns was there a listener? */
  hear(signal: Signal): boolean;
}

/** Makes one lease of the one that is held, if any, and a second one. */
export type Pair = (held: Lease | undefined, lockEndsMs: number) => Lease;

/**
 * The receiving end of one source: decides which events concern us, once, and hands them to its subscriptions.
 *
 * A shared receiver serves all plain subscriptions of a broadcaster; a subscription with a group, a name, a start position
 * or leases has a receiver of its own. The direct receiver listens to what is for the instance alone, and to roll calls and
 * replies where no subscription hears them: members of groups have it beside their own.
 */
export class SourceReceiver implements Sink, ControlSource {
  readonly context: BroadcasterContext;
  readonly settler: Settler;
  readonly #settings: SubscriptionSettings;
  readonly #kind: 'own' | 'shared' | 'direct';
  /** Those without a filter; and the one that has this receiver to itself. */
  readonly #subscriptions: Receiving[] = [];
  /** Those of a shared receiver that have one. */
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
  /** The addresses that the source was asked for. */
  #asked: readonly string[] = [];
  /** The `to` of the event before, and whether that was for us: mostly the next one has the same. */
  #lastTo: unknown = '';
  #wasForUs = false;
  readonly #sequences: SequenceTracker;
  #assembler: Assembler | undefined;
  #duplicateInstanceTold = false;
  #isLeaseTold = false;
  /** Of a receiver of its own: it hears of its source until that is closed. */
  #owner: Receiving | undefined;
  /** Publishers whose events came too late, which was signalled. */
  #late: Set<string> | undefined;
  #dispatching = 0;
  /** Set where members of groups share what is for the instance. @returns false if it is for none of them */
  share: ((event: BroadcastEvent, lease: Lease, members: readonly Receiving[]) => boolean) | undefined;
  /** Members of groups that may still hold leases of a direct one: it is open until the last has left. */
  holders = 0;

  constructor(context: BroadcasterContext, settings: SubscriptionSettings, kind: 'own' | 'shared' | 'direct') {
    this.context = context;
    this.settler = new Settler((signal) => this.signal(signal));
    this.#settings = settings;
    this.#kind = kind;
    // Members of a group are owed only a share of the events, and so is who lets the service filter.
    const isOwedAll = settings.group === undefined && !this.#pushesFilter;
    const gaps = isOwedAll ? context.gaps?.gapDetectorFor(context, (toEach) => this.#hear(toEach)) : undefined;
    this.#sequences = new SequenceTracker(context.runtime, gaps);
  }

  get requests(): Requests {
    return this.context.requests;
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
    return this.context.manifest.capabilities.backPressure.level === 'none';
  }

  /** Does the source ask how much we take? Only then need it be told that more fits. */
  get pulls(): boolean {
    return this.#ready !== undefined;
  }

  // ── life ──

  /** Listens. The same promise for all who ask; after a failure, another try. */
  open(): Promise<void> {
    this.#opening ??= this.#open().catch((thrown) => {
      this.#opening = undefined;
      throw thrown;
    });
    return this.#opening;
  }

  async #open(): Promise<void> {
    const { context } = this;
    const settings = this.#settings;
    const addresses = this.#addresses();
    this.#asked = addresses;
    this.#source = await context.link.subscribe(
      {
        addresses,
        group: settings.group === undefined ? undefined : `${context.self.role}/${settings.group}`,
        durable: settings.durable,
        startFrom: settings.startFrom,
        filter: settings.filter?.native,
        lockMs: settings.lockMs,
        pollTimeoutMs: settings.pollTimeoutMs,
        maxDeliveries: maxDeliveries(settings.retry),
        maxUnsettled: settings.bufferSize + settings.concurrency,
      },
      this,
    );
  }

  #addresses(): readonly Address[] {
    const own = addressesOf(this.context.self);
    if (this.#kind === 'direct') return [CONTROL, own[2] as Address];
    if (this.#settings.group !== undefined) return own.slice(0, 2);
    return this.hearsControl ? [...own, CONTROL] : own;
  }

  /** Whoever joins now must not get what was published before. */
  async caughtUp(): Promise<void> {
    await this.#source?.caughtUp?.();
  }

  join(subscription: Receiving): void {
    subscription.joined = this.#sequences.join();
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
    return caughtUp && settlesWithin(this.context.runtime, caughtUp, limitMs);
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
    const { context } = this;
    if (this.#kind !== 'own' || context.control !== this || context.manifest.capabilities.members.level !== 'emulated')
      return;
    context.lane?.listenBeside(context).catch((thrown: unknown) => this.failed(PolycastError.from(thrown)));
  }

  /**
   * Before it stops: another source brings roll calls and replies, if anybody still needs them once `going` more subscriptions are gone.
   * @returns nothing where there is nothing to wait for. Bounded: a service that answers nothing must not keep us open
   */
  handOver(going: number): Promise<unknown> | undefined {
    const { lane, runtime } = this.context;
    const handing = lane?.handOver(this, going);
    return handing && settlesWithin(runtime, handing, HANDED_OVER_WITHIN_MS);
  }

  /** After `stop`: the subscription has settled everything. */
  async leave(): Promise<void> {
    if (
      this.#kind !== 'own' &&
      (this.holders > 0 ||
        this.#subscriptions.length > this.#leaving.size ||
        this.#hasFiltered ||
        this.context.requests.isWaiting ||
        this.context.members?.isAsking ||
        this.#isOnlyControl)
    ) {
      return;
    }
    const handing = this.handOver(0);
    // Somebody may join meanwhile.
    if (handing !== undefined) return handing.then(() => this.leave());
    await this.close();
  }

  /** Who is there without a subscription that hears roll calls hears them through the direct receiver. */
  get #isOnlyControl(): boolean {
    const { control, subscriptions, manifest } = this.context;
    const isNeeded = subscriptions.size > 0 && manifest.capabilities.members.level === 'emulated';
    return this.#kind === 'direct' && control === this && isNeeded;
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
    await settlesWithin(this.context.runtime, this.settler.settled(), SETTLED_WITHIN_MS);
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
    if (this.#kind !== 'own') return this.#fullOnes > 0 ? 0 : this.#leastRoom;
    return this.#subscriptions[0]?.capacity ?? 0;
  }

  get #leastRoom(): number {
    let least = this.#settings.bufferSize;
    // What is pushed to a shared one no room of a single subscription holds up.
    if (this.#kind === 'direct') for (const { room } of this.#subscriptions) least = Math.min(least, room);
    return least;
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
    if (this.#kind !== 'shared') for (const one of this.#subscriptions) one.recall(leases);
  }

  corrupt(error: PolycastError): void {
    this.context.dropped.corrupt++;
    this.signal({ kind: 'corrupt', error });
  }

  failed(error: PolycastError): void {
    this.signal({ kind: 'failed', what: 'source', error });
  }

  /** @param isTimed its time to live runs already: it was put together here */
  deliver(event: BroadcastEvent, lease?: Lease, isFresh = false, position?: string, isTimed = false): boolean {
    if (position !== undefined) placeAt(event, position);
    const isReserved = event.type.charCodeAt(0) === LETTER_P && event.type.startsWith(RESERVED_TYPE_PREFIX);
    if (!isReserved && !this.#isForUs(event)) return this.#done(lease);
    const isOwed = this.#isOwed(event);
    if (!this.#concernsUs(event)) {
      this.#sequences.pass(event, isOwed);
      return this.#done(lease);
    }
    let reopened: Reopened | undefined;
    if (lease !== undefined && lease.attempt > 1) {
      const before = this.#sequences.again(event, isOwed);
      if (before === 'accepted') return this.#repeated(lease);
      if (before === 'seen' && this.#isHeld(event, lease)) return true;
    } else if (!this.#sequences.isNew(event, isOwed)) {
      if (lease !== undefined && this.#isHeld(event, lease)) return true;
      reopened = this.#sequences.takeReopened(event);
      // What was given back comes again, whatever the service counts. Of members of groups each knows what it has settled.
      const isSettled = !lease || isReserved || (this.isOwn && this.#sequences.isSettled(event));
      if (!reopened && isSettled) return this.#repeated(lease);
    }
    if (!isFresh && (isTimed ? isExpired(event, this.context.runtime) : this.#hasExpired(event, lease))) {
      this.#sequences.reopen(event);
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
    this.context.dropped.duplicates++;
    return true;
  }

  #repeated(lease: Lease | undefined): boolean {
    this.context.dropped.duplicates++;
    return this.#done(lease);
  }

  /** Measured from when the service took the event: no clock of ours or of the publisher's matters, as far as the service says. */
  #hasExpired(event: BroadcastEvent, lease: Lease | undefined): boolean {
    if (event.expiresAtMs === Number.POSITIVE_INFINITY) return false;
    const { runtime, manifest } = this.context;
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
    if (this.#kind === 'own' || (this.#kind === 'direct' && lease !== undefined)) return this.#hand(event, lease);
    let taken = true;
    for (const subscription of to) if (!(subscription as Receiving).takeFitting(event, undefined)) taken = false;
    this.settler.settle(lease, ACCEPT);
    return taken;
  }

  /** A handler has accepted the event: should its settlement be lost, it is not handled again. */
  accepted(event: BroadcastEvent): void {
    this.#sequences.accept(event);
  }

  /** Has a handler accepted it, as another message? */
  wasAccepted(event: BroadcastEvent): boolean {
    return this.#sequences.wasAccepted(event);
  }

  /**
   * A subscription did not handle the event for good: published again, it is news.
   * @param _isGivenUp its handler had it as often as allowed, and it is set aside
   */
  reopen(event: BroadcastEvent, subscription: object, _isGivenUp?: boolean): void {
    this.#sequences.reopen(event, this.#kind === 'own' ? undefined : subscription);
  }

  /** Our hold on it is lost: it was not set aside yet, and may never be. Matters where an event comes by two ways. */
  mayComeAgain(_event: BroadcastEvent): void {}

  #hand(event: BroadcastEvent, lease: Lease | undefined): boolean {
    const subscriptions = this.#subscriptions;
    const count = subscriptions.length;
    if (lease !== undefined) {
      if (this.#kind === 'direct') return this.share?.(event, lease, [...subscriptions]) || this.#done(lease);
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
    if (!this.#isLeaseTold) this.failed(new PolycastError('unsupported', 'a lease came without native settlement'));
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
    const { chunking } = this.context;
    if (event.type === CHUNK_TYPE && chunking !== undefined) {
      this.#assembler ??= chunking.assemblerFor(this);
      this.#assembler.add(event, lease);
      return true;
    }
    try {
      if (!this.context.requests.receive(event)) this.context.members?.receive(event);
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

  /** Is it for an address that was asked for? A source may bring more than that. A dead letter keeps the addresses that it had. */
  #isForUs(event: BroadcastEvent): boolean {
    const { to } = event;
    if (to !== this.#lastTo) {
      this.#lastTo = to;
      // Other programs have other uses for the attribute.
      const addresses = /^(\*|role:|instance:)/.test(`${to}`) ? `${to}`.split(',') : [EVERYONE];
      this.#wasForUs = addresses.some((address) => this.#asked.includes(address));
    }
    return this.#wasForUs || event.deadletterreason !== undefined;
  }

  /** Of our own events a service that knows of carbon copies brings no others: their numbers have holes. */
  #isOwed(event: BroadcastEvent): boolean {
    const { publisher, manifest } = this.context;
    return manifest.capabilities.carbonCopy.level !== 'native' || event.epoch !== publisher.epoch;
  }

  /** Our own events come back only as carbon copies. */
  #concernsUs(event: BroadcastEvent): boolean {
    const { context } = this;
    const { epoch } = event;
    if (event.source !== context.source && epoch !== context.publisher.epoch) return true;
    // Somebody who started after us speaks with our name. (Before us, it was our own earlier life.)
    if (epoch !== undefined && epoch > context.publisher.epoch && !this.#duplicateInstanceTold) {
      this.#duplicateInstanceTold = true;
      this.signal({ kind: 'duplicate-instance', instance: context.self.instance });
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
    this.context.report(
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
    this.context.expired(event, (signal) => {
      const late = (this.#late ??= new Set());
      if (late.has(event.source) || late.size >= MAX_LATE_SOURCES) return false;
      late.add(event.source);
      return this.#hear(() => signal);
    });
  }
}

const LETTER_P = 112;
/** Publishers that `expired` is signalled of. */
export const MAX_LATE_SOURCES = 10_000;
/** Longest wait until another source brings roll calls and replies, ms. */
const HANDED_OVER_WITHIN_MS = 5_000;
/** Longest wait for settlements under way before the source closes, ms. */
const SETTLED_WITHIN_MS = 3_000;
