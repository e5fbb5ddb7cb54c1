import type {
  EncodedJson,
  Link,
  LinkContext,
  PolycastError,
  Sink,
  Source,
  SourceRequest,
  Transport,
} from '@polycast/core/adapter';
import type { Clock } from './clock.ts';
import { Connection, refusal } from './connection.ts';
import type { Fault } from './history.ts';
import type { Profile } from './profile.ts';
import { type Member, Store } from './store.ts';
import { type Handed, numberOf, placeOf, type SourceRecord, type SubscriptionRecord, type Trace } from './trace.ts';

import { encode, received, type Sent } from './wire.ts';

/** A source that keeps nothing: what is on its way when the connection breaks is gone. */
interface Listener {
  readonly connection: Connection;
  readonly sink: Sink;
  readonly addresses: readonly string[];
  readonly record: SourceRecord;
  /** What was sent last arrives then. */
  arrivesAtMs: number;
  isStopped: boolean;
}

/** `pollTimeoutMs` names the subscription that a source belongs to: core hands it on as it is. */
const FIRST_WAIT_MS = 1_000;
export const pollTimeoutMsOf = (sub: number): number => FIRST_WAIT_MS + sub;

/** The topic of every history. */
export const TOPIC = 'sim';

/** A lock that cannot be renewed, ms: some handlers take longer. */
const FIXED_LOCK_MS = 3_000;
/** Longest a publish waits in process for room, ms. */
const ROOM_WITHIN_MS = 5_000;

/** The service that participants of a history share. It does all that its manifest allows. */
export class Service {
  readonly #clock: Clock;
  readonly #trace: Trace;
  readonly #profile: Profile;
  readonly #location: string;
  readonly connections = new Map<number, Connection>();
  /** Called after each delivery, with the participant that got it. */
  onHanded: (slot: number) => void = () => {};
  /** The last that came from each publisher. */
  readonly lastSequence = new Map<string, string>();
  readonly #contexts = new Map<number, LinkContext>();
  #listeners: Listener[] = [];
  readonly #stores = new Map<string, Store>();
  readonly #turns: { outgoing: Sent; slot: number }[] = [];
  #isHanding = false;
  #nextOffset = 0;
  #nextTemporary = 0;

  constructor(clock: Clock, trace: Trace, profile: Profile, location: string) {
    this.#clock = clock;
    this.#trace = trace;
    this.#profile = profile;
    this.#location = location;
  }

  /** Numbers of the events that wait in a store, by its name. */
  waiting(name: string): readonly number[] {
    return this.#stores.get(name)?.numbers ?? [];
  }

  /** The same of what waits for a participant's instance alone, past its groups. */
  waitingDirectly(slot: number): readonly number[] {
    return [...this.#stores.values()].flatMap((store) =>
      store.members.some(({ record, isStopped }) => record.isDirect && record.slot === slot && !isStopped)
        ? store.numbers
        : [],
    );
  }

