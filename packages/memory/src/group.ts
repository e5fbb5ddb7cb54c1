import type { Address, BroadcastEvent, Lease, Settlement, Sink } from '@polycast/core/adapter';
import { whenRoom } from './room-wait.ts';

/** One member of a group. */
export interface GroupMember {
  readonly sink: Sink;
  /** What it holds and has not settled; goes to others when it leaves. */
  readonly held: Set<Entry>;
}

/** An event of a group, until one member has accepted it. */
export interface Entry {
  readonly event: BroadcastEvent;
  /** Its partition key: events of one are handled one after the other. */
  readonly key: string | undefined;
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
  readonly #addresses: ReadonlySet<Address>;
  readonly #members: GroupMember[] = [];
  /** No member had room. */
  #waiting: Entry[] = [];
  /** What waits is being handed out, and what a handler publishes meanwhile goes behind it. */
  #isDraining = false;
  #drainsAgain = false;
  #turn = 0;
  #places = 0;
  /** Which member is at work on a key, and on how many of its events. */
  readonly #keys = new Map<string, { readonly member: GroupMember; held: number }>();
  /** Those that say when they have room. */
  readonly #asked = new Set<Sink>();
  /** A last member that closes, and waits for what only it can take. */
  readonly #closing = new Map<GroupMember, { isOwed(): boolean; resolve(): void }>();

  /** @param addresses the group's role, and everyone */
  constructor(addresses: readonly Address[]) {
    this.#addresses = new Set(addresses);
  }

  isFor(to: readonly Address[]): boolean {
    return to.some((address) => this.#addresses.has(address));
  }

  get first(): GroupMember | undefined {
    return this.#members[0];
  }

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

  /** Resolves when the member has what waits now, if it is the last one: it would be gone with it. */
  caughtUp(member: GroupMember): Promise<void> {
    const before = this.#places;
    const isOwed = () => this.#members.length === 1 && this.#waiting.some(({ place }) => place < before);
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

  /** @returns a member without room that should be waited for; undefined if there is none */
  offer(event: BroadcastEvent): Sink | undefined {
    const { partitionkey } = event;
    const key = typeof partitionkey === 'string' ? partitionkey : undefined;
    const entry: Entry = { event, key, attempt: 1, place: this.#places++, sinceMs: performance.now() };
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
    // All have left: it goes with them.
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

  /** A key sticks to one member; anything else goes to the next with room, or waits for the first. */
  #choose(entry: Entry): GroupMember | undefined {
    const count = this.#members.length;
    if (entry.key !== undefined) {
      // Members come and go: the one that is at work on the key keeps it until it is done.
      return this.#keys.get(entry.key)?.member ?? this.#members[hash(entry.key) % Math.max(count, 1)];
    }
    for (let step = 0; step < count; step++) {
      const at = (this.#turn + step) % count;
      const member = this.#members[at] as GroupMember;
      if (member.sink.capacity > 0) {
        this.#turn = (at + 1) % count;
        return member;
      }
    }
    return this.#members[this.#turn % Math.max(count, 1)];
  }

  #holds(member: GroupMember, { key }: Entry): void {
    if (key === undefined) return;
    const work = this.#keys.get(key);
    if (work === undefined) this.#keys.set(key, { member, held: 1 });
    else work.held++;
  }

  #settled({ key }: Entry): void {
    if (key === undefined) return;
    const work = this.#keys.get(key);
    if (work === undefined || --work.held > 0) return;
    this.#keys.delete(key);
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
        this.#again(entry, settlement.kind === 'release' ? settlement.attempts : undefined);
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
   * As soon as a member has room that the entry may go to: the others may have room all the while. One that has stopped has its key
   * until it is done with it, which is told by `#settled`.
   */
  #drainWhenReady(entry: Entry): void {
    const holder = entry.key === undefined ? undefined : this.#choose(entry);
    for (const member of this.#members) {
      const { sink } = member;
      if (this.#asked.has(sink) || (holder !== undefined && member !== holder)) continue;
      this.#asked.add(sink);
      whenRoom(sink, () => {
        this.#asked.delete(sink);
        this.#drain();
      });
    }
  }

  /** Each may wait for another member than the one before; those of one key stay in order, and so do those without one. */
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
    const held = new Set<string | undefined>();
    for (const entry of waiting) {
      if (held.has(entry.key)) this.#wait(entry);
      else if (this.#hand(entry) !== undefined) held.add(entry.key);
    }
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
