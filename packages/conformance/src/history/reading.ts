import type { Entry, Happening, RecordedSignal } from './record.ts';

type Of<What extends Happening['what']> = Extract<Entry, { what: What }>;

export interface Life {
  readonly id: string;
  readonly instance: string;
  readonly role: string;
  readonly source: string;
  readonly process: string;
  readonly joinAt: number;
  /** `close` was called, or the process ended. Infinity: neither. */
  endAt: number;
  /** The process ended before the broadcaster was closed. */
  crashed: boolean;
  leftAt: number;
  readonly signals: Of<'signal'>[];
  dropped: Of<'dropped'> | undefined;
}

export interface Sub extends Omit<Of<'subscribe'>, 'life' | 'what' | 'sub'> {
  readonly id: string;
  readonly life: Life;
  /** When `subscribe` failed. What it was handed before that was handed to another subscription, which is gone. */
  readonly failedAt: number[];
  /** Infinity: never open. */
  openAt: number;
  /** `close` was called, of it or of its broadcaster, or the process ended. */
  endAt: number;
  closedAt: number;
  crashed: boolean;
  paused: boolean;
  everPaused: boolean;
  readonly signals: Of<'signal'>[];
}

export interface Publication extends Of<'publish'> {
  readonly by: Life;
  /** Of all publications of its life. */
  readonly place: number;
  /** When it was taken or refused. Infinity: not yet. */
  doneAt: number;
  resolved: boolean;
  /** Why it was refused. */
  code: string | undefined;
}

export interface Call {
  readonly sub: Sub;
  readonly n: number;
  readonly id: string;
  readonly attempt: number;
  readonly at: number;
  doneAt: number;
  outcome: Of<'done'>['outcome'] | undefined;
}

export interface Fault {
  readonly id: string;
  readonly kind: string;
  readonly at: number;
  readonly loses: boolean;
  readonly forgets: boolean;
  healedAt: number;
}

/**
 * Everyone who shares the events of one subscription: a plain one is alone, a durable one lives on in the next life of its
 * instance, and a group of a role has members. Each member is also a receiver by itself, of what is for its instance.
 */
export interface Receiver {
  readonly id: string;
  readonly kind: Sub['kind'] | 'instance';
  readonly subs: Sub[];
  readonly calls: Map<number, Call[]>;
  /** Of a group: calls of members that the event was for as an instance, too. Each may have been the group's as well. */
  readonly besides: Map<number, Call[]>;
}

/** A record with everything found that belongs together. */
export class Reading {
  readonly lives = new Map<string, Life>();
  readonly subs = new Map<string, Sub>();
  readonly receivers = new Map<string, Receiver>();
  readonly publications: Publication[] = [];
  readonly byEvent = new Map<number, Publication[]>();
  readonly calls: Call[] = [];
  readonly faults: Fault[] = [];
  readonly barred: Of<'barred'>[] = [];
  readonly died: Of<'died'>[] = [];
  readonly silent: Of<'silent'>[] = [];
  readonly residue: Of<'residue'>[] = [];
  readonly idle: Of<'idle'>[] = [];
  /** When the first thing was done to them that no program does to itself. */
  firstFaultAt = Number.POSITIVE_INFINITY;
  readonly crashes: { readonly at: number; readonly process: string }[] = [];
  endAt = 0;
  /** When everything had had its time. */
  settledAt = Number.POSITIVE_INFINITY;
  readonly #calls = new Map<string, Call>();
  readonly #ids = new Map<string, number>();

  constructor(entries: readonly Entry[]) {
    for (const entry of [...entries].sort((one, other) => one.at - other.at)) {
      this.endAt = entry.at;
      this.#read(entry);
    }
  }

  /** The event that has this id; undefined if no handler was ever called with it. */
  eventOf(id: string | undefined): number | undefined {
    return id === undefined ? undefined : this.#ids.get(id);
  }

  receiverOf(sub: Sub): Receiver {
    return this.receivers.get(receiverKey(sub))!;
  }

