import type { Session } from '../connection/session.ts';
import type { Signal } from '../contract/signal.ts';
import type { Lease } from '../contract/transport.ts';
import { divideLease } from '../deliver/lease-shares.ts';
import { PairedLease } from '../deliver/paired-lease.ts';
import type { SubscriptionSettings } from '../deliver/subscription-settings.ts';
import type { BroadcastEvent } from '../envelope/event.ts';
import { Inbox, type Receiving } from './inbox.ts';
import { ACCEPT } from './settler.ts';

/**
 * The receiving end of a member of a group. What is for everyone and for its role comes through the group's own source; what is for its
 * instance alone comes past the group, through a source that all members in one broadcaster share. An event for both is handled once.
 */
export class GroupInbox extends Inbox {
  readonly #directInbox: () => Inbox;
  #joined: Joined | undefined;

  /** @param directInbox brings what is for the instance alone: the one that is open, or a new one */
  constructor(session: Session, settings: SubscriptionSettings, directInbox: () => Inbox) {
    super(session, settings, 'own');
    this.#directInbox = directInbox;
  }

  override join(member: Receiving): void {
    super.join(member);
    const direct = this.#directInbox();
    direct.divide ??= divideLease;
    const receiver = new DirectReceiver(member, this);
    direct.join(receiver);
    this.#joined = { member, direct, receiver };
  }

  /** Nothing is asked of it before a member has joined. */
  get #here(): Joined {
    return this.#joined as Joined;
  }

  override open(): Promise<void> {
    return both(super.open(), this.#here.direct.open());
  }

  override catchUp(limitMs: number): Promise<unknown> | undefined {
    const own = super.catchUp(limitMs);
    const direct = this.#here.direct.catchUp(limitMs);
    return own === undefined || direct === undefined ? (own ?? direct) : Promise.all([own, direct]);
  }

  override stop(subscription: Receiving): Promise<void> {
    return both(super.stop(subscription), this.#here.direct.stop(this.#here.receiver));
  }

  override leave(): Promise<void> {
    return both(super.leave(), this.#here.direct.leave());
  }

  override get pulls(): boolean {
    return super.pulls || this.#joined?.direct.pulls === true;
  }

  override capacityChanged(): void {
    super.capacityChanged();
    this.#here.direct.capacityChanged();
  }

  override fullChanged(full: boolean): void {
    super.fullChanged(full);
    this.#here.direct.fullChanged(full);
  }

  override reopen(event: BroadcastEvent, subscription: object): void {
    const addresses = addressesOf(event);
    const { role, instance } = this.session.self;
    if (addresses.includes(`instance:${instance}`)) this.#here.direct.reopen(event, this.#here.receiver);
    if (addresses.includes('*') || addresses.includes(`role:${role}`)) super.reopen(event, subscription);
  }

  override deliver(event: BroadcastEvent, lease?: Lease, isFresh?: boolean, isTimed?: boolean): boolean {
    if (typeof event.to === 'string' && event.to.includes(',') && this.#isHandled(event, lease)) return true;
    return super.deliver(event, lease, isFresh, isTimed);
  }

  /** An event for this instance alone. @returns false if it had to be dropped */
  takeDirect(event: BroadcastEvent, lease: Lease | undefined): boolean {
    return this.#isHandled(event, lease) || this.#here.member.take(event, lease);
  }

  /** Has it come by its other address, and was accepted, or is being handled? */
  #isHandled(event: BroadcastEvent, lease: Lease | undefined): boolean {
    const isAccepted = this.wasAccepted(event);
    if (isAccepted) this.settler.settle(lease, ACCEPT);
    const isHandled = isAccepted || this.#here.member.takeAgain(event, lease, (held) => new PairedLease(held, lease));
    if (isHandled) this.session.dropped.duplicates++;
    return isHandled;
  }
}

/** A member, the source that brings what is for its instance alone, and how that source knows it. */
interface Joined {
  readonly member: Receiving;
  readonly direct: Inbox;
  readonly receiver: Receiving;
}

function addressesOf({ to }: BroadcastEvent): readonly string[] {
  return typeof to === 'string' ? to.split(',') : ['*'];
}

/** Rejects as the first that does, when both have ended. */
async function both(one: Promise<void>, other: Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled([one, other]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/** A member as the source knows it that brings what is for the instance alone. */
class DirectReceiver implements Receiving {
  joined = 0;
  readonly #member: Receiving;
  readonly #inbox: GroupInbox;

  constructor(member: Receiving, inbox: GroupInbox) {
    this.#member = member;
    this.#inbox = inbox;
  }

  get settings(): SubscriptionSettings {
    return this.#member.settings;
  }

  get state(): Receiving['state'] {
    return this.#member.state;
  }

  get capacity(): number {
    return this.#member.capacity;
  }

  take(event: BroadcastEvent, lease: Lease | undefined): boolean {
    return this.#inbox.takeDirect(event, lease);
  }

  /** Its filter is not looked at by the source. */
  takeFitting(event: BroadcastEvent, lease: Lease | undefined): boolean {
    return this.#inbox.takeDirect(event, lease);
  }

  takeAgain(): boolean {
    return false;
  }

  recall(leases: ReadonlySet<Lease>): void {
    this.#member.recall(leases);
  }

  hear(signal: Signal): boolean {
    return this.#member.hear(signal);
  }
}
