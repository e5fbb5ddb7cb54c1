import type { Alarm } from '../../time/alarm.ts';
import { TimeHeap } from '../../time/time-heap.ts';
import type { MessageContent } from '../message/content.ts';
import type { PropertyValue } from '../rules/index.ts';
import type { Outcome, ReceiveMode, StoredMessage } from './api.ts';
import { Copy, type Origin, PHASE } from './copy.ts';
import { Dispatcher } from './dispatcher.ts';
import { BrokerError } from './error.ts';
import { Line } from './line.ts';
import type { LinkReceiver } from './link-receiver.ts';
import { type Lock, Locks } from './lock.ts';
import { MessageLog } from './message-log.ts';
import type { Quota } from './quota.ts';
import { Schedule } from './schedule.ts';
import { Sessions } from './sessions.ts';
import type { Account } from './tariff.ts';

/** What a queue asks of the entity it belongs to. Copies it passes on have left the queue. */
export interface QueueOwner {
  readonly path: string;
  readonly alarm: Alarm;
  readonly quota: Quota;
  readonly account: Account;
  readonly lockDurationMs: number;
  /** Infinity: deliveries are not counted. */
  readonly maxDeliveryCount: number;
  /** Nothing is handed out. */
  readonly isPaused: boolean;
  /** Nothing waits here: it goes on at once. */
  readonly forwards: boolean;
  now(): number;
  receiverLeft(): void;
  /** A receiver's handler threw. */
  fault(error: unknown): void;
  forward(copy: Copy): void;
  expired(copy: Copy): void;
  exhausted(copy: Copy): void;
  /** Where it may be dead-lettered: with what its content becomes. @throws `amqp:not-allowed` */
  deadLetterContent(copy: Copy, outcome: Outcome & { readonly kind: 'dead-letter' }): MessageContent;
  deadLetter(copy: Copy, content: MessageContent): void;
  /** Its time has come. */
  due(copy: Copy): void;
}

/** One queue of messages with their locks: of a queue or a subscription, or one of their sub-queues. */
export class MessageQueue {
  readonly owner: QueueOwner;
  readonly log = new MessageLog();
  readonly locks = new Locks((number) => this.log.get(number));
  readonly schedule: Schedule;
  /** Those without a session. */
  readonly line = new Line();
  readonly dispatcher = new Dispatcher(this);
  readonly sessions: Sessions | undefined;
  readonly #expiries = new TimeHeap();
  #closedBy: BrokerError | undefined;

  constructor(owner: QueueOwner, requiresSession: boolean) {
    this.owner = owner;
    this.schedule = new Schedule(this.log, owner.alarm);
    this.sessions = requiresSession ? new Sessions(this) : undefined;
  }

  /** Waits here from now on; `run` hands it out. A message for a queue with sessions has one. */
  enqueue(content: MessageContent, origin: Origin): void {
    const copy = this.#append(content, origin, PHASE.locked);
    if (copy.expiresAtMs !== Number.POSITIVE_INFINITY) {
      this.#expiries.add(copy.expiresAtMs, copy.sequenceNumber);
      this.#expiries.sweep(this.log.size, this.#mayExpire);
      this.owner.alarm.by(copy.expiresAtMs);
    }
    this.#makeAvailable(copy, true, origin.enqueuedAtMs);
  }

  /** @returns its sequence number until it is due */
  postpone(content: MessageContent, origin: Origin): number {
    const copy = this.#append(content, origin, PHASE.scheduled);
    this.schedule.add(copy);
    return copy.sequenceNumber;
  }

  /** Hands out what can be handed out. */
  run(): void {
    if (this.owner.isPaused) return;
    if (this.sessions === undefined) this.dispatcher.run();
    else this.sessions.run();
  }

  /** The next message of a line, now in nobody's hands. Those that have expired are taken care of. */
  take(line: Line, now: number): Copy | undefined {
    for (;;) {
      const number = line.shift();
      if (number === undefined) return undefined;
      const copy = this.log.get(number);
      if (copy?.phase !== PHASE.available) continue;
      line.taken();
      copy.phase = PHASE.locked;
      if (copy.expiresAtMs > now) return copy;
      this.#expire(copy);
    }
  }

  untake(copy: Copy): void {
    copy.phase = PHASE.available;
    this.#lineOf(copy).giveBack(copy.sequenceNumber);
  }

  deliver(copy: Copy, receiver: LinkReceiver, now: number): void {
    this.owner.account.countMessage('receive', copy.content.size);
    receiver.hand(this.hold(copy, receiver.mode, now, receiver));
  }

  /** Locks it, or gives it away. @param copy in nobody's hands */
  hold(copy: Copy, mode: ReceiveMode, now: number, holder?: LinkReceiver) {
    if (mode === 'receive-and-delete') {
      this.remove(copy);
      return { message: copy, lockToken: undefined, lockedUntilMs: 0 };
    }
    const session = copy.session?.held;
    if (session !== undefined) return this.locks.grant(copy, session.lockedUntilMs, holder, session);
    const untilMs = now + this.owner.lockDurationMs;
    this.owner.alarm.by(untilMs);
    return this.locks.grant(copy, untilMs, holder);
  }