  #read(entry: Entry): void {
    switch (entry.what) {
      case 'join':
        this.lives.set(entry.life, {
          id: entry.life,
          instance: entry.instance,
          role: entry.role,
          source: `/${entry.role}/${entry.instance}`,
          process: entry.process,
          joinAt: entry.at,
          endAt: Number.POSITIVE_INFINITY,
          leftAt: Number.POSITIVE_INFINITY,
          crashed: false,
          signals: [],
          dropped: undefined,
        });
        return;
      case 'barred':
        this.barred.push(entry);
        if (entry.sub !== undefined) this.subs.get(entry.sub)?.failedAt.push(entry.at);
        return;
      case 'leave':
        return this.#end(this.lives.get(entry.life), entry.at, false);
      case 'left': {
        const life = this.lives.get(entry.life);
        if (life !== undefined) life.leftAt = entry.at;
        return;
      }
      case 'crash':
        this.#disturbed(entry.at);
        this.crashes.push(entry);
        return this.#processEnded(entry.process, entry.at);
      case 'died':
        this.died.push(entry);
        return this.#processEnded(entry.process, entry.at);
      case 'silent':
        this.silent.push(entry);
        return this.#processEnded(entry.process, entry.at);
      case 'subscribe':
        return this.#subscribe(entry);
      case 'subscribed':
        return this.#with(entry.sub, (sub) => {
          sub.openAt = entry.at;
        });
      case 'close':
        return this.#with(entry.sub, (sub) => {
          sub.endAt = Math.min(sub.endAt, entry.at);
        });
      case 'closed':
        return this.#with(entry.sub, (sub) => {
          sub.closedAt = entry.at;
        });
      case 'pause':
        return this.#with(entry.sub, (sub) => {
          sub.paused = sub.everPaused = true;
        });
      case 'resume':
        return this.#with(entry.sub, (sub) => {
          sub.paused = false;
        });
      case 'publish':
        return this.#publish(entry);
      case 'published':
      case 'refused':
        for (const one of this.byEvent.get(entry.n) ?? []) {
          if (one.copy !== entry.copy) continue;
          one.doneAt = entry.at;
          one.resolved = entry.what === 'published';
          one.code = entry.what === 'refused' ? entry.code : undefined;
        }
        return;
      case 'call':
        return this.#call(entry);
      case 'done': {
        const call = this.#calls.get(entry.call);
        if (call === undefined) return;
        call.doneAt = entry.at;
        call.outcome = entry.outcome;
        return;
      }
      case 'signal':
        if (entry.sub === undefined) this.lives.get(entry.life)?.signals.push(entry);
        else this.subs.get(entry.sub)?.signals.push(entry);
        return;
      case 'dropped': {
        const life = this.lives.get(entry.life);
        if (life !== undefined) life.dropped = entry;
        return;
      }
      case 'fault':
        this.#disturbed(entry.at);
        this.faults.push({
          id: entry.fault,
          kind: entry.kind,
          at: entry.at,
          loses: entry.loses === true,
          forgets: entry.forgets === true,
          healedAt: Number.POSITIVE_INFINITY,
        });
        return;
      case 'starved':
        return this.#disturbed(entry.at - entry.forMs);
      case 'healed': {
        const fault = this.faults.find(({ id }) => id === entry.fault);
        if (fault !== undefined) fault.healedAt = entry.at;
        return;
      }
      case 'settled':
        this.settledAt = entry.at;
        return;
      case 'residue':
        this.residue.push(entry);
        return;
      case 'idle':
        this.idle.push(entry);
        return;
    }
  }

  #disturbed(at: number): void {
    this.firstFaultAt = Math.min(this.firstFaultAt, at);
  }

  #with(id: string, deed: (sub: Sub) => void): void {
    const sub = this.subs.get(id);
    if (sub !== undefined) deed(sub);
  }

  #end(life: Life | undefined, at: number, crashed: boolean): void {
    if (life === undefined) return;
    for (const sub of this.subs.values()) {
      if (sub.life !== life || sub.closedAt < at) continue;
      // A process that ends while it closes has not closed.
      if (crashed) sub.crashed = true;
      sub.endAt = Math.min(sub.endAt, at);
    }
    if (crashed && life.leftAt < at) return;
    if (crashed) life.crashed = true;
    life.endAt = Math.min(life.endAt, at);
  }

  #processEnded(process: string, at: number): void {
    for (const life of this.lives.values()) if (life.process === process) this.#end(life, at, true);
  }

  #subscribe(entry: Of<'subscribe'>): void {
    const life = this.lives.get(entry.life);
    if (life === undefined) return;
    const { what: _, sub: id, life: __, ...rest } = entry;
    const sub: Sub = {
      ...rest,
      id,
      life,
      failedAt: [],
      openAt: Number.POSITIVE_INFINITY,
      endAt: Number.POSITIVE_INFINITY,
      closedAt: Number.POSITIVE_INFINITY,
      crashed: false,
      paused: false,
      everPaused: false,
      signals: [],
    };
    this.subs.set(id, sub);
    const key = receiverKey(sub);
    const keys = [[key, sub.kind], ...(sub.kind === 'group' ? [[instanceKey(sub), 'instance'] as const] : [])] as const;
    for (const [id, kind] of keys) {
      const receiver: Receiver = this.receivers.get(id) ?? { id, kind, subs: [], calls: new Map(), besides: new Map() };
      receiver.subs.push(sub);
      this.receivers.set(id, receiver);
    }
  }

  #publish(entry: Of<'publish'>): void {
    const by = this.lives.get(entry.life);
    if (by === undefined) return;
    const place = this.publications.reduce((count, one) => (one.by === by ? count + 1 : count), 0);
    const made: Publication = {
      ...entry,
      by,
      place,
      doneAt: Number.POSITIVE_INFINITY,
      resolved: false,
      code: undefined,
    };
    this.publications.push(made);
    const copies = this.byEvent.get(entry.n);
    if (copies === undefined) this.byEvent.set(entry.n, [made]);
    else copies.push(made);
  }

  #call(entry: Of<'call'>): void {
    const sub = this.subs.get(entry.sub);
    if (sub === undefined) return;
    const { n, id, attempt, at } = entry;
    const call: Call = { sub, n, id, attempt, at, doneAt: Number.POSITIVE_INFINITY, outcome: undefined };
    this.#ids.set(id, n);
    this.calls.push(call);
    this.#calls.set(entry.call, call);
    const receiver = this.receivers.get(receiverKey(sub))!;
    const published = this.byEvent.get(n)?.[0];
    if (sub.kind !== 'group' || published === undefined || !isForInstance(sub, published)) {
      return add(receiver.calls, n, call);
    }
    add(this.receivers.get(instanceKey(sub))!.calls, n, call);
    if (isForGroup(sub, published)) add(receiver.besides, n, call);
  }
}

