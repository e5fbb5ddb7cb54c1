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
  #turn = 0;
  #places = 0;
  /** Which member is at work on a lane, and on how many of its events. */
  readonly #lanes = new Map<string, { readonly member: GroupMember; held: number }>();
  /** Those that say when they have room. */
  readonly #asked = new Set<Sink>();

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
    this.#drain();
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
    const lane = typeof key === 'string' ? `${to.join()} ${key}` : undefined;
    const entry: Entry = { event, to, lane, attempt: 1, place: this.#places++, sinceMs: performance.now() };
    if (this.#waiting.length > 0) {
      this.#waiting.push(entry);
      return this.#members[0]?.sink;
    }
    return this.#hand(entry);
  }

  #hand(entry: Entry): Sink | undefined {
    const member = this.#choose(entry);
    // Those it was for have left: it goes with them, and nobody behind it waits for it.
    if (member === undefined) return undefined;
    if (member.sink.capacity <= 0) {
      this.#wait(entry);
      this.#drainWhenReady();
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
   * As soon as a member has room that the first may go to: the others may have room all the while. One that has stopped has its lane
   * until it is done with it, which is told by `#settled`.
   */
  #drainWhenReady(): void {
    const first = this.#waiting[0] as Entry;
    const holder = first.lane === undefined ? undefined : this.#choose(first);
    for (const member of this.#members) {
      const { sink } = member;
      if (this.#asked.has(sink) || (holder === undefined ? !isFor(member, first.to) : member !== holder)) continue;
      this.#asked.add(sink);
      whenRoom(sink, () => {
        this.#asked.delete(sink);
        this.#drain();
      });
    }
  }

  #drain(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const entry of waiting) {
      if (this.#waiting.length > 0) this.#waiting.push(entry);
      else this.#hand(entry);
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
