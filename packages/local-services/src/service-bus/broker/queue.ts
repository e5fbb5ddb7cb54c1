import type { MessageContent } from '../message/content.ts';
import type { QueueDescription, QueueInfo } from './descriptions.ts';
import type { Context } from './entity.ts';
import { BrokerError } from './error.ts';
import type { Forwarded } from './forwarding.ts';
import { MessageStore } from './message-store.ts';
import { SendableEntity } from './sendable-entity.ts';

export class Queue extends SendableEntity {
  readonly store: MessageStore;
  description: Readonly<QueueDescription>;

  constructor(context: Context, path: string, description: Readonly<QueueDescription>) {
    super(context, path, description);
    this.description = description;
    this.store = new MessageStore(this, this.quota, (copy) => {
      this.touch();
      this.store.deposit(copy.content, { ...this.#origin(copy.content, this.now()), wasScheduled: true });
    });
  }

  get info(): QueueInfo {
    const { path, description } = this;
    return {
      kind: 'queue',
      path,
      description,
      counts: this.store.counts,
      sizeInBytes: this.quota.usedBytes,
      ...this.times,
    };
  }

  override close(error: BrokerError): void {
    super.close(error);
    this.store.close(error);
  }

  protected get isInUse(): boolean {
    return this.store.isInUse;
  }

  protected check(content: MessageContent): void {
    if (!this.description.requiresSession || content.sessionId !== undefined) return;
    throw new BrokerError(
      'amqp:not-allowed',
      `The session id was not set on a message, and '${this.path}' requires sessions.`,
    );
  }

  protected accept(content: MessageContent, now: number, forwarded?: Forwarded): number {
    const number = this.store.main.log.next;
    this.store.deposit(content, this.#origin(content, now, forwarded));
    return number;
  }

  protected postpone(content: MessageContent, now: number): number {
    return this.store.main.postpone(content, this.#origin(content, now));
  }

  protected run(): void {
    this.store.main.run();
  }

  protected cancel(sequenceNumbers: readonly number[]): void {
    this.store.main.cancelScheduled(sequenceNumbers);
  }

  protected override wake(now: number): number {
    return Math.min(super.wake(now), this.store.wake(now));
  }

  #origin(content: MessageContent, now: number, forwarded?: Forwarded) {
    return {
      // 0: the one it gets here.
      enqueuedSequenceNumber: forwarded?.enqueuedSequenceNumber ?? 0,
      enqueuedAtMs: now,
      ttlMs: content.ttlMs,
      hops: forwarded?.hops ?? 0,
      deliveryCount: 0,
      deadLetterSource: forwarded?.deadLetterSource,
      charge: content.size,
    };
  }
}