  transport(slot: number): Transport {
    const connection = this.connections.get(slot) ?? new Connection(this.#clock, this.#trace);
    this.connections.set(slot, connection);
    return {
      manifest: this.#profile.manifest,
      location: this.#location,
      open: async (context) => {
        connection.state = 'up';
        this.#contexts.set(slot, context);
        if (!this.#profile.isDirect) await connection.call('open', () => {});
        return this.#link(slot, connection);
      },
    };
  }

  #link(slot: number, connection: Connection): Link<EncodedJson | undefined> {
    const { isDirect, encodes } = this.#profile;
    return {
      ...(encodes && { encode }),
      publish: (batch) => (isDirect ? this.#publishDirectly(batch, slot) : this.#publish(connection, batch)),
      subscribe: (request, sink) =>
        isDirect && request.group === undefined
          ? this.#listen(slot, connection, request, sink)
          : this.#subscribe(slot, connection, request, sink),
      ...(isDirect ? { members: async () => this.#present() } : {}),
      close: async () => {
        if (connection.state !== 'crashed') connection.state = 'closed';
        connection.cut();
      },
    };
  }

  #present(): { instance: string; role: string }[] {
    return this.#trace.slots
      .filter(({ slot }) => this.#trace.sources.some((one) => one.slot === slot && one.stoppedAt === undefined))
      .map(({ instance, role }) => ({ instance, role }));
  }

  // ── publishing ──

  #publish(connection: Connection, batch: readonly Sent[]): Promise<void | readonly (PolycastError | undefined)[]> {
    return connection.call('publish', (fault) => {
      if (fault?.how !== 'refuse-some') return this.#takeAll(batch);
      const errors = batch.map((_, at) =>
        at % 2 === 0 ? refusal(fault.isFinal ? 'payload-too-large' : 'throttled') : undefined,
      );
      this.#takeAll(batch.filter((_, at) => errors[at] === undefined));
      return errors;
    });
  }

  #takeAll(batch: readonly Sent[]): void {
    for (const outgoing of batch) this.take(outgoing);
  }

  /** The service has it now. */
  take(outgoing: Sent): void {
    const { event } = outgoing;
    const number = numberOf(event);
    if (outgoing.topic !== TOPIC) {
      this.#trace.deadLetters.push({ number, at: this.#trace.now() });
      return;
    }
    this.#trace.published[number]?.taken.push(this.#trace.now());
    // As it was sent: that counts, and not what its publisher holds.
    const { sequence } = received(outgoing);
    if (sequence !== undefined) this.lastSequence.set(event.source, sequence);
    if (sequence !== undefined) this.#takeNumber(event.id, sequence, outgoing.to);
    const offset = this.#nextOffset++;
    for (const listener of this.#listeners) {
      // As with channels: once for each of its addresses that are on the list.
      for (const address of outgoing.to) if (listener.addresses.includes(address)) this.#send(listener, outgoing);
    }
    for (const store of this.#stores.values()) store.add(outgoing, offset);
  }

  /** Two events with one number: receivers would miss a loss, or see one that is none. */
  #takeNumber(id: string, sequence: string, to: readonly string[]): void {
    const place = placeOf(sequence, [...to].sort().join());
    if (place === undefined) return;
    let numbers = this.#trace.takenNumbers.get(place.lane);
    if (numbers === undefined) this.#trace.takenNumbers.set(place.lane, (numbers = new Map()));
    const first = numbers.get(place.number);
    if (first === undefined) numbers.set(place.number, id);
    else if (first !== id && !this.#trace.wasForged) {
      this.#trace.wrong.push(`number-reused: ${sequence} was given to event ${first}, and to ${id}`);
    }
  }

  #send(listener: Listener, outgoing: Sent): void {
    const { connection, record } = listener;
    const number = numberOf(outgoing.event);
    const lose = () => record.lost.push({ number, at: this.#trace.now() });
    if (listener.isStopped) return;
    if (connection.state !== 'up') return void lose();
    const fault: Fault | undefined = connection.faultOf('deliver');
    if (fault?.how === 'lose') return void lose();
    const lateMs = fault?.how === 'late' ? fault.byMs : 0;
    listener.arrivesAtMs = Math.max(listener.arrivesAtMs, this.#clock.nowMs + 1 + lateMs);
    const { generation } = connection;
    this.#clock.after(listener.arrivesAtMs - this.#clock.nowMs, () => {
      if (listener.isStopped || connection.state === 'crashed') return;
      if (connection.generation !== generation) return void lose();
      this.#hand(listener, outgoing, false);
    });
  }

  #hand(listener: Listener, outgoing: Sent, isFresh: boolean): void {
    const { to } = outgoing;
    const event = received(outgoing);
    const handed: Handed = {
      number: numberOf(event),
      at: this.#trace.now(),
      sequence: event.sequence,
      lane: [...to].sort().join(),
      attempt: undefined,
      offset: undefined,
      wasTaken: true,
      settled: undefined,
      wasSettled: false,
      isVoid: false,
    };
    listener.record.handed.push(handed);
    try {
      handed.wasTaken = listener.sink.deliver(event, undefined, isFresh);
    } catch (thrown) {
      this.#trace.wrong.push(`thrown: a sink threw ${thrown instanceof Error ? thrown.message : typeof thrown}`);
    }
    this.onHanded(listener.record.slot);
  }

  /** What is published while another event is being handed out waits its turn: all see the two in the same order. */
  #publishDirectly(batch: readonly Sent[], slot: number): void | Promise<void> {
    const full: Sink[] = [];
    for (const outgoing of batch) this.#turns.push({ outgoing, slot });
    if (this.#isHanding) return undefined;
    this.#isHanding = true;
    for (let next = this.#turns.shift(); next !== undefined; next = this.#turns.shift()) this.#handToAll(next, full);
    this.#isHanding = false;
    if (full.length === 0) return undefined;
    const patience = new Promise<void>((resolve) => void this.#clock.after(ROOM_WITHIN_MS, resolve));
    return Promise.race([Promise.all(full.map((sink) => sink.ready())).then(() => {}), patience]);
  }

  #handToAll({ outgoing, slot }: { outgoing: Sent; slot: number }, full: Sink[]): void {
    const number = numberOf(outgoing.event);
    if (outgoing.topic !== TOPIC) {
      this.#trace.deadLetters.push({ number, at: this.#trace.now() });
      return;
    }
    this.#trace.published[number]?.taken.push(this.#trace.now());
    const offset = this.#nextOffset++;
    for (const store of this.#stores.values()) store.add(outgoing, offset);
    for (const listener of this.#listeners) {
      if (listener.isStopped || listener.connection.state === 'crashed') continue;
      if (!outgoing.to.some((address) => listener.addresses.includes(address))) continue;
      this.#hand(listener, outgoing, true);
      if (listener.sink.capacity <= 0 && listener.record.slot !== slot) full.push(listener.sink);
    }
  }

  // ── sources ──

  /** What was made while the answer was lost is taken back. */
  async #subscribe(slot: number, connection: Connection, request: SourceRequest, sink: Sink): Promise<Source> {
    let made: Source | undefined;
    try {
      return await connection.call('subscribe', () => {
        made = this.#source(slot, connection, request, sink);
        return made;
      });
    } catch (thrown) {
      void made?.close();
      throw thrown;
    }
  }

  #source(slot: number, connection: Connection, request: SourceRequest, sink: Sink): Source {
    return this.#profile.isLeased || request.group !== undefined
      ? this.#takeFrom(slot, connection, request, sink)
      : this.#listen(slot, connection, request, sink);
  }

  #record(slot: number, request: SourceRequest): SourceRecord {
    const sub = request.pollTimeoutMs - FIRST_WAIT_MS;
    const record: SourceRecord = {
      slot,
      sub: this.#trace.subscriptions.has(sub) ? sub : undefined,
      isDirect: !request.addresses.includes('*'),
      openedAt: this.#trace.now(),
      stoppedAt: undefined,
      closedAt: undefined,
      handed: [],
      lost: [],
    };
    this.#trace.sources.push(record);
    return record;
  }

