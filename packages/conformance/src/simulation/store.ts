import type { Lease, Settlement, Sink } from '@polycast/core/adapter';
import type { Clock, Due } from './clock.ts';
import type { Connection } from './connection.ts';
import { refusal } from './connection.ts';
import { type Handed, numberOf, type SourceRecord, type Trace } from './trace.ts';
import { received, type Sent } from './wire.ts';

/** An event that the service keeps for a subscription or a group. */
interface Entry {
  readonly outgoing: Sent;
  readonly number: number;
  readonly key: string | undefined;
  readonly offset: number;
  readonly takenAtMs: number;
  deliveries: number;
}

/** One source that takes from a store. */
export interface Member {
  readonly connection: Connection;
  readonly sink: Sink;
  readonly addresses: readonly string[];
  readonly lockMs: number;
  readonly record: SourceRecord;
  /** Can its locks be renewed? */
  readonly renews: boolean;
  /** Are settlements taken at once, without a call? */
  readonly settlesAtOnce: boolean;
  readonly held: Set<Held>;
  isStopped: boolean;
  isPumping: boolean;
  isWaiting: boolean;
}

interface Held {
  readonly entry: Entry;
  readonly handed: Handed;
  expiresAtMs: number;
  expiry: Due | undefined;
  isLive: boolean;
}

interface StoreEvents {
  deadLettered(number: number): void;
  /** After each delivery, with the participant that got it. */
  handed(slot: number): void;
}

/** How long until what is there is brought, ms; and most events that come together. */
const FETCH_MS = 1;
const MAX_FETCHED = 4;

/** What the service keeps: each event until a member accepted it. */
export class Store {
  readonly #clock: Clock;
  readonly #trace: Trace;
  /** By offset. */
  #waiting: Entry[] = [];
  readonly members: Member[] = [];
  /** Everything that its members ever listened to. */
  readonly addresses = new Set<string>();
  readonly outlivesMembers: boolean;
  readonly #caughtUp: { readonly offset: number; readonly done: () => void }[] = [];
  readonly #on: StoreEvents;

