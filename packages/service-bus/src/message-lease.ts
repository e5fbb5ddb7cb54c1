import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { type Lease, PolycastError, type Settlement } from '@polycast/core/adapter';
import type { AttemptCounter } from './attempt-counter.ts';
import type { Connection } from './connection.ts';
import { OPERATIONS } from './manifest.ts';
import { countIn } from './read-message.ts';
import { forgetLink, separateOutcomes } from './sdk-internals/dispositions.ts';
import { COUNTED_PROPERTY, RETURNED_PROPERTY, TRIES_PROPERTY } from './wire.ts';

/** Longest wait for a lost connection before a settlement is given up, ms: the lock may have run out by then. */
const RETURN_WITHIN_MS = 30_000;
/** Most connections that one settlement is tried over. */
const MAX_TRIES = 5;
/** Longest reason that a dead letter keeps, in characters. */
const MAX_REASON_LENGTH = 1_024;

/** What of a receiver of the SDK settles messages. */
export interface SettlingReceiver {
  completeMessage(message: ServiceBusReceivedMessage): Promise<void>;
  abandonMessage(message: ServiceBusReceivedMessage, properties?: Record<string, number>): Promise<void>;
  deadLetterMessage(
    message: ServiceBusReceivedMessage,
    options: { deadLetterReason: string; deadLetterErrorDescription: string },
  ): Promise<void>;
}

/** What a lease needs of the receiver that fetched its message. */
export interface LeaseOwner {
  readonly connection: Connection;
  readonly receiver: SettlingReceiver;
  /** Changes with connection and link: what came over an earlier one is settled by its lock token. */
  readonly generation: number;
  /** How long the service locks a message, ms. Its own clock may be wrong, or ours. */
  readonly lockMs: number;
  readonly attempts: AttemptCounter;
  /** Was the subscription made by this source, which alone reads it? */
  readonly isOurs: boolean;
  /** Was it never sent to who read the subscription before us? */
  isNew(message: ServiceBusReceivedMessage): boolean;
  /** More deliveries than this are tries. */
  readonly maxAttempts: number;
  /** With a session the lock is the session's: it ends with the link. */
  readonly isSession: boolean;
  /** Extends the lock. */
  renew(message: ServiceBusReceivedMessage): Promise<void>;
  meter(unit: string, count: number): void;
  /** It is done with, whatever became of it. */
  settled(): void;
  /** Ours no longer: settled, or its lock is lost. */
  gone?(lease: MessageLease): void;
  /** Its lock is lost before anything became of it: it comes again. Called after {@link gone}. */
  lost?(lease: MessageLease): void;
}

type Act = (receiver: LeaseOwner['receiver'], message: ServiceBusReceivedMessage) => Promise<void>;

const complete: Act = (receiver, message) => receiver.completeMessage(message);

/** A message under its lock. */
export class MessageLease implements Lease {
  readonly #holder: LeaseOwner;
  readonly #message: ServiceBusReceivedMessage;
  readonly #generation: number;
  /** What the service counts before this delivery, but for what was given back unseen. */
  readonly #counted: number;
  #attempt: number | undefined;
  #lockedAtMs: number;
  /** By the service's clock. */
  #enqueuedMs: number | undefined;
  #isSettling = false;
  #isToldSettled = false;

  /** It has just come. */
  constructor(holder: LeaseOwner, message: ServiceBusReceivedMessage) {
    const lockedAtMs = performance.now();
    this.#lockedAtMs = lockedAtMs;
    this.#holder = holder;
    this.#message = message;
    this.#generation = holder.generation;
    this.#counted = Math.max(0, (message.deliveryCount ?? 0) - countIn(message, RETURNED_PROPERTY));
    const enqueuedMs = message.enqueuedTimeUtc?.getTime();
    if (enqueuedMs !== undefined && enqueuedMs > 0) {
      const { clock } = holder.connection;
      clock.observe(enqueuedMs, lockedAtMs);
      // How long others' subscriptions lock is theirs to know.
      if (holder.isOurs && message.lockedUntilUtc !== undefined)
        clock.observe(message.lockedUntilUtc.getTime() - holder.lockMs, lockedAtMs);
      this.#enqueuedMs = enqueuedMs;
    }
  }

  get ageMs(): number | undefined {
    return this.#enqueuedMs === undefined ? undefined : this.#holder.connection.clock.ageMs(this.#enqueuedMs);
  }

  get message(): ServiceBusReceivedMessage {
    return this.#message;
  }

  /** What becomes of it is decided: the service may have heard it, or not. */
  get isSettling(): boolean {
    return this.#isSettling;
  }

  get #sequenceNumber(): string {
    return String(this.#message.sequenceNumber);
  }

