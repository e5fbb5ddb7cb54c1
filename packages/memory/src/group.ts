import type { Address, BroadcastEvent, Lease, Settlement, Sink } from '@polycast/core/adapter';

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
  attempt: number;
}

/** Competing consumers: a queue whose members take turns. */
export class Group {
  readonly #members: GroupMember[] = [];
  /** Nobody had room, or nobody it is for was there. */
  #waiting: Entry[] = [];
  #turn = 0;

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
    if (at >= 0) this.#members.splice(at, 1);
  }

  /** What the member still holds goes to the others. */
  leave(member: GroupMember): void {
    this.stop(member);
    for (const entry of member.held) this.#again(entry);
    member.held.clear();
  }

  /** Is somebody here for whom the event is? */
  concerns(to: readonly Address[]): boolean {
    return this.#members.some((member) => to.some((address) => member.addresses.has(address)));
  }

  /** @returns a member without room that should be waited for; undefined if there is none */
  offer(entry: Entry): Sink | undefined {
    if (this.#waiting.length > 0) {
      this.#waiting.push(entry);
      return this.#members[0]?.sink;
    }
    return this.#hand(entry);
  }

  #hand(entry: Entry): Sink | undefined {
    const member = this.#choose(entry);
    if (member === undefined) {
      this.#waiting.push(entry);
      const first = this.#members.find((candidate) => isFor(candidate, entry));
      first?.sink.ready().then(() => this.#drain());
      return first?.sink;
    }
    member.held.add(entry);
    member.sink.deliver(entry.event, this.#lease(member, entry));
    return undefined;
  }

  /** A partition key sticks to one member; anything else goes to the next with room. */
  #choose(entry: Entry): GroupMember | undefined {
    const key = entry.event.partitionkey;
    if (typeof key === 'string') {
      const able = this.#members.filter((member) => isFor(member, entry));
      const chosen = able[hash(key) % Math.max(able.length, 1)];
      return chosen !== undefined && chosen.sink.capacity > 0 ? chosen : undefined;
    }
    const count = this.#members.length;
    for (let step = 0; step < count; step++) {
      const at = (this.#turn + step) % count;
      const member = this.#members[at] as GroupMember;
      if (member.sink.capacity > 0 && isFor(member, entry)) {
        this.#turn = (at + 1) % count;
        return member;
      }
    }
    return undefined;
  }

  #lease(member: GroupMember, entry: Entry): Lease {
    return {
      attempt: entry.attempt,
      settle: (settlement: Settlement) => {
        if (!member.held.delete(entry) || settlement.kind === 'accept') return;
        this.#again(entry);
      },
    };
  }

  #again(entry: Entry): void {
    entry.attempt++;
    // Asked for again by somebody who is settling: not within that call.
    queueMicrotask(() => void this.#hand(entry));
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

function isFor(member: GroupMember, entry: Entry): boolean {
  return entry.to.some((address) => member.addresses.has(address));
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
