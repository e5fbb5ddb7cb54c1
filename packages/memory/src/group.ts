import type { Address, BroadcastEvent, Lease, Settlement, Sink } from '@polycast/core/adapter';
import { whenRoom } from './room-wait.ts';

/** One member of a group: a sink, and whom it stands for. */
export interface GroupMember {
  readonly sink: Sink;
  readonly addresses: ReadonlySet<Address>;
  /** What it holds and has not settled; goes to others when it leaves. */
  readonly held: Set<Entry>;
}

/** An event of a group, until one member has accepted it. */
export interface Entry {
  readonly event: BroadcastEvent;
  readonly to: readonly Address[];
  /** Its partition key and its addresses: events of one lane are handled one after the other. */
  readonly lane: string | undefined;
  /** Those of one order go to members one after the other: its lane, or else its addresses. */
  readonly order: string;
  attempt: number;
  /** Among all that were published: what comes back goes before what waits behind it. */
  readonly place: number;
  /** When it was published, ms of the monotonic clock: wall clocks may be set while it waits. */
  readonly sinceMs: number;
}

/** Maximum number of events that wait for room in a group: one more is refused with `overloaded`. */
const MAX_WAITING = 65_536;

/** Competing consumers: a queue whose members take turns. */
export class Group {
  readonly #members: GroupMember[] = [];
  /** Nobody it is for had room. */
  #waiting: Entry[] = [];
  /** What waits is being handed out, and what a handler publishes meanwhile goes behind it. */
  #isDraining = false;
  #drainsAgain = false;
  #turn = 0;
  #places = 0;
  /** Which member is at work on a lane, and on how many of its events. */
  readonly #lanes = new Map<string, { readonly member: GroupMember; held: number }>();
  /** Those that say when they have room. */
  readonly #asked = new Set<Sink>();
  /** Members that close, and wait for what only they can take. */
  readonly #closing = new Map<GroupMember, { isOwed(): boolean; resolve(): void }>();

  /** Are too many events waiting for a member to have room? */
  get isFull(): boolean {
    return this.#waiting.length >= MAX_WAITING;
  }

  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  join(member: GroupMember): void {
    this.#members.push(member);
    this.#drain();
  }

  /** The member takes nothing more; what it holds stays its own until settled. */
  stop(member: GroupMember): void {
    const at = this.#members.indexOf(member);
    if (at < 0) return;
    this.#members.splice(at, 1);
    this.#caughtUp(member);
    this.#drain();
  }

  /** Resolves when the member has what waits now and is for no other member: it would be gone with it. */
  caughtUp(member: GroupMember): Promise<void> {
    const before = this.#places;
    const isOwed = () =>
      this.#waiting.some(
        ({ place, to }) =>
          place < before && isFor(member, to) && !this.#members.some((other) => other !== member && isFor(other, to)),
      );
    if (!isOwed()) return Promise.resolve();
    return new Promise((resolve) => this.#closing.set(member, { isOwed, resolve }));
  }

