import type { ReceiveMode, SessionLock } from './api.ts';
import { checkId } from './check-message.ts';
import { BrokerError } from './error.ts';
import type { MessageQueue } from './message-queue.ts';
import { HeldSession, Session } from './session.ts';

/** Somebody who wants the next free session. */
interface Waiter {
  readonly mode: ReceiveMode;
  /** Epoch ms. */
  readonly untilMs: number;
  resolve(held: HeldSession): void;
  reject(error: BrokerError): void;
}

/** The sessions of one queue. */
export class Sessions {
  readonly queue: MessageQueue;
  readonly #byId = new Map<string, Session>();
  /** Those that nobody holds and that have (or had) messages waiting, in the order in which they got them. */
  readonly #free = new Set<Session>();
  readonly #held = new Set<HeldSession>();
  readonly #waiters = new Set<Waiter>();
  /** Those held that got messages since the last run. */
  #dirty: Session[] = [];

  constructor(queue: MessageQueue) {
    this.queue = queue;
  }

  /** How many are known. */
  get size(): number {
    return this.#byId.size;
  }

  /** Whether somebody holds a session or waits for one. */
  get isWatched(): boolean {
    return this.#held.size > 0 || this.#waiters.size > 0;
  }

  /** The session that a new message belongs to. */
  enter(id: string, now: number): Session {
    const session = this.#session(id);
    session.messages++;
    session.updatedAtMs = now;
    return session;
  }

