/**
 * The service of the example: a small log broker that speaks JSON lines over TCP. A request is one line, `{ "n": 7, "do": "take", … }`; its answer
 * is one line with the same `n`, and an `error` if it was refused. It keeps its logs in memory over `kill` and `start`, as others do on disk.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { BreakableService } from '@polycast/local-services';

import { readLines } from './client.ts';

/** Entries that a topic keeps, and that a cursor may have in front of it: older ones are gone, and its readers hear of it. */
const MAX_ENTRIES = 10_000;
/** A consumer whose connection is lost has so long to come back, ms. */
const GRACE_MS = 30_000;

interface Entry {
  readonly id: number;
  readonly to: readonly string[];
  readonly key: string | undefined;
  readonly event: string;
  readonly atMs: number;
}

interface Waiting {
  readonly entry: Entry;
  readonly attempt: number;
  readonly notBeforeMs: number;
}

/** Where one subscription stands, or one group of competing consumers. */
interface Cursor {
  readonly isDurable: boolean;
  readonly isGroup: boolean;
  readonly addresses: readonly string[];
  readonly consumers: Map<string, Socket | undefined>;
  readonly locked: Map<number, { readonly waiting: Waiting; readonly consumer: string; untilMs: number }>;
  waiting: Waiting[];
  /** How often entries were lost that its consumers had not read. */
  losses: number;
}

interface Topic {
  readonly log: Entry[];
  readonly cursors: Map<string, Cursor>;
  /** The newest entry that is gone. */
  trimmedId: number;
  /** The next append is refused, and its sender asked to wait for so long, ms. 0: it is not. */
  pauseMs: number;
}

/** A poll that waits for an entry. */
interface Poll {
  readonly socket: Socket;
  readonly request: Request;
  readonly untilMs: number;
}

/** A request. Which of these it has, `do` says. */
interface Request {
  readonly n: number;
  readonly do: 'hello' | 'append' | 'listen' | 'take' | 'settle' | 'renew' | 'stop' | 'leave';
  readonly entries: readonly {
    readonly topic: string;
    readonly to: readonly string[];
    readonly key?: string;
    readonly event: string;
  }[];
  readonly topic: string;
  readonly cursor: string;
  readonly consumer: string;
  readonly addresses: readonly string[];
  readonly isDurable: boolean;
  readonly isGroup: boolean;
  readonly startFrom: 'new' | 'earliest' | { readonly timeMs: number } | { readonly after: string };
  readonly most: number;
  /** How many losses the consumer knows of: it is told of more at once, and again should the answer be lost. */
  readonly losses: number;
  readonly waitMs: number;
  readonly lockMs: number;
  readonly id: number;
  /** Settled as done if it is left out. */
  readonly again?: { readonly attempt: number; readonly delayMs: number };
}

/** Why a request is refused. */
class Refusal extends Error {
  readonly error: { readonly code: string; readonly message: string; readonly retryAfterMs?: number };

  constructor(code: string, message: string, more: { readonly retryAfterMs?: number } = {}) {
    super(message);
    this.error = { code, message, ...more };
  }
}

export class Broker implements BreakableService {
  port = 0;
  readonly #server = createServer({ noDelay: true }, (socket) => this.#join(socket));
  readonly #sockets = new Set<Socket>();
  readonly #topics = new Map<string, Topic>();
  #polls: Poll[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isFrozen = false;
  #newestId = 0;

  static async start(): Promise<Broker> {
    const broker = new Broker();
    await broker.start();
    return broker;
  }

