import { Alarm } from '../../time/alarm.ts';
import type { Clock } from '../../time/clock.ts';
import type { MessageContent } from '../message/content.ts';
import type { Gone } from './api.ts';
import type { EntityStatus, Times } from './descriptions.ts';
import { BrokerError } from './error.ts';
import type { Forwarded } from './forwarding.ts';
import type { TierLimits } from './limits.ts';
import type { Account, Billing } from './tariff.ts';

/** When what failed in a timer is tried again, in ms. */
const RETRY_MS = 1_000;

/** What entities have in common: the namespace they are in. */
export interface Context {
  readonly clock: Clock;
  readonly limits: TierLimits;
  readonly billing: Billing;
  readonly onFault: (error: unknown) => void;
  /** Sends a message on to another entity. @returns why it could not; undefined: it is there */
  forward(to: string, content: MessageContent, forwarded: Forwarded): DeadLetterReason | undefined;
  /** Nobody has used it for so long that it goes. */
  remove(entity: Entity): void;
}

export interface DeadLetterReason {
  readonly reason: string;
  readonly description: string;
}

/** Which links of an entity something is about. */
export type Side = 'send' | 'receive';

/** A queue, a topic or a subscription. */
export abstract class Entity {
  readonly path: string;
  readonly context: Context;
  readonly alarm: Alarm;
  readonly account: Account;
  readonly createdAtMs: number;
  updatedAtMs: number;
  accessedAtMs = 0;
  #usedAtMs: number;
  #isClosed = false;
  readonly #gone = new Map<Gone, Side>();

  constructor(context: Context, path: string) {
    this.context = context;
    this.path = path;
    this.alarm = new Alarm(context.clock, (now) => this.#ring(now));
    this.account = context.billing.account(path);
    this.createdAtMs = context.clock.now();
    this.updatedAtMs = this.createdAtMs;
    this.#usedAtMs = this.createdAtMs;
  }

  abstract readonly description: { readonly status: EntityStatus; readonly autoDeleteOnIdleMs: number };
  /** Somebody waits here, or something does that has a time. */
  protected abstract readonly isInUse: boolean;
  /** Does what is due. @returns when the next thing is, epoch ms */
  protected abstract wake(now: number): number;

  get times(): Times {
    return { createdAtMs: this.createdAtMs, updatedAtMs: this.updatedAtMs, accessedAtMs: this.accessedAtMs };
  }

  now(): number {
    return this.context.clock.now();
  }

  /** It is used: messages go in or out, or somebody looks. */
  touch(now = this.now()): void {
    this.accessedAtMs = now;
    this.#usedAtMs = now;
  }

  /** It was created or changed, which counts as use. */
  changed(): void {
    this.updatedAtMs = this.now();
    this.#usedAtMs = this.updatedAtMs;
    this.alarm.by(this.#usedAtMs + this.description.autoDeleteOnIdleMs);
  }

  isDisabledFor(side: Side): boolean {
    const { status } = this.description;
    return status === 'Disabled' || status === (side === 'send' ? 'SendDisabled' : 'ReceiveDisabled');
  }

  /** @throws `amqp:not-found` once it is deleted */
  requireOpen(): void {
    if (this.#isClosed) throw notFound(this.path);
  }

  /** @throws `com.microsoft:entity-disabled` */
  requireEnabledFor(side: Side): void {
    if (this.isDisabledFor(side)) throw this.disabled(side);
  }

  disabled(side: Side): BrokerError {
    return new BrokerError(
      'com.microsoft:entity-disabled',
      `Messaging entity '${this.path}' is currently disabled for ${side} operations.`,
    );
  }

  watch(side: Side, listener: Gone): () => void {
    // One of its own, so that the same function may be told twice.
    const own: Gone = (error) => listener(error);
    this.#gone.set(own, side);
    return () => {
      this.#gone.delete(own);
    };
  }

  /** Tells links that they cannot go on. @param side all of them if left out */
  tellGone(error: BrokerError, side?: Side): void {
    for (const [listener, its] of [...this.#gone]) {
      if (side !== undefined && side !== its) continue;
      this.#gone.delete(listener);
      listener(error);
    }
  }

  /** It is no more. */
  close(error: BrokerError): void {
    this.#isClosed = true;
    this.alarm.stop();
    this.tellGone(error);
  }

  /** A timer's call: what it throws would end the process. */
  #ring(now: number): number {
    try {
      return this.#wake(now);
    } catch (error) {
      this.context.onFault(error);
      return now + RETRY_MS;
    }
  }

  #wake(now: number): number {
    const next = this.wake(now);
    const { autoDeleteOnIdleMs } = this.description;
    if (autoDeleteOnIdleMs === Number.POSITIVE_INFINITY) return next;
    if (this.isInUse) this.#usedAtMs = now;
    const idleAtMs = this.#usedAtMs + autoDeleteOnIdleMs;
    if (idleAtMs <= now) {
      this.context.remove(this);
      return Number.POSITIVE_INFINITY;
    }
    return Math.min(next, idleAtMs);
  }
}

/** What links of an entity that was deleted are told, and whoever asks for it. */
export function notFound(path: string): BrokerError {
  return new BrokerError('amqp:not-found', `The messaging entity '${path}' could not be found.`);
}