  /** @throws `com.microsoft:message-lock-lost` `com.microsoft:session-lock-lost` */
  settle(lockToken: string, outcome: Outcome, sessionId?: string, holder?: object): void {
    if (this.#closedBy !== undefined) throw this.#closedBy;
    const now = this.owner.now();
    const lock = this.#lock(lockToken, now, sessionId);
    if (holder !== undefined && lock.holder !== holder) throw this.#lockLost();
    const copy = lock.message;
    switch (outcome.kind) {
      case 'complete':
        this.remove(copy);
        break;
      case 'release':
        this.letGo(copy, now);
        break;
      case 'abandon':
      case 'defer':
        this.#rewrite(copy, outcome.modify);
        if (outcome.kind === 'defer') copy.phase = PHASE.lockedDeferred;
        this.fail(copy);
        this.letGo(copy, now);
        break;
      case 'dead-letter': {
        const content = this.owner.deadLetterContent(copy, outcome);
        this.remove(copy);
        this.owner.deadLetter(copy, content);
      }
    }
    this.owner.account.count('settle');
    this.run();
  }

  /** @throws `com.microsoft:message-lock-lost` */
  renew(lockTokens: readonly string[]): readonly number[] {
    const now = this.owner.now();
    const locks = lockTokens.map((token) => this.#lock(token, now));
    if (this.sessions !== undefined && locks.length > 0) {
      throw new BrokerError(
        'amqp:not-allowed',
        `A message of a session is locked by its session: renew the session lock instead.`,
      );
    }
    const untilMs = now + this.owner.lockDurationMs;
    for (const lock of locks) this.locks.renew(lock, untilMs);
    this.owner.alarm.by(untilMs);
    return locks.map(() => untilMs);
  }

  peek(from: number, count: number, sessionId?: string): readonly StoredMessage[] {
    const now = this.owner.now();
    const found: StoredMessage[] = [];
    if (count < 1) return found;
    for (const copy of this.log.from(from)) {
      if (sessionId !== undefined && copy.content.sessionId !== sessionId) continue;
      if (copy.phase === PHASE.available && copy.expiresAtMs <= now) continue;
      if (found.push(copy) >= count) break;
    }
    return found;
  }

  /** @throws `com.microsoft:message-not-found` */
  receiveDeferred(sequenceNumbers: readonly number[], mode: ReceiveMode, sessionId?: string) {
    const now = this.owner.now();
    // In a session only to whoever holds it.
    const session = this.sessions?.require(sessionId, now).session;
    const copies = [...new Set(sequenceNumbers)].map((number) => {
      const copy = this.log.get(number);
      if (copy?.phase === PHASE.deferred && copy.session === session) return copy;
      throw deferredNotFound(number);
    });
    // They expire at this time and not before, so that whoever noted their numbers has a last look by peeking.
    const expired = copies.filter((copy) => copy.expiresAtMs <= now);
    for (const copy of expired) this.#expire(copy);
    if (expired.length > 0) throw deferredNotFound(expired[0]!.sequenceNumber);
    return copies.map((copy) => {
      copy.phase = PHASE.lockedDeferred;
      this.owner.account.countMessage('receive', copy.content.size);
      return this.hold(copy, mode, now);
    });
  }

  deleteBatch(count: number, enqueuedBeforeMs: number, sessionId?: string): number {
    let deleted = 0;
    for (const copy of this.log.from(1)) {
      if (deleted >= count) break;
      if (copy.phase !== PHASE.available || copy.enqueuedAtMs >= enqueuedBeforeMs) continue;
      if (sessionId !== undefined && copy.content.sessionId !== sessionId) continue;
      this.remove(copy);
      deleted++;
    }
    return deleted;
  }

  /** @throws `com.microsoft:message-not-found`: then none is cancelled */
  cancelScheduled(sequenceNumbers: readonly number[]): void {
    for (const copy of this.schedule.find(sequenceNumbers)) this.remove(copy);
  }

  /** A delivery failed. */
  fail(copy: Copy): void {
    if (this.owner.maxDeliveryCount !== Number.POSITIVE_INFINITY) copy.countFailure();
  }

  /** A lock ended, and the message goes on. */
  letGo(copy: Copy, now: number): void {
    if (copy.lock !== undefined) this.locks.release(copy.lock);
    if (copy.deliveryCount >= this.owner.maxDeliveryCount) {
      this.remove(copy);
      this.owner.exhausted(copy);
    } else if (copy.phase === PHASE.lockedDeferred) copy.phase = PHASE.deferred;
    else this.#makeAvailable(copy, false, now);
  }

  remove(copy: Copy): void {
    const { phase } = copy;
    if (phase === PHASE.gone) return;
    if (copy.lock !== undefined) this.locks.release(copy.lock);
    this.log.remove(copy.sequenceNumber);
    copy.phase = PHASE.gone;
    this.owner.quota.usedBytes -= copy.charge;
    if (phase === PHASE.scheduled) this.schedule.left();
    if (phase === PHASE.available) this.#lineOf(copy).forget(this.#waits);
    copy.session?.left();
  }

  /** Does what is due. @returns when the next thing is */
  wake(now: number): number {
    for (let number = this.locks.takeDue(now); number !== undefined; number = this.locks.takeDue(now)) {
      const copy = this.log.get(number);
      if (copy?.lock === undefined || copy.lock.lockedUntilMs > now) continue;
      this.fail(copy);
      this.letGo(copy, now);
    }
    for (let number = this.#expiries.takeDue(now); number !== undefined; number = this.#expiries.takeDue(now)) {
      const copy = this.log.get(number);
      if (copy?.phase === PHASE.available && copy.expiresAtMs <= now) this.#expire(copy);
    }
    for (let copy = this.schedule.takeDue(now); copy !== undefined; copy = this.schedule.takeDue(now)) {
      this.remove(copy);
      this.owner.due(copy);
    }
    const session = this.sessions?.wake(now) ?? Number.POSITIVE_INFINITY;
    this.run();
    return Math.min(session, this.locks.next(), this.#expiries.next(this.#mayExpire), this.schedule.next());
  }

  /** All that waits goes on: the owner forwards now. */
  forwardAll(): void {
    const now = this.owner.now();
    for (const copy of this.log.from(1)) {
      if (copy.phase !== PHASE.available) continue;
      this.remove(copy);
      if (copy.expiresAtMs <= now) this.owner.expired(copy);
      else this.owner.forward(copy);
    }
  }

  /** Nobody receives here any more. */
  close(error: BrokerError): void {
    this.#closedBy = error;
    this.dispatcher.close();
    this.sessions?.close(error);
  }

  #append(content: MessageContent, origin: Origin, phase: Copy['phase']): Copy {
    const session = this.sessions?.enter(content.sessionId!, origin.enqueuedAtMs);
    const copy = new Copy(content, this.log.next, origin, phase, session);
    this.log.append(copy);
    this.owner.quota.usedBytes += copy.charge;
    return copy;
  }

  /** @param copy in nobody's hands */
  #makeAvailable(copy: Copy, isNew: boolean, now: number): void {
    if (copy.expiresAtMs <= now) return this.#expire(copy);
    if (this.owner.forwards) {
      this.remove(copy);
      return this.owner.forward(copy);
    }
    copy.phase = PHASE.available;
    const line = this.#lineOf(copy);
    if (isNew) line.append(copy.sequenceNumber);
    else line.giveBack(copy.sequenceNumber);
    copy.session?.hasMore();
  }

  #expire(copy: Copy): void {
    this.remove(copy);
    this.owner.expired(copy);
  }

