import type {
  Delivered,
  Gone,
  MessageSource,
  Outcome,
  ReceiveMode,
  Receiver,
  SessionLock,
  StoredMessage,
} from './api.ts';
import { BrokerError } from './error.ts';
import { LIMITS } from './limits.ts';
import type { MessageQueue } from './message-queue.ts';
import type { StoreEntity } from './message-store.ts';
import type { Sessions } from './sessions.ts';

/** One queue as receivers see it: with its rules, and counted. */
export class Source implements MessageSource {
  readonly #entity: StoreEntity;
  readonly #queue: MessageQueue;

  constructor(entity: StoreEntity, queue: MessageQueue) {
    this.#entity = entity;
    this.#queue = queue;
  }

  get path(): string {
    return this.#queue.owner.path;
  }

  get requiresSession(): boolean {
    return this.#queue.sessions !== undefined;
  }

  receive(mode: ReceiveMode, onMessage: (delivered: Delivered) => void): Receiver {
    this.#requireReceivable();
    if (this.requiresSession) {
      throw new BrokerError(
        'amqp:not-allowed',
        `'${this.path}' requires sessions: a receiver without a session cannot be created.`,
      );
    }
    return this.#queue.dispatcher.add(mode, onMessage);
  }

  async acceptSession(
    sessionId: string | null,
    mode: ReceiveMode,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<SessionLock> {
    this.#requireReceivable();
    return this.#sessions().accept(sessionId, mode, options);
  }

  settle(lockToken: string, outcome: Outcome, sessionId?: string): void {
    this.#use();
    this.#queue.settle(lockToken, outcome, sessionId);
  }

  renewLocks(lockTokens: readonly string[]): readonly number[] {
    this.#use();
    const untilMs = this.#queue.renew(lockTokens);
    this.#entity.account.count('renew');
    return untilMs;
  }

  peek(from: number, count: number, sessionId?: string): readonly StoredMessage[] {
    this.#use();
    this.#entity.account.count('peek');
    return this.#queue.peek(from, Math.min(count, LIMITS.peekCount), sessionId);
  }

  receiveDeferred(sequenceNumbers: readonly number[], mode: ReceiveMode, sessionId?: string): readonly Delivered[] {
    this.#requireReceivable();
    return this.#queue.receiveDeferred(sequenceNumbers, mode, sessionId);
  }

  renewSession(sessionId: string): number {
    this.#use();
    const untilMs = this.#sessions().renew(sessionId);
    this.#entity.account.count('renew');
    return untilMs;
  }

  sessionState(sessionId: string): Uint8Array | null {
    this.#use();
    const state = this.#sessions().state(sessionId);
    this.#entity.account.count('session');
    return state;
  }

  setSessionState(sessionId: string, state: Uint8Array | null): void {
    this.#use();
    const { defaultMaxMessageBytes } = this.#entity.context.limits;
    if (state !== null && state.byteLength > defaultMaxMessageBytes) {
      throw new BrokerError(
        'amqp:resource-limit-exceeded',
        `The session state of ${state.byteLength} bytes is larger than the limit of ${defaultMaxMessageBytes} bytes.`,
      );
    }
    this.#sessions().setState(sessionId, state);
    this.#entity.account.count('session');
  }

  sessions(updatedAfterMs: number | 'active', skip: number, top: number): readonly string[] {
    this.#use();
    return this.#sessions().list(updatedAfterMs, skip, top);
  }

  deleteBatch(count: number, enqueuedBeforeMs: number, sessionId?: string): number {
    this.#requireReceivable();
    return this.#queue.deleteBatch(Math.min(count, LIMITS.batchDeleteCount), enqueuedBeforeMs, sessionId);
  }

  onGone(listener: Gone): () => void {
    return this.#entity.watch('receive', listener);
  }

  #use(): void {
    this.#entity.requireOpen();
    this.#entity.touch();
  }

  #requireReceivable(): void {
    this.#use();
    this.#entity.requireEnabledFor('receive');
    if (!this.#queue.owner.forwards) return;
    throw new BrokerError(
      'amqp:not-allowed',
      `Receiving from '${this.path}' is not possible: its messages are forwarded.`,
    );
  }

  #sessions(): Sessions {
    const { sessions } = this.#queue;
    if (sessions !== undefined) return sessions;
    throw new BrokerError('amqp:not-allowed', `'${this.path}' has no sessions.`);
  }
}