  #caughtUp(member: GroupMember): void {
    this.#closing.get(member)?.resolve();
    this.#closing.delete(member);
  }

  /** What the member still holds goes to the others. */
  leave(member: GroupMember): void {
    this.stop(member);
    for (const entry of member.held) {
      this.#settled(entry);
      this.#again(entry);
    }
    member.held.clear();
  }

  /** Somebody here for whom such events are. */
  memberFor(to: readonly Address[]): GroupMember | undefined {
    return this.#members.find((member) => isFor(member, to));
  }

  /** @returns a member without room that should be waited for; undefined if there is none */
  offer(event: BroadcastEvent, to: readonly Address[]): Sink | undefined {
    const key = event.partitionkey;
    const addresses = to.length === 1 ? (to[0] as string) : to.join();
    const lane = typeof key === 'string' ? `${addresses} ${key}` : undefined;
    const order = lane ?? addresses;
    const entry: Entry = { event, to, lane, order, attempt: 1, place: this.#places++, sinceMs: performance.now() };
    if (this.#waiting.length === 0 && !this.#isDraining) return this.#hand(entry);
    this.#waiting.push(entry);
    // Those that have no room must not hold up the others.
    if (this.#hasRoom) this.#drain();
    else this.#drainWhenReady(entry);
    return this.#waiting.at(-1) === entry ? this.#choose(entry)?.sink : undefined;
  }

  get #hasRoom(): boolean {
    return this.#members.some(({ sink }) => sink.capacity > 0);
  }

  #hand(entry: Entry): Sink | undefined {
    const member = this.#choose(entry);
    // Those it was for have left: it goes with them, and nobody behind it waits for it.
    if (member === undefined) return undefined;
    if (member.sink.capacity <= 0) {
      this.#wait(entry);
      this.#drainWhenReady(entry);
      return member.sink;
    }
    member.held.add(entry);
    this.#holds(member, entry);
    member.sink.deliver(entry.event, this.#lease(member, entry));
    return undefined;
  }

  /** A lane sticks to one member; anything else goes to the next with room, or waits for the first. */
  #choose(entry: Entry): GroupMember | undefined {
    if (entry.lane !== undefined) {
      // Members come and go: the one that is at work on the lane keeps it until it is done.
      const at = this.#lanes.get(entry.lane)?.member;
      if (at !== undefined) return at;
      const able = this.#members.filter((member) => isFor(member, entry.to));
      return able[hash(entry.event.partitionkey as string) % Math.max(able.length, 1)];
    }
    const count = this.#members.length;
    let first: GroupMember | undefined;
    for (let step = 0; step < count; step++) {
      const at = (this.#turn + step) % count;
      const member = this.#members[at] as GroupMember;
      if (!isFor(member, entry.to)) continue;
      if (member.sink.capacity > 0) {
        this.#turn = (at + 1) % count;
        return member;
      }
      first ??= member;
    }
    return first;
  }

  #holds(member: GroupMember, { lane }: Entry): void {
    if (lane === undefined) return;
    const work = this.#lanes.get(lane);
    if (work === undefined) this.#lanes.set(lane, { member, held: 1 });
    else work.held++;
  }

  #settled({ lane }: Entry): void {
    if (lane === undefined) return;
    const work = this.#lanes.get(lane);
    if (work === undefined || --work.held > 0) return;
    this.#lanes.delete(lane);
    // What waited for a member that has stopped meanwhile may go to another.
    if (this.#waiting.length > 0) queueMicrotask(() => this.#drain());
  }

  #lease(member: GroupMember, entry: Entry): Lease {
    return {
      attempt: entry.attempt,
      ageMs: performance.now() - entry.sinceMs,
      settle: (settlement: Settlement) => {
        if (!member.held.delete(entry)) return;
        this.#settled(entry);
        if (settlement.kind === 'accept') return;
        this.#again(entry, settlement.kind === 'release' ? settlement.tries : undefined);
      },
    };
  }

  #again(entry: Entry, tries = entry.attempt): void {
    entry.attempt = tries + 1;
    this.#wait(entry);
    // Asked for again by somebody who is settling: not within that call.
    queueMicrotask(() => this.#drain());
  }

  #wait(entry: Entry): void {
    const behind = this.#waiting.findLastIndex(({ place }) => place < entry.place);
    this.#waiting.splice(behind + 1, 0, entry);
  }

  /**
   * As soon as a member has room that the entry may go to: the others may have room all the while. One that has stopped has its lane
   * until it is done with it, which is told by `#settled`.
   */
  #drainWhenReady(entry: Entry): void {
    const holder = entry.lane === undefined ? undefined : this.#choose(entry);
    for (const member of this.#members) {
      const { sink } = member;
      if (this.#asked.has(sink) || (holder === undefined ? !isFor(member, entry.to) : member !== holder)) continue;
      this.#asked.add(sink);
      whenRoom(sink, () => {
        this.#asked.delete(sink);
        this.#drain();
      });
    }
  }

  /** Each may wait for other members than the one before; those of one key, or for the same members, stay in order. */
  #drain(): void {
    this.#drainsAgain = true;
    if (this.#isDraining) return;
    this.#isDraining = true;
    while (this.#drainsAgain) {
      this.#drainsAgain = false;
      this.#handOut();
    }
    this.#isDraining = false;
    for (const [member, { isOwed }] of this.#closing) if (!isOwed()) this.#caughtUp(member);
  }

  #handOut(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const held = new Set<string>();
    for (const entry of waiting) {
      if (held.has(entry.order)) this.#wait(entry);
      else if (this.#hand(entry) !== undefined) held.add(entry.order);
    }
  }
}

function isFor(member: GroupMember, to: readonly Address[]): boolean {
  return to.some((address) => member.addresses.has(address));
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