  #listen(slot: number, connection: Connection, request: SourceRequest, sink: Sink): Source {
    const listener: Listener = {
      connection,
      sink,
      addresses: request.addresses,
      record: this.#record(slot, request),
      arrivesAtMs: this.#clock.nowMs,
      isStopped: false,
    };
    this.#listeners = [...this.#listeners, listener];
    const stop = async () => {
      if (!listener.isStopped) listener.record.stoppedAt = this.#trace.now();
      listener.isStopped = true;
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
    return {
      stop: () => (this.#profile.isDirect ? stop() : connection.call('stop', () => {}).then(stop, stop)),
      close: async () => {
        listener.record.closedAt ??= this.#trace.now();
        await stop();
      },
      ...(this.#profile.isDirect ? {} : { caughtUp: () => this.#caughtUp(listener) }),
    };
  }

  async #caughtUp(listener: Listener): Promise<void> {
    try {
      await listener.connection.call('caughtUp', () => {});
      const leftMs = listener.arrivesAtMs - this.#clock.nowMs;
      if (leftMs >= 0) await new Promise<void>((resolve) => void this.#clock.after(leftMs, resolve));
    } catch {
      // What the connection took with it does not come.
    }
  }

  #takeFrom(slot: number, connection: Connection, request: SourceRequest, sink: Sink): Source {
    const { self } = this.#contexts.get(slot) as LinkContext;
    const name = storeName(request, self.instance) ?? `temporary-${this.#nextTemporary++}`;
    let store = this.#stores.get(name);
    if (store === undefined) {
      store = new Store(this.#clock, this.#trace, request.durable !== undefined, {
        deadLettered: (number) => void this.#trace.deadLetters.push({ number, at: this.#trace.now() }),
        handed: (to) => this.onHanded(to),
      });
      this.#stores.set(name, store);
    }
    const owner = store;
    const member: Member = {
      connection,
      sink,
      addresses: request.addresses,
      lockMs: this.#profile.renews ? request.lockMs : FIXED_LOCK_MS,
      record: this.#record(slot, request),
      renews: this.#profile.renews,
      settlesAtOnce: this.#profile.name === 'log' || this.#profile.isDirect,
      held: new Set(),
      isStopped: false,
      isPumping: false,
      isWaiting: false,
    };
    owner.join(member);
    const stop = () => {
      member.record.stoppedAt ??= this.#trace.now();
      owner.stop(member);
    };
    return {
      stop: () => connection.call('stop', () => {}).then(stop, stop),
      caughtUp: () =>
        connection
          .call('caughtUp', () => owner.caughtUp(member))
          .then(
            () => {},
            () => {},
          ),
      close: async () => {
        stop();
        if (connection.state === 'up') {
          for (const { handed } of member.held) if (!handed.wasSettled) this.#leaked(handed);
        }
        member.record.closedAt ??= this.#trace.now();
        owner.leave(member);
        if (!owner.outlivesMembers && owner.members.length === 0) this.#stores.delete(name);
      },
    };
  }