  constructor(clock: Clock, trace: Trace, outlivesMembers: boolean, on: StoreEvents) {
    this.#clock = clock;
    this.#trace = trace;
    this.outlivesMembers = outlivesMembers;
    this.#on = on;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** Numbers of the events that are kept and not delivered. */
  get numbers(): readonly number[] {
    return this.#waiting.map(({ number }) => number);
  }

  add(outgoing: Sent, offset: number): void {
    const { event, to } = outgoing;
    if (!to.some((address) => this.addresses.has(address))) return;
    const key = event.partitionkey;
    this.#waiting.push({
      outgoing,
      number: numberOf(event),
      key: typeof key === 'string' ? key : undefined,
      offset,
      takenAtMs: this.#clock.nowMs,
      deliveries: 0,
    });
    for (const member of this.members) this.pump(member);
  }

  join(member: Member): void {
    this.members.push(member);
    for (const address of member.addresses) this.addresses.add(address);
    this.pump(member);
  }

  /** It takes nothing more; what it holds stays its own. */
  stop(member: Member): void {
    member.isStopped = true;
    this.#settleCaughtUp();
  }

  leave(member: Member): void {
    member.isStopped = true;
    const at = this.members.indexOf(member);
    if (at >= 0) this.members.splice(at, 1);
    this.release(member);
  }

  /** What it holds is lost to it: others, or the same one later, get it again. */
  release(member: Member): void {
    for (const held of [...member.held]) this.#lose(member, held);
    this.pumpAll();
  }

  /** Forgets everything. @returns the numbers of what was forgotten */
  wipe(): readonly number[] {
    const gone = this.#waiting.map(({ number }) => number);
    for (const member of this.members) {
      for (const held of [...member.held]) {
        gone.push(held.entry.number);
        this.#end(member, held);
        held.handed.isVoid = true;
      }
    }
    this.#waiting = [];
    return gone;
  }

  /** Resolves once everything that is there now was brought to the member, if it is for it and no other may take it. */
  caughtUp(member: Member): Promise<void> {
    return new Promise((resolve) => {
      const offset = this.#waiting.at(-1)?.offset ?? -1;
      this.#caughtUp.push({ offset, done: resolve });
      if (member.isStopped || member.connection.state !== 'up') resolve();
      this.#settleCaughtUp();
    });
  }

  endCaughtUp(): void {
    for (const { done } of this.#caughtUp.splice(0)) done();
  }

  #settleCaughtUp(): void {
    const first = this.#waiting[0]?.offset ?? Number.POSITIVE_INFINITY;
    for (let at = this.#caughtUp.length - 1; at >= 0; at--) {
      const waiting = this.#caughtUp[at] as { offset: number; done: () => void };
      if (waiting.offset >= first) continue;
      this.#caughtUp.splice(at, 1);
      waiting.done();
    }
  }

  pumpAll(): void {
    for (const member of this.members) this.pump(member);
  }

  /** Brings what there is as soon as the member takes it. */
  pump(member: Member): void {
    if (member.isPumping || member.isStopped || member.connection.state !== 'up') return;
    if (this.#waiting.length === 0) return;
    member.isPumping = true;
    const { generation } = member.connection;
    this.#clock.after(FETCH_MS, () => {
      member.isPumping = false;
      if (member.isStopped || member.connection.state !== 'up') return;
      if (member.connection.generation === generation) this.#bring(member);
      else this.pump(member);
    });
  }

  #bring(member: Member): void {
    const capacity = member.sink.capacity;
    if (!(capacity > 0)) return this.#waitForRoom(member);
    for (let room = Math.min(capacity, MAX_FETCHED); room > 0; room--) {
      const entry = this.#takeFor(member);
      if (entry === undefined) break;
      this.#hand(member, entry);
      if (member.isStopped || member.connection.state !== 'up') return;
    }
    this.#settleCaughtUp();
    if (this.#hasFor(member)) this.pump(member);
  }

  #waitForRoom(member: Member): void {
    if (member.isWaiting) return;
    member.isWaiting = true;
    member.sink.ready().then(() => {
      member.isWaiting = false;
      this.pump(member);
    });
  }

  /** The first entry that the member may have: it is for it, and its key is free. */
  #findFor(member: Member): number {
    const blocked = new Set<string>();
    for (const other of this.members) {
      if (other === member) continue;
      for (const { entry } of other.held) if (entry.key !== undefined) blocked.add(entry.key);
    }
    return this.#waiting.findIndex(({ outgoing, key }) => {
      const isFor = isTaker(member, outgoing);
      if (isFor && (key === undefined || !blocked.has(key))) return true;
      // What none of those present may have keeps nobody waiting.
      const hasTaker = isFor || this.members.some((other) => !other.isStopped && isTaker(other, outgoing));
      if (key !== undefined && hasTaker) blocked.add(key);
      return false;
    });
  }

  #hasFor(member: Member): boolean {
    return this.#findFor(member) >= 0;
  }

  #takeFor(member: Member): Entry | undefined {
    const at = this.#findFor(member);
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0];
  }

  #hand(member: Member, entry: Entry): void {
    const { to } = entry.outgoing;
    const event = received(entry.outgoing);
    entry.deliveries++;
    const handed: Handed = {
      number: entry.number,
      at: this.#trace.now(),
      sequence: event.sequence,
      lane: [...to].sort().join(),
      attempt: entry.deliveries,
      offset: entry.offset,
      wasTaken: true,
      settled: undefined,
      wasSettled: false,
      isVoid: false,
    };
    member.record.handed.push(handed);
    const held: Held = { entry, handed, expiresAtMs: 0, expiry: undefined, isLive: true };
    member.held.add(held);
    this.#lock(member, held);
    member.sink.deliver(event, this.#leaseOf(member, held));
    this.#on.handed(member.record.slot);
  }

  #lock(member: Member, held: Held): void {
    held.expiresAtMs = this.#clock.nowMs + member.lockMs;
    const look = () => {
      if (!held.isLive) return;
      const leftMs = held.expiresAtMs - this.#clock.nowMs;
      if (leftMs > 0) held.expiry = this.#clock.after(leftMs, look);
      else {
        this.#lose(member, held);
        this.pumpAll();
      }
    };
    held.expiry = this.#clock.after(member.lockMs, look);
  }

  /** It is held no longer. */
  #end(member: Member, held: Held): void {
    held.isLive = false;
    if (held.expiry !== undefined) held.expiry.isCancelled = true;
    member.held.delete(held);
  }

  #leaseOf(member: Member, held: Held): Lease {
    const { connection } = member;
    const { handed, entry } = held;
    return {
      attempt: entry.deliveries,
      position: String(entry.offset),
      // Known to core from some version on.
      ...{ ageMs: this.#clock.nowMs - entry.takenAtMs },
      settle: (settlement) => {
        if (handed.settled !== undefined) {
          this.#trace.wrong.push(`settled-twice: ${handed.settled}, then ${settlement.kind}, event ${handed.number}`);
        }
        // Of several messages with one event, one lock is enough.
        const isAlone = !this.#trace.published.some(
          ({ number, taken, id }) => number === handed.number && (id !== undefined || taken.length > 1),
        );
        if (!member.renews && isAlone && this.#clock.nowMs > held.expiresAtMs) {
          this.#trace.wrong.push(
            `late-settlement: event ${handed.number} was settled ${this.#clock.nowMs - held.expiresAtMs} ms after its lock had ended`,
          );
        }
        handed.settled = settlement.kind;
        handed.settledAt = this.#trace.now();
        handed.wasSettled = true;
        if (member.settlesAtOnce && connection.state === 'up') {
          const fault = connection.faultOf('settle');
          if (fault === undefined) return this.#settle(member, held, settlement);
          connection.arm('settle', fault);
        }
        // What was refused may be tried again.
        const failed = () => {
          handed.settled = undefined;
        };
        try {
          const settling = connection.call('settle', () => this.#settle(member, held, settlement));
          settling.catch(failed);
          return settling;
        } catch (thrown) {
          failed();
          throw thrown;
        }
      },
      ...(member.renews ? { renew: () => this.#renew(member, held) } : { lockedForMs: member.lockMs }),
    };
  }

  #renew(member: Member, held: Held): Promise<void> {
    return member.connection.call('renew', () => {
      if (!held.isLive) throw refusal('lock-lost');
      held.expiresAtMs = this.#clock.nowMs + member.lockMs;
    });
  }

  #settle(member: Member, held: Held, settlement: Settlement): void {
    if (!held.isLive) throw refusal('lock-lost');
    if (settlement.kind === 'release') {
      held.entry.deliveries = settlement.attempts ?? held.entry.deliveries;
      this.#lose(member, held);
      held.handed.isVoid = false;
      this.pumpAll();
      return;
    }
    this.#end(member, held);
    if (settlement.kind === 'dead-letter') this.#on.deadLettered(held.entry.number);
    this.pumpAll();
  }

  #lose(member: Member, held: Held): void {
    if (!held.isLive) return;
    this.#end(member, held);
    held.handed.isVoid = true;
    // In its old place: what is kept is kept in order.
    const at = this.#waiting.findIndex(({ offset }) => offset > held.entry.offset);
    if (at < 0) this.#waiting.push(held.entry);
    else this.#waiting.splice(at, 0, held.entry);
  }
}

function isTaker(member: Member, { to }: Sent): boolean {
  return to.some((address) => member.addresses.includes(address));
}