function receiverKey(sub: Sub): string {
  if (sub.kind === 'group') return `group ${sub.life.role}/${sub.name}`;
  return sub.kind === 'durable' ? `durable ${sub.life.instance} ${sub.name}` : sub.id;
}

function instanceKey(sub: Sub): string {
  return `${sub.id} of ${sub.life.instance}, past group ${sub.name}`;
}

function add(calls: Map<number, Call[]>, n: number, call: Call): void {
  const list = calls.get(n);
  if (list === undefined) calls.set(n, [call]);
  else list.push(call);
}

export function isForInstance({ life }: Sub, { to }: Publication): boolean {
  return to.includes(`instance:${life.instance}`);
}

export function isForGroup({ life }: Sub, { to }: Publication): boolean {
  return to.includes('*') || to.includes(`role:${life.role}`);
}

/** Is the event for this subscription as one of the receiver's? */
export function isForIn({ kind }: Receiver, sub: Sub, publication: Publication): boolean {
  if (!isFor(sub, publication)) return false;
  if (kind === 'instance') return isForInstance(sub, publication);
  return kind !== 'group' || isForGroup(sub, publication);
}

/** Does the filter of the subscription leave the event out? */
export function leavesOut({ odd }: Sub, { n }: Publication): boolean {
  return odd === true && n % 2 === 0;
}

/** Is the event for this subscription? */
export function isFor(sub: Sub, publication: Publication): boolean {
  if (leavesOut(sub, publication)) return false;
  if (sub.life.instance === publication.by.instance && publication.carbonCopy !== true) return false;
  return publication.to.some(
    (address) => address === '*' || address === `role:${sub.life.role}` || address === `instance:${sub.life.instance}`,
  );
}

/** The signals that reached one subscription: its own, and what its broadcaster said of the connection. */
export function signalsOf(sub: Sub): readonly { readonly at: number; readonly signal: RecordedSignal }[] {
  return [...sub.life.signals.filter(({ signal }) => signal.kind === 'reconnected'), ...sub.signals];
}
