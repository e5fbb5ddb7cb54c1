import type { BroadcasterContext } from '../connection/broadcaster-context.ts';
import type { Signal } from '../contract/signal.ts';
import type { Lease } from '../contract/transport.ts';
import * as leases from '../deliver/leases.ts';
import type { SubscriptionSettings } from '../deliver/subscription-settings.ts';
import { type BroadcastEvent, identityOf } from '../envelope/event.ts';
import type { Receiving, SourceReceiver } from './source-receiver.ts';

/** A member, the source that brings what is for its instance alone, and how that source knows it. */
interface Joined {
  readonly member: Receiving;
  readonly direct: SourceReceiver;
  readonly receiver: Receiving;
}

/**
 * The receiving end of a member of a group. What is for everyone and for its role comes through the group's own source; what is for its
 * instance alone comes past the group, through a source that all members in one broadcaster share. An event for both is handled once.
 *
 * @param Base given, and not imported: a bundler would put it, and all that it needs, into a file of its own.
 * @param directInbox brings what is for the instance alone: the one that is open, or a new one
 */
export function groupReceiver(
  Base: typeof SourceReceiver,
  context: BroadcasterContext,
  settings: SubscriptionSettings,
  directInbox: () => SourceReceiver,
): SourceReceiver {
  let joined: Joined | undefined;
  let hasLeft = false;
  const givenUp = new Publishes();
  /** Nothing is asked before a member has joined. */
  const here = () => joined as Joined;

  class GroupReceiver extends Base {
    override join(member: Receiving): void {
      super.join(member);
      const direct = directInbox();
      const receiver = new DirectReceiver(member, (event, lease) => this.#takeDirect(event, lease));
      direct.join(receiver);
      direct.share ??= sharing();
      direct.holders++;
      joined = { member, direct, receiver };
    }

    override open(): Promise<void> {
      return both(super.open(), here().direct.open());
    }

    override catchUp(limitMs: number): Promise<unknown> | undefined {
      const own = super.catchUp(limitMs);
      const direct = here().direct.catchUp(limitMs);
      return own === undefined || direct === undefined ? (own ?? direct) : Promise.all([own, direct]);
    }

    override stop(subscription: Receiving): Promise<void> {
      return both(super.stop(subscription), here().direct.stop(here().receiver));
    }

    override leave(): Promise<void> {
      if (!hasLeft) here().direct.holders--;
      hasLeft = true;
      return both(super.leave(), here().direct.leave());
    }

    override get pulls(): boolean {
      return super.pulls || joined?.direct.pulls === true;
    }

    override capacityChanged(): void {
      super.capacityChanged();
      here().direct.capacityChanged();
    }

    override fullChanged(full: boolean): void {
      super.fullChanged(full);
      here().direct.fullChanged(full);
    }

    override reopen(event: BroadcastEvent, subscription: object, isGivenUp = false): void {
      const addresses = addressesOf(event);
      if (!isGivenUp) givenUp.delete(event);
      else if (addresses.length > 1 || event.sequence !== undefined) givenUp.add(event);
      const { role, instance } = context.self;
      if (addresses.includes(`instance:${instance}`)) here().direct.reopen(event, here().receiver);
      if (addresses.includes('*') || addresses.includes(`role:${role}`)) super.reopen(event, subscription);
    }

    override mayComeAgain(event: BroadcastEvent): void {
      givenUp.delete(event);
    }

    override deliver(
      event: BroadcastEvent,
      lease?: Lease,
      isFresh?: boolean,
      position?: string,
      isTimed?: boolean,
    ): boolean {
      if (typeof event.to === 'string' && event.to.includes(',') && this.#isHandled(event, lease)) return true;
      return super.deliver(event, lease, isFresh, position, isTimed);
    }

    /** An event for this instance alone. @returns false if it had to be dropped */
    #takeDirect(event: BroadcastEvent, lease: Lease | undefined): boolean {
      return this.#isHandled(event, lease) || here().member.take(event, lease);
    }

    /** Has it come by its other address, and was accepted or given up, or is being handled? */
    #isHandled(event: BroadcastEvent, lease: Lease | undefined): boolean {
      // Should it not have been set aside yet, it may never be: what we hold comes first.
      const isHeld = here().member.takeAgain(
        event,
        lease,
        (held, endsMs) => new leases.PairedLease(context.runtime, held, endsMs, lease),
      );
      const isHandled = isHeld || this.wasAccepted(event) || givenUp.has(event);
      if (isHandled && !isHeld) this.settler.accept(lease);
      if (isHandled) context.dropped.duplicates++;
      return isHandled;
    }
  }

  return new GroupReceiver(context, settings, 'own');
}

/**
 * Gives each member a share of the lease of an event for the instance. What comes again is for those that it was for before: who joined
 * meanwhile was not there when it was published.
 */
function sharing(): NonNullable<SourceReceiver['share']> {
  const owed = new Map<string, readonly Receiving[]>();
  return (event, lease, all) => {
    const key = identityOf(event);
    const before = lease.attempt > 1 ? owed.get(key) : undefined;
    const members = before === undefined ? all : all.filter((member) => before.includes(member));
    owed.delete(key);
    if (members.length === 0) return false;
    owed.set(key, members);
    if (owed.size > MAX_OWED) owed.delete(owed.keys().next().value as string);
    const shares = leases.shareLease(lease, members.length);
    members.forEach((member, at) => {
      member.take(event, shares[at]);
    });
    return true;
  };
}

/** Events for the instance of which it is known whom they were for. */
const MAX_OWED = 10_000;

function addressesOf({ to }: BroadcastEvent): readonly string[] {
  return typeof to === 'string' ? to.split(',') : ['*'];
}

/**
 * What a member set aside, each publish of it by its number: published again, an event is news. One without a number is known only while
 * it is the same object, as it is in one process. Bounded.
 */
class Publishes {
  readonly #numbered = new Set<string>();
  readonly #others = new WeakSet<BroadcastEvent>();

  add(event: BroadcastEvent): void {
    if (event.sequence === undefined) this.#others.add(event);
    else this.#numbered.add(keyOf(event));
    if (this.#numbered.size > MAX_GIVEN_UP) this.#numbered.delete(this.#numbered.values().next().value as string);
  }

  delete(event: BroadcastEvent): void {
    this.#others.delete(event);
    this.#numbered.delete(keyOf(event));
  }

  has(event: BroadcastEvent): boolean {
    return this.#others.has(event) || this.#numbered.has(keyOf(event));
  }
}

function keyOf({ id, source, sequence, to }: BroadcastEvent): string {
  return JSON.stringify([id, source, sequence, to]);
}

const MAX_GIVEN_UP = 10_000;

/** Rejects as the first that does, when both have ended. */
async function both(one: Promise<void>, other: Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled([one, other]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/** A member as the source knows it that brings what is for the instance alone. */
class DirectReceiver implements Receiving {
  joined = 0;
  readonly #member: Receiving;
  readonly #take: Receiving['take'];

  constructor(member: Receiving, take: Receiving['take']) {
    this.#member = member;
    this.#take = take;
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

  get room(): number {
    return this.#member.room;
  }

  take(event: BroadcastEvent, lease: Lease | undefined): boolean {
    return this.#take(event, lease);
  }

  /** Its filter is not looked at by the source. */
  takeFitting(event: BroadcastEvent, lease: Lease | undefined): boolean {
    return this.#take(event, lease);
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
