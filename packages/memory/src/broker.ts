import { type Address, type Outgoing, type Participant, PolycastError, type Sink } from '@polycast/core/adapter';
import type { Group, GroupMember } from './group.ts';
import { BACK_PRESSURE_MAX_MS } from './options.ts';

/** What is published: nothing is encoded, subscribers get the event itself. */
export type Published = Outgoing<undefined>;

/** A sink without a group, and what it listens to. */
export interface Listener {
  readonly sink: Sink;
  readonly addresses: ReadonlySet<Address>;
}

/** One participant on one topic. */
export interface Attachment {
  readonly participant: Participant;
  /** Replaced, never changed: it may be walked through at the time. */
  listeners: readonly Listener[];
  /** In how many groups it takes part. */
  memberships: number;
}

/**
 * Where participants of one topic meet. Publishing calls their sinks, synchronously and in order.
 *
 * A publish made while another is being handed out waits its turn, so that everybody sees the two in the same order.
 */
export class MemoryTopic {
  /** Replaced, never changed: it may be walked through at the time. */
  #seats: readonly Attachment[] = [];
  readonly #groups = new Map<string, Group>();
  #waiting: { outgoing: Published; from: Attachment | undefined }[] = [];
  #busy = false;

  get isEmpty(): boolean {
    return this.#seats.length === 0;
  }

  get participants(): readonly Participant[] {
    return this.#seats
      .filter((attachment) => attachment.listeners.length + attachment.memberships > 0)
      .map(({ participant }) => participant);
  }

  enter(attachment: Attachment): void {
    this.#seats = [...this.#seats, attachment];
  }

  exit(attachment: Attachment): void {
    this.#seats = this.#seats.filter((other) => other !== attachment);
  }

  /** @param make loaded where there are groups: most pages have none */
  group(name: string, addresses: readonly Address[], make: typeof Group): Group {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new make(addresses);
      this.#groups.set(name, group);
    }
    return group;
  }

  /** A group without members is forgotten, and what waits in it: its members were no durable ones. */
  leaveGroup(name: string, member: GroupMember): void {
    const group = this.#groups.get(name);
    group?.leave(member);
    if (group?.isEmpty) this.#groups.delete(name);
  }

  /** @returns a promise only if a subscriber has no room: it resolves when there is, or soon enough */
  publish(outgoing: Published, from: Attachment | undefined): void | Promise<void> {
    this.refuseIfFull(outgoing);
    if (this.#busy) {
      this.#waiting.push({ outgoing, from });
      return;
    }
    this.#busy = true;
    let full = this.#hand(outgoing, from, true);
    while (this.#waiting.length > 0) {
      const next = this.#waiting;
      this.#waiting = [];
      for (const { outgoing: later, from: laterFrom } of next) full = this.#hand(later, laterFrom, false) ?? full;
    }
    this.#busy = false;
    if (full !== undefined) return waitForRoom(full);
  }

  /** Before anyone gets it, so that it may be published again. @throws PolycastError `overloaded` */
  refuseIfFull({ to }: Published): void {
    if (this.#groups.size === 0) return;
    for (const [name, group] of this.#groups) {
      if (!group.isFull || !group.isFor(to)) continue;
      throw new PolycastError('overloaded', `a member of group '${name}' has no room`);
    }
  }

  /** What came from another thread was no event: those it was for hear of it, and one member of each group. */
  corrupt(error: PolycastError, to: readonly Address[]): void {
    for (const { listeners } of this.#seats)
      for (const listener of listeners) if (isFor(listener, to)) listener.sink.corrupt(error);
    for (const group of this.#groups.values()) if (group.isFor(to)) group.first?.sink.corrupt(error);
  }

  /** An event from another thread could not be taken, and its publisher does not hear of it: the members of the full group do. */
  failed(error: PolycastError, to: readonly Address[]): void {
    for (const group of this.#groups.values()) if (group.isFull && group.isFor(to)) group.first?.sink.failed(error);
  }

  #hand({ event, to }: Published, from: Attachment | undefined, isFresh: boolean): Sink[] | undefined {
    let full: Sink[] | undefined;
    // By index: twice as fast as an iterator, and this is the hot path.
    const seats = this.#seats;
    for (let seatAt = 0; seatAt < seats.length; seatAt++) {
      const attachment = seats[seatAt] as Attachment;
      const { listeners } = attachment;
      for (let at = 0; at < listeners.length; at++) {
        const listener = listeners[at] as Listener;
        if (!isFor(listener, to)) continue;
        const { sink } = listener;
        sink.deliver(event, undefined, isFresh);
        // A handler that publishes to itself must not wait for itself.
        if (sink.capacity <= 0 && attachment !== from) (full ??= []).push(sink);
      }
    }
    if (this.#groups.size > 0) {
      for (const group of this.#groups.values()) {
        if (!group.isFor(to)) continue;
        const sink = group.offer(event);
        if (sink !== undefined) (full ??= []).push(sink);
      }
    }
    return full;
  }
}

/** The topics of one name, or of one process. */
export class MemoryBroker {
  readonly #rooms = new Map<string, MemoryTopic>();

  /** The room of a topic; made if need be. */
  room(topic: string): MemoryTopic {
    let room = this.#rooms.get(topic);
    if (room === undefined) {
      room = new MemoryTopic();
      this.#rooms.set(topic, room);
    }
    return room;
  }

  /** The room of a topic, if anybody is there. */
  find(topic: string): MemoryTopic | undefined {
    return this.#rooms.get(topic);
  }

  leave(topic: string, attachment: Attachment): void {
    const room = this.#rooms.get(topic);
    room?.exit(attachment);
    if (room?.isEmpty) this.#rooms.delete(topic);
  }

  get isEmpty(): boolean {
    return this.#rooms.size === 0;
  }
}

function isFor({ addresses }: Listener, to: readonly Address[]): boolean {
  if (to.length === 1) return addresses.has(to[0] as Address);
  return to.some((address) => addresses.has(address));
}

/** Resolves when all have room, or soon enough. Loaded when somebody first has none. */
async function waitForRoom(sinks: readonly Sink[]): Promise<void> {
  const { roomIn } = await import('./room-wait.ts');
  await roomIn(sinks, BACK_PRESSURE_MAX_MS);
}