  async accept(
    sessionId: string | null,
    mode: ReceiveMode,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<SessionLock> {
    if (signal?.aborted) throw cancelled();
    if (sessionId !== null) checkId('session id', sessionId);
    const now = this.queue.owner.now();
    this.#loseDue(now);
    if (sessionId !== null) {
      if (this.#byId.get(sessionId)?.held !== undefined) {
        throw new BrokerError(
          'com.microsoft:session-cannot-be-locked',
          `The requested session '${sessionId}' cannot be accepted. It may be locked by another receiver.`,
        );
      }
      return this.#hold(this.#session(sessionId), mode, now);
    }
    const free = this.#waiters.size === 0 ? this.#nextFree() : undefined;
    if (free !== undefined) return this.#hold(free, mode, now);
    if (timeoutMs <= 0) throw noneFree();
    return this.#wait(mode, now + timeoutMs, signal);
  }

  /** @throws `com.microsoft:session-lock-lost` when nobody holds it */
  require(sessionId: string | undefined, now: number): HeldSession {
    const held = sessionId === undefined ? undefined : this.#byId.get(sessionId)?.held;
    if (held !== undefined && held.lockedUntilMs > now) return held;
    throw lockLost(sessionId);
  }

  renew(sessionId: string): number {
    const now = this.queue.owner.now();
    const held = this.require(sessionId, now);
    held.lockedUntilMs = now + this.queue.owner.lockDurationMs;
    this.queue.owner.alarm.by(held.lockedUntilMs);
    return held.lockedUntilMs;
  }

  state(sessionId: string): Uint8Array | null {
    return this.require(sessionId, this.queue.owner.now()).session.state;
  }

  setState(sessionId: string, state: Uint8Array | null): void {
    const { owner } = this.queue;
    const now = owner.now();
    const { session } = this.require(sessionId, now);
    const grown = (state?.byteLength ?? 0) - (session.state?.byteLength ?? 0);
    if (grown > 0) owner.quota.require(grown);
    owner.quota.usedBytes += grown;
    session.state = state;
    session.updatedAtMs = now;
  }

  /** Ids of those that got messages or state after `updatedAfterMs`; 'active': of those with messages. */
  list(updatedAfterMs: number | 'active', skip: number, top: number): readonly string[] {
    const ids: string[] = [];
    let left = skip;
    for (const { id, messages, updatedAtMs } of this.#byId.values()) {
      if (ids.length >= top) break;
      if (updatedAfterMs === 'active' ? messages === 0 : updatedAtMs <= updatedAfterMs) continue;
      if (left-- > 0) continue;
      ids.push(id);
    }
    return ids;
  }

  hasMore(session: Session): void {
    if (session.held === undefined) this.#free.add(session);
    else if (!session.isDirty) {
      session.isDirty = true;
      this.#dirty.push(session);
    }
  }

  /** Free sessions to those who wait, then messages to those who hold theirs. */
  run(): void {
    if (this.queue.owner.isPaused) return;
    while (this.#waiters.size > 0) {
      const session = this.#nextFree();
      if (session === undefined) break;
      const [waiter] = this.#waiters;
      this.#waiters.delete(waiter!);
      waiter!.resolve(this.#hold(session, waiter!.mode, this.queue.owner.now()));
    }
    while (this.#dirty.length > 0) {
      const dirty = this.#dirty;
      this.#dirty = [];
      for (const session of dirty) {
        session.isDirty = false;
        session.held?.run();
      }
    }
  }

  /** Every receiver, whatever it waits for: receiving is possible again, or no longer. */
  runAll(): void {
    const { isPaused, path } = this.queue.owner;
    if (isPaused) {
      const error = new BrokerError('com.microsoft:entity-disabled', `'${path}' is currently disabled.`);
      for (const waiter of this.#waiters) waiter.reject(error);
      return;
    }
    for (const held of this.#held) held.run();
    this.run();
  }

  /** Nobody holds it any more. */
  ended(held: HeldSession): void {
    const { session } = held;
    session.held = undefined;
    this.#held.delete(held);
    if (session.line.size > 0) this.#free.add(session);
    this.tidy(session);
    this.queue.owner.receiverLeft();
  }

  /** Forgets it when there is nothing to remember. */
  tidy(session: Session): void {
    if (session.line.size === 0) this.#free.delete(session);
    if (session.messages > 0 || session.held !== undefined || session.state !== null) return;
    if (this.#byId.get(session.id) === session) this.#byId.delete(session.id);
  }

  /** @returns when the next lock or wait ends */
  wake(now: number): number {
    this.#loseDue(now);
    this.run();
    let next = Number.POSITIVE_INFINITY;
    for (const waiter of this.#waiters) {
      if (waiter.untilMs <= now) waiter.reject(noneFree());
      else next = Math.min(next, waiter.untilMs);
    }
    for (const { lockedUntilMs } of this.#held) next = Math.min(next, lockedUntilMs);
    return next;
  }

  close(error: BrokerError): void {
    for (const waiter of this.#waiters) waiter.reject(error);
    for (const held of this.#held) held.lose(error);
  }

  #loseDue(now: number): void {
    for (const held of this.#held) if (held.lockedUntilMs <= now) held.lose(lockLost(held.sessionId));
  }

  #session(id: string): Session {
    let session = this.#byId.get(id);
    if (session === undefined) this.#byId.set(id, (session = new Session(this, id)));
    return session;
  }

  #nextFree(): Session | undefined {
    for (const session of this.#free) {
      this.#free.delete(session);
      if (session.line.size > 0 && session.held === undefined) return session;
    }
    return undefined;
  }

  #hold(session: Session, mode: ReceiveMode, now: number): HeldSession {
    const { owner } = this.queue;
    const held = new HeldSession(this, session, mode, now + owner.lockDurationMs);
    session.held = held;
    this.#free.delete(session);
    this.#held.add(held);
    owner.alarm.by(held.lockedUntilMs);
    return held;
  }

  #wait(mode: ReceiveMode, untilMs: number, signal: AbortSignal | undefined): Promise<SessionLock> {
    this.queue.owner.alarm.by(untilMs);
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', abort);
      };
      const waiter: Waiter = {
        mode,
        untilMs,
        resolve: (held) => {
          leave();
          resolve(held);
        },
        reject: (error) => {
          leave();
          this.queue.owner.receiverLeft();
          reject(error);
        },
      };
      const abort = () => waiter.reject(cancelled());
      signal?.addEventListener('abort', abort);
      this.#waiters.add(waiter);
    });
  }
}

function lockLost(sessionId: string | undefined): BrokerError {
  return new BrokerError(
    'com.microsoft:session-lock-lost',
    sessionId === undefined
      ? 'The session lock is not held: no session was named.'
      : `The lock of the session '${sessionId}' has expired or is not held. Accept the session again.`,
  );
}

function noneFree(): BrokerError {
  return new BrokerError('com.microsoft:timeout', 'No session with messages became free in time.');
}

function cancelled(): BrokerError {
  return new BrokerError('com.microsoft:operation-cancelled', 'The request for the session was cancelled.');
}
