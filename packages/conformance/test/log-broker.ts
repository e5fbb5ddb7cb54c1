import type { Pushed, StartPosition } from '@polycast/core/adapter';

/** One stored message. */
export interface Entry {
  readonly id: number;
  readonly to: readonly string[];
  readonly bytes: Uint8Array;
  readonly key: string | undefined;
  /** What filters see. */
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly atMs: number;
  readonly expiresAtMs: number;
}

interface Waiting {
  readonly entry: Entry;
  readonly attempt: number;
  readonly notBeforeMs: number;
}

/** Where a subscription, or a group of them, stands. */
export interface Cursor {
  readonly name: string;
  readonly isDurable: boolean;
  readonly filter: Pushed | undefined;
  readonly consumers: Map<object, readonly string[]>;
  /** Addresses of whoever listened last, for the time when nobody does. */
  addresses: readonly string[];
  waiting: Waiting[];
  /** It was trimmed, and its consumers do not know yet. */
  hasLost: boolean;
  readonly pending: Map<number, { readonly waiting: Waiting; readonly consumer: object; untilMs: number }>;
}

interface Topic {
  readonly log: Entry[];
  readonly cursors: Map<string, Cursor>;
}

/** A small broker with a log: what a service does, without the wire. */
export class LogBroker {
  state: 'up' | 'down' | 'frozen' = 'up';
  /** The next append is refused, and its sender asked to wait for so long, ms. 0: it is not. */
  pauseMs = 0;
  /** Grows with every cut: older connections are broken. */
  generation = 0;
  readonly #topics = new Map<string, Topic>();
  readonly #wakes = new Set<() => void>();
  #nextId = 1;

  append(topic: string, entries: readonly Omit<Entry, 'id' | 'atMs'>[]): void {
    const { log, cursors } = this.#topic(topic);
    for (const one of entries) {
      const entry = { ...one, id: this.#nextId++, atMs: Date.now() };
      log.push(entry);
      for (const cursor of cursors.values()) {
        if (concerns(cursor, entry)) cursor.waiting.push({ entry, attempt: 1, notBeforeMs: 0 });
      }
    }
    this.wake();
  }

  listen(
    topic: string,
    name: string,
    consumer: object,
    options: { addresses: readonly string[]; isDurable: boolean; from: StartPosition; filter: Pushed | undefined },
  ): Cursor {
    const { log, cursors } = this.#topic(topic);
    let cursor = cursors.get(name);
    if (cursor === undefined) {
      cursor = {
        name,
        isDurable: options.isDurable,
        filter: options.filter,
        consumers: new Map(),
        addresses: options.addresses,
        waiting: [],
        hasLost: false,
        pending: new Map(),
      };
      cursors.set(name, cursor);
      const past = log.filter((entry) => isSince(entry, options.from) && concerns(cursor as Cursor, entry));
      cursor.waiting = past.map((entry) => ({ entry, attempt: 1, notBeforeMs: 0 }));
    }
    cursor.consumers.set(consumer, options.addresses);
    cursor.addresses = options.addresses;
    return cursor;
  }

  /** Drops what has not been taken yet. */
  trim(topic: string): void {
    for (const cursor of this.#topic(topic).cursors.values()) {
      cursor.hasLost ||= cursor.waiting.length > 0;
      cursor.waiting = [];
    }
    this.wake();
  }

  leave(topic: string, cursor: Cursor, consumer: object): void {
    cursor.consumers.delete(consumer);
    for (const [id, held] of cursor.pending) if (held.consumer === consumer) this.release(cursor, id, 0);
    if (cursor.consumers.size === 0 && !cursor.isDurable) this.#topic(topic).cursors.delete(cursor.name);
    this.wake();
  }

  take(cursor: Cursor, consumer: object, most: number, lockMs: number): Waiting[] {
    const now = Date.now();
    for (const [id, held] of cursor.pending) if (held.untilMs <= now) this.release(cursor, id, 0);
    const mine = cursor.consumers.get(consumer) ?? [];
    const busy = new Set([...cursor.pending.values()].map(({ waiting }) => waiting.entry.key));
    const taken: Waiting[] = [];
    cursor.waiting = cursor.waiting.filter((waiting) => {
      const { entry } = waiting;
      if (entry.expiresAtMs <= now) return false;
      const blocked = entry.key !== undefined && cursor.name.startsWith('group:') && busy.has(entry.key);
      const fits = taken.length < most && waiting.notBeforeMs <= now && entry.to.some((to) => mine.includes(to));
      if (entry.key !== undefined) busy.add(entry.key);
      if (blocked || !fits) return true;
      taken.push(waiting);
      cursor.pending.set(entry.id, { waiting, consumer, untilMs: now + lockMs });
      return false;
    });
    return taken;
  }

  /** @returns false if the lock has passed to somebody else */
  settle(cursor: Cursor, id: number, consumer: object, how: 'drop' | { delayMs: number; attempts?: number }): boolean {
    if (cursor.pending.get(id)?.consumer !== consumer) return false;
    if (how === 'drop') cursor.pending.delete(id);
    else this.release(cursor, id, how.delayMs, how.attempts);
    this.wake();
    return true;
  }

  renew(cursor: Cursor, id: number, consumer: object, lockMs: number): boolean {
    const held = cursor.pending.get(id);
    if (held?.consumer !== consumer) return false;
    held.untilMs = Date.now() + lockMs;
    return true;
  }

  release(cursor: Cursor, id: number, delayMs: number, attempts?: number): void {
    const held = cursor.pending.get(id);
    if (held === undefined) return;
    cursor.pending.delete(id);
    const { entry, attempt } = held.waiting;
    cursor.waiting.push({ entry, attempt: (attempts ?? attempt) + 1, notBeforeMs: Date.now() + delayMs });
    cursor.waiting.sort((one, other) => one.entry.id - other.entry.id);
  }

  residue(topic: string): readonly string[] {
    return [...(this.#topics.get(topic)?.cursors.keys() ?? [])];
  }

  /** Resolves when something happened, or a little later. */
  async change(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, 20);
      const wakes = this.#wakes;
      function done() {
        clearTimeout(timer);
        wakes.delete(done);
        resolve();
      }
      wakes.add(done);
    });
  }

  wake(): void {
    for (const wake of [...this.#wakes]) wake();
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name);
    if (topic === undefined) this.#topics.set(name, (topic = { log: [], cursors: new Map() }));
    return topic;
  }
}

function concerns(cursor: Cursor, entry: Entry): boolean {
  const listeners = cursor.consumers.size === 0 ? [cursor.addresses] : [...cursor.consumers.values()];
  return (
    listeners.some((addresses) => entry.to.some((to) => addresses.includes(to))) &&
    (cursor.filter?.accepts(entry.attributes) ?? true)
  );
}

function isSince(entry: Entry, from: StartPosition): boolean {
  if (from === 'new') return false;
  if (from === 'earliest') return true;
  return 'timeMs' in from ? entry.atMs >= from.timeMs : entry.id > Number(from.after);
}