  get url(): string {
    return `line-log://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    if (this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.unref().listen(this.port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
    for (const topic of this.#topics.values())
      for (const [name, cursor] of topic.cursors)
        for (const one of cursor.consumers.keys()) this.#expire(topic, name, one);
  }

  async kill(): Promise<void> {
    this.#isFrozen = false;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    await this.cut();
    await closed;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  async cut(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
  }

  async freeze(): Promise<void> {
    this.#isFrozen = true;
    for (const socket of this.#sockets) socket.pause();
  }

  async thaw(): Promise<void> {
    this.#isFrozen = false;
    for (const socket of this.#sockets) socket.resume();
    this.#answerPolls();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#server.listening) await this.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Refuses the next append to each topic, and asks its sender to wait. */
  throttle(pauseMs: number): void {
    for (const topic of this.#topics.values()) topic.pauseMs = pauseMs;
  }

  /** Drops what nobody has read. */
  trim(topic: string): void {
    for (const cursor of this.#topic(topic).cursors.values()) {
      if (cursor.waiting.length > 0) cursor.losses++;
      cursor.waiting = [];
    }
    this.#answerPolls();
  }

  /** Names of the cursors of a topic. */
  residue(topic: string): readonly string[] {
    return [...this.#topic(topic).cursors.keys()];
  }

  append(topic: string, to: readonly string[], event: string, key?: string): void {
    const { log, cursors } = this.#topic(topic);
    const entry: Entry = { id: ++this.#newestId, to, event, key, atMs: Date.now() };
    log.push(entry);
    if (log.length > MAX_ENTRIES) this.#topic(topic).trimmedId = log.shift()!.id;
    for (const cursor of cursors.values()) {
      if (!isFor(cursor, entry)) continue;
      cursor.waiting.push({ entry, attempt: 1, notBeforeMs: 0 });
      if (cursor.waiting.length <= MAX_ENTRIES) continue;
      cursor.waiting.shift();
      cursor.losses++;
    }
    this.#answerPolls();
  }

  // ── connections ──

  #join(socket: Socket): void {
    this.#sockets.add(socket);
    if (this.#isFrozen) socket.pause();
    socket.unref().on('error', () => {});
    socket.on('close', () => this.#leave(socket));
    readLines(socket, (line) => {
      let n: unknown;
      try {
        const request = JSON.parse(line) as Request;
        n = request.n;
        const answer = this.#perform(request, socket);
        if (answer !== undefined) this.#answer(socket, { n, ...answer });
      } catch (thrown) {
        if (!(thrown instanceof Refusal)) return void socket.destroy();
        this.#answer(socket, { n, error: thrown.error });
      }
    });
  }

  #answer(socket: Socket, answer: object): void {
    if (!socket.destroyed) socket.write(`${JSON.stringify(answer)}\n`);
  }

  #leave(socket: Socket): void {
    this.#sockets.delete(socket);
    this.#polls = this.#polls.filter((poll) => poll.socket !== socket);
    for (const topic of this.#topics.values()) {
      for (const [name, cursor] of topic.cursors) {
        for (const [consumer, its] of cursor.consumers) {
          if (its !== socket) continue;
          cursor.consumers.set(consumer, undefined);
          this.#expire(topic, name, consumer);
        }
      }
    }
  }

  /** A crashed consumer leaves nothing behind. While the broker is down nobody can come back. */
  #expire(topic: Topic, name: string, consumer: string): void {
    const look = () => {
      const cursor = topic.cursors.get(name);
      if (!this.#server.listening || cursor?.consumers.get(consumer) !== undefined) return;
      if (cursor?.consumers.has(consumer)) this.#removeConsumer(topic, name, consumer);
    };
    setTimeout(look, GRACE_MS).unref();
  }

  // ── requests ──

  /** @returns the answer; undefined if it comes later */
  #perform(request: Request, socket: Socket): object | undefined {
    switch (request.do) {
      case 'hello':
        return { broker: 'line-log', version: 1 };
      case 'append':
        return this.#append(request);
      case 'listen':
        return this.#listen(request, socket);
      case 'take':
        this.#polls.push({ socket, request, untilMs: Date.now() + request.waitMs });
        this.#answerPolls();
        return undefined;
      case 'settle':
      case 'renew':
        return this.#settle(request);
      case 'stop':
        for (const poll of this.#polls.filter((one) => one.request.consumer === request.consumer))
          this.#endPoll(poll, []);
        return {};
      case 'leave':
        this.#removeConsumer(this.#topic(request.topic), request.cursor, request.consumer);
        return {};
      default:
        throw new Refusal('invalid', 'unknown request');
    }
  }

  #append({ entries }: Request): object {
    for (const topic of new Set(entries.map((entry) => this.#topic(entry.topic)))) {
      const { pauseMs: retryAfterMs } = topic;
      topic.pauseMs = 0;
      if (retryAfterMs > 0) throw new Refusal('busy', 'the broker is busy', { retryAfterMs });
    }
    for (const { topic, to, event, key } of entries) this.append(topic, to, event, key);
    return {};
  }

  #listen(
    { topic: name, cursor: at, consumer, addresses, isDurable, isGroup, startFrom }: Request,
    socket: Socket,
  ): object {
    const topic = this.#topic(name);
    let cursor = topic.cursors.get(at);
    const isNew = cursor === undefined;
    if (cursor === undefined) {
      const after = typeof startFrom === 'object' && 'after' in startFrom ? Number(startFrom.after) : undefined;
      if (after !== undefined && !Number.isSafeInteger(after)) throw new Refusal('invalid', 'not a position');
      cursor = {
        isDurable,
        isGroup,
        addresses,
        consumers: new Map(),
        locked: new Map(),
        waiting: [],
        losses: 0,
      };
      const isWanted = (entry: Entry) => isFor(cursor!, entry) && isSince(entry, startFrom);
      cursor.waiting = topic.log.filter(isWanted).map((entry) => ({ entry, attempt: 1, notBeforeMs: 0 }));
      topic.cursors.set(at, cursor);
    }
    cursor.consumers.set(consumer, socket);
    return { newestId: this.#newestId, losses: cursor.losses, isNew };
  }

  #settle({ do: what, topic, cursor: at, consumer, id, lockMs, again }: Request): object {
    const cursor = this.#topic(topic).cursors.get(at);
    const held = cursor?.locked.get(id);
    if (cursor === undefined || held?.consumer !== consumer)
      throw new Refusal('not-yours', 'another consumer has the entry');
    if (what === 'renew') held.untilMs = Date.now() + lockMs;
    else if (again !== undefined) putBack(cursor, id, again.attempt, again.delayMs);
    else cursor.locked.delete(id);
    if (what === 'settle') this.#answerPolls();
    return {};
  }

  #removeConsumer(topic: Topic, at: string, consumer: string): void {
    const cursor = topic.cursors.get(at);
    if (cursor === undefined || !cursor.consumers.delete(consumer)) return;
    for (const [id, held] of cursor.locked)
      if (held.consumer === consumer) putBack(cursor, id, held.waiting.attempt + 1);
    if (cursor.consumers.size === 0 && !cursor.isDurable) topic.cursors.delete(at);
    this.#answerPolls();
  }

  // ── polls ──

  /** Answers the polls for which something is there, or whose time is over, in the order they came. */
  #answerPolls(): void {
    clearTimeout(this.#timer);
    if (this.#isFrozen) return;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const poll of [...this.#polls]) {
      const { topic, cursor: at, consumer, lockMs, most, losses } = poll.request;
      const cursor = this.#topic(topic).cursors.get(at);
      if (cursor?.consumers.has(consumer) !== true) {
        this.#endPoll(poll, new Refusal('no-cursor', 'nothing of that name is kept'));
        continue;
      }
      const nowMs = Date.now();
      const taken = take(cursor, consumer, most, lockMs);
      if (taken.length > 0 || cursor.losses > losses || poll.untilMs <= nowMs || most === 0)
        this.#endPoll(poll, taken, cursor);
      else nextMs = Math.min(nextMs, poll.untilMs, ...duesOf(cursor).filter((dueMs) => dueMs > nowMs));
    }
    if (nextMs < Number.POSITIVE_INFINITY)
      this.#timer = setTimeout(() => this.#answerPolls(), nextMs - Date.now()).unref();
  }

  #endPoll(poll: Poll, outcome: readonly Waiting[] | Refusal, cursor?: Cursor): void {
    this.#polls = this.#polls.filter((one) => one !== poll);
    const { n } = poll.request;
    if (outcome instanceof Refusal) return this.#answer(poll.socket, { n, error: outcome.error });
    const nowMs = Date.now();
    const entries = outcome.map(({ entry, attempt }) => ({
      id: entry.id,
      attempt,
      ageMs: nowMs - entry.atMs,
      event: entry.event,
    }));
    this.#answer(poll.socket, { n, entries, losses: cursor?.losses ?? 0 });
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name);
    if (topic === undefined)
      this.#topics.set(name, (topic = { log: [], cursors: new Map(), trimmedId: 0, pauseMs: 0 }));
    return topic;
  }
}

/** Entries that nobody has locked. Of a group, one with a key waits until the one of the same key before it is settled. */
function take(cursor: Cursor, consumer: string, most: number, lockMs: number): readonly Waiting[] {
  const nowMs = Date.now();
  for (const [id, held] of cursor.locked) if (held.untilMs <= nowMs) putBack(cursor, id, held.waiting.attempt + 1);
  const busy = new Set([...cursor.locked.values()].map(({ waiting }) => waiting.entry.key));
  const taken: Waiting[] = [];
  cursor.waiting = cursor.waiting.filter((waiting) => {
    const { id, key } = waiting.entry;
    const isBlocked = cursor.isGroup && key !== undefined && busy.has(key);
    busy.add(key);
    if (isBlocked || taken.length >= most || waiting.notBeforeMs > nowMs) return true;
    taken.push(waiting);
    cursor.locked.set(id, { waiting, consumer, untilMs: nowMs + lockMs });
    return false;
  });
  return taken;
}

function putBack(cursor: Cursor, id: number, attempt: number, delayMs = 0): void {
  const { entry } = cursor.locked.get(id)!.waiting;
  cursor.locked.delete(id);
  cursor.waiting.push({ entry, attempt, notBeforeMs: delayMs > 0 ? Date.now() + delayMs : 0 });
  cursor.waiting.sort((one, other) => one.entry.id - other.entry.id);
}

/** When something of it becomes free by itself. */
function duesOf({ locked, waiting }: Cursor): number[] {
  return [...[...locked.values()].map(({ untilMs }) => untilMs), ...waiting.map(({ notBeforeMs }) => notBeforeMs)];
}

function isFor({ addresses }: Cursor, { to }: Entry): boolean {
  return to.some((address) => addresses.includes(address));
}

function isSince({ id, atMs }: Entry, startFrom: Request['startFrom']): boolean {
  if (startFrom === 'new') return false;
  if (startFrom === 'earliest') return true;
  return 'timeMs' in startFrom ? atMs >= startFrom.timeMs : id > Number(startFrom.after);
}