  #lineOf(copy: Copy): Line {
    return copy.session?.line ?? this.line;
  }

  /** @throws `com.microsoft:argument-error` for a value that no property can have */
  #rewrite(copy: Copy, user: ReadonlyMap<string, PropertyValue> | undefined): void {
    if (user === undefined || user.size === 0) return;
    const content = copy.content.with({ user });
    const grown = content.size - copy.content.size;
    copy.content = content;
    copy.charge += grown;
    this.owner.quota.usedBytes += grown;
  }

  #lock(token: string, now: number, sessionId?: string): Lock {
    const lock = this.locks.find(token);
    if (lock === undefined) throw this.#lockLost();
    const { session, message } = lock;
    // Where there are no sessions a session id is one property among others.
    if (sessionId !== undefined && session !== undefined && message.session?.id !== sessionId) throw this.#lockLost();
    if ((session ?? lock).lockedUntilMs > now) return lock;
    // The timer is late.
    this.owner.alarm.by(this.wake(now));
    throw this.#lockLost();
  }

  #lockLost(): BrokerError {
    return this.sessions === undefined
      ? new BrokerError(
          'com.microsoft:message-lock-lost',
          'The lock is not valid: it has expired, or the message is no longer in the queue.',
        )
      : new BrokerError(
          'com.microsoft:session-lock-lost',
          'The lock is not valid: that of the session has expired, or the message is no longer in the queue.',
        );
  }

  readonly #waits = (number: number) => this.log.get(number)?.phase === PHASE.available;
  readonly #mayExpire = (number: number) => {
    const phase = this.log.get(number)?.phase;
    return phase === PHASE.available || phase === PHASE.locked;
  };
}

function deferredNotFound(number: number): BrokerError {
  return new BrokerError(
    'com.microsoft:message-not-found',
    `Failed to lock one or more specified messages: there is no deferred message with the sequence number ${number}.`,
  );
}