  #leaked(handed: Handed): void {
    this.#trace.wrong.push(`lease-leaked: event ${handed.number} was never settled`);
  }

  // ── misfortune ──

  /** Breaks a connection; it comes back by itself. */
  cut(slot: number, downMs: number): void {
    const connection = this.connections.get(slot);
    const context = this.#contexts.get(slot);
    if (connection === undefined || context === undefined || connection.state !== 'up' || this.#profile.isDirect)
      return;
    connection.state = 'down';
    connection.cut();
    this.#loseHolds(connection);
    context.signal({ kind: 'disconnected', error: refusal('disconnected') });
    this.#clock.after(downMs, () => {
      if (connection.state !== 'down') return;
      connection.state = 'up';
      context.signal({ kind: 'reconnected', downMs, mayHaveLost: this.#profile.isLossy });
      for (const store of this.#stores.values()) store.pumpAll();
    });
  }

  /** The locks of what a participant holds pass to others. */
  loseLocks(slot: number): void {
    const connection = this.connections.get(slot);
    if (connection !== undefined) this.#loseHolds(connection);
  }

  #loseHolds(connection: Connection): void {
    for (const store of this.#stores.values()) {
      if (connection.state !== 'up') store.endCaughtUp();
      for (const member of store.members) if (member.connection === connection) store.release(member);
    }
  }

  restart(keeps: boolean, downMs: number): void {
    if (this.#profile.isDirect) return;
    for (const slot of this.connections.keys()) this.cut(slot, downMs);
    if (keeps) return;
    for (const store of this.#stores.values()) {
      const gone = store.wipe();
      if (gone.length === 0) continue;
      const slots = new Set(store.members.map(({ record }) => record.slot));
      for (const member of store.members) {
        for (const number of gone) member.record.lost.push({ number, at: this.#trace.now() });
      }
      for (const slot of slots) this.#contexts.get(slot)?.signal({ kind: 'gap', reason: 'trimmed' });
    }
  }

  /** A participant is gone without a word. */
  crash(slot: number): void {
    const connection = this.connections.get(slot);
    if (connection === undefined) return;
    connection.state = 'crashed';
    connection.generation++;
    this.#listeners = this.#listeners.filter((listener) => listener.connection !== connection);
    for (const [name, store] of this.#stores) {
      for (const member of [...store.members]) {
        if (member.connection !== connection) continue;
        this.#clock.after(member.lockMs, () => store.leave(member));
        member.isStopped = true;
        if (!store.outlivesMembers && store.members.every(({ isStopped }) => isStopped)) this.#stores.delete(name);
      }
    }
    this.connections.delete(slot);
    this.#contexts.delete(slot);
  }
}

/** The same of a subscription as its user describes it. */
export function storeNameOf({ plan, role, instance }: SubscriptionRecord): string | undefined {
  const { group, durable } = plan;
  return storeName({ durable, group: group === undefined ? undefined : `${role}/${group}` }, instance);
}

/** The name of what the service keeps for a subscription; undefined: for as long as it is open. @param request its group as adapters are told it */
export function storeName(
  request: { readonly group?: string | undefined; readonly durable?: string | undefined },
  instance: string,
): string | undefined {
  if (request.group !== undefined) return `group-${request.group}`;
  if (request.durable !== undefined) return `durable-${instance}-${request.durable}`;
  return undefined;
}