  /** Counted when it is first asked for: what is given back unseen is no try. */
  get attempt(): number {
    const { attempts, maxAttempts } = this.#holder;
    const isOurs = this.#holder.isOurs || (this.#counted > 0 && this.#holder.isNew(this.#message));
    this.#attempt ??= attempts.next({
      sequenceNumber: this.#sequenceNumber,
      counted: this.#counted,
      tries: countIn(this.#message, TRIES_PROPERTY),
      countedThen: countIn(this.#message, COUNTED_PROPERTY),
      isOurs,
      maxAttempts,
    });
    return this.#attempt;
  }

  settle(settlement: Settlement): Promise<void> {
    switch (settlement.kind) {
      case 'accept':
        return this.#end(complete);
      case 'release': {
        const { attempts = this.attempt } = settlement;
        if (attempts < this.attempt) {
          // No handler had it this time.
          this.#holder.attempts.untried(this.#sequenceNumber, attempts);
          return this.giveBack();
        }
        this.#holder.attempts.tried(this.#sequenceNumber, attempts);
        const properties = { [TRIES_PROPERTY]: attempts, [COUNTED_PROPERTY]: this.#counted };
        return this.#do((receiver, message) => receiver.abandonMessage(message, properties));
      }
      case 'dead-letter': {
        const deadLetterReason = reasonOf(settlement.reason);
        const deadLetterErrorDescription = 'dead-lettered by the subscriber';
        return this.#end((receiver, message) =>
          receiver.deadLetterMessage(message, { deadLetterReason, deadLetterErrorDescription }),
        );
      }
    }
  }

  async #end(act: Act): Promise<void> {
    await this.#do(act);
    this.#holder.attempts.forget(this.#sequenceNumber);
  }

  /** Goes back as if it had not been fetched. */
  giveBack(): Promise<void> {
    const properties = { [RETURNED_PROPERTY]: countIn(this.#message, RETURNED_PROPERTY) + 1 };
    return this.#do((receiver, message) => receiver.abandonMessage(message, properties));
  }

  async #do(act: Act): Promise<void> {
    const { connection, receiver } = this.#holder;
    this.#isSettling = true;
    if (!connection.isPublic) separateOutcomes(this.#message);
    try {
      for (let tries = 1; ; tries++) {
        const { generation } = this.#holder;
        try {
          await connection.call(act(receiver, this.#current()));
          this.#holder.meter(OPERATIONS, 1);
          return;
        } catch (thrown) {
          const error = this.#whyNot(thrown);
          // Ours until then, and gone: the service heard it the first time.
          if (error.code === 'lock-lost' && tries > 1 && this.lockLeftMs > 0) return;
          // Lost on the way: who knows whether the service heard it? It may be said again, by its lock token, over the next link.
          // What is not answered in time is lost with its connection.
          const wasLost =
            error.code === 'timeout' || (error.code === 'disconnected' && this.#holder.generation !== generation);
          if (!wasLost || this.#holder.isSession || tries >= MAX_TRIES) throw error;
          await connection.awaitReturn(Math.min(RETURN_WITHIN_MS, this.lockLeftMs));
          if (connection.isDown || this.lockLeftMs <= 0) throw error;
        }
      }
    } finally {
      // Core may ask again for what failed.
      if (!this.#isToldSettled) this.#holder.settled();
      this.#isToldSettled = true;
      this.#holder.gone?.(this);
    }
  }

  /** The message as the SDK should see it. */
  #current(): ServiceBusReceivedMessage {
    const { connection, generation } = this.#holder;
    if (!connection.isPublic && this.#generation !== generation) forgetLink(this.#message);
    return this.#message;
  }

  /** By our clock. */
  get lockLeftMs(): number {
    return this.#lockedAtMs + this.#holder.lockMs - performance.now();
  }

  async renew(): Promise<void> {
    const askedAtMs = performance.now();
    try {
      await this.#holder.renew(this.#current());
    } catch (thrown) {
      const error = this.#whyNot(thrown);
      if (error.code === 'lock-lost') {
        this.#holder.gone?.(this);
        if (!this.#isSettling) this.#holder.lost?.(this);
      }
      throw error;
    }
    this.#lockedAtMs = askedAtMs;
  }

  #whyNot(thrown: unknown): PolycastError {
    const error = PolycastError.from(thrown);
    if (!this.#holder.isSession || error.code !== 'disconnected') return error;
    return new PolycastError('lock-lost', 'the session ended with its link: another receiver may hold it', {
      cause: error,
    });
  }
}

/** What the service takes: a short line of well-formed text. Whatever was thrown may have become it. */
export function reasonOf(reason: unknown): string {
  if (typeof reason !== 'string') return UNKNOWN_REASON;
  const line = reason
    .slice(0, MAX_REASON_LENGTH)
    .replace(/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]+/gu, ' ')
    .trim();
  return line === '' ? UNKNOWN_REASON : line;
}

const UNKNOWN_REASON = 'no reason was given';
