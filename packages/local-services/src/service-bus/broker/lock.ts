import { randomUUID } from 'node:crypto';
import { TimeHeap } from '../../time/time-heap.ts';
import type { Delivered } from './api.ts';
import type { Copy } from './copy.ts';
import type { HeldSession } from './session.ts';

/** A message handed to one receiver, to be settled by its token. */
export class Lock implements Delivered {
  readonly message: Copy;
  readonly lockToken: string = randomUUID();
  lockedUntilMs: number;
  /** The session it is part of, whose lock it shares. */
  readonly session: HeldSession | undefined;
  /** The receiver that it was handed to. */
  readonly holder: object | undefined;

  constructor(message: Copy, lockedUntilMs: number, holder: object | undefined, session: HeldSession | undefined) {
    this.message = message;
    this.lockedUntilMs = lockedUntilMs;
    this.holder = holder;
    this.session = session;
  }
}

/** The locks of one queue. */
export class Locks {
  readonly #byToken = new Map<string, Lock>();
  readonly #ends = new TimeHeap();
  readonly #holds: (sequenceNumber: number, time: number) => boolean;

  /** @param find a message that is still here */
  constructor(find: (sequenceNumber: number) => Copy | undefined) {
    this.#holds = (sequenceNumber, time) => find(sequenceNumber)?.lock?.lockedUntilMs === time;
  }

  get size(): number {
    return this.#byToken.size;
  }

  /** @param untilMs epoch ms */
  grant(copy: Copy, untilMs: number, holder?: object, session?: HeldSession): Lock {
    const lock = new Lock(copy, untilMs, holder, session);
    copy.lock = lock;
    this.#byToken.set(lock.lockToken, lock);
    if (session === undefined) this.#endsAt(lock);
    else session.locks.add(lock);
    return lock;
  }

  find(token: string): Lock | undefined {
    return this.#byToken.get(token);
  }

  renew(lock: Lock, untilMs: number): void {
    if (lock.lockedUntilMs === untilMs) return;
    lock.lockedUntilMs = untilMs;
    this.#endsAt(lock);
  }

  release(lock: Lock): void {
    this.#byToken.delete(lock.lockToken);
    lock.session?.locks.delete(lock);
    lock.message.lock = undefined;
  }

  /** Sequence number of the next message whose lock may have ended: see whether it has. */
  takeDue(now: number): number | undefined {
    return this.#ends.takeDue(now);
  }

  /** When the next lock ends, sessions' apart. */
  next(): number {
    return this.#ends.next(this.#holds);
  }

  #endsAt({ lockedUntilMs, message }: Lock): void {
    this.#ends.add(lockedUntilMs, message.sequenceNumber);
    this.#ends.sweep(this.#byToken.size, this.#holds);
  }
}
