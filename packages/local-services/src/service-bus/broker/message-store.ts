import type { MessageContent } from '../message/content.ts';
import type { PropertyValue } from '../rules/index.ts';
import type { Outcome } from './api.ts';
import type { Copy, Origin } from './copy.ts';
import type { MessageCounts, SubscriptionDescription } from './descriptions.ts';
import type { DeadLetterReason, Entity } from './entity.ts';
import { BrokerError } from './error.ts';
import { MessageQueue, type QueueOwner } from './message-queue.ts';
import type { Quota } from './quota.ts';

/** What queues and subscriptions have in common. */
export type StoreDescription = Pick<
  SubscriptionDescription,
  | 'lockDurationMs'
  | 'requiresSession'
  | 'defaultMessageTimeToLiveMs'
  | 'deadLetteringOnMessageExpiration'
  | 'maxDeliveryCount'
  | 'status'
  | 'forwardTo'
  | 'forwardDeadLetteredMessagesTo'
  | 'autoDeleteOnIdleMs'
>;

/** The entity around a store. */
export interface StoreEntity extends Entity {
  readonly description: Readonly<StoreDescription>;
}

export const DEAD_LETTER_PATH = '$DeadLetterQueue';
export const TRANSFER_DEAD_LETTER_PATH = '$Transfer/$DeadLetterQueue';

/** The messages of a queue or a subscription: the queue itself, its dead letters, and what could not be forwarded. */
export class MessageStore {
  readonly entity: StoreEntity;
  readonly quota: Quota;
  readonly main: MessageQueue;
  readonly #due: (copy: Copy) => void;
  #deadLetters: MessageQueue | undefined;
  #transferDeadLetters: MessageQueue | undefined;

  /** @param due takes scheduled messages whose time has come */
  constructor(entity: StoreEntity, quota: Quota, due: (copy: Copy) => void) {
    this.entity = entity;
    this.quota = quota;
    this.#due = due;
    this.main = new MessageQueue(new MainOwner(this), entity.description.requiresSession);
  }

  // Made when they are needed: most stay empty, and there may be thousands of subscriptions.
  get deadLetters(): MessageQueue {
    this.#deadLetters ??= new MessageQueue(new DeadLetterOwner(this, DEAD_LETTER_PATH), false);
    return this.#deadLetters;
  }

  get transferDeadLetters(): MessageQueue {
    this.#transferDeadLetters ??= new MessageQueue(new DeadLetterOwner(this, TRANSFER_DEAD_LETTER_PATH), false);
    return this.#transferDeadLetters;
  }

  get counts(): MessageCounts {
    const scheduled = this.main.schedule.size;
    return {
      active: this.main.log.size - scheduled,
      deadLettered: this.#deadLetters?.log.size ?? 0,
      scheduled,
      // Forwarding waits for nothing here.
      transfer: 0,
      transferDeadLettered: this.#transferDeadLetters?.log.size ?? 0,
    };
  }

  /** Somebody receives here, or a message waits for its time. */
  get isInUse(): boolean {
    return (
      this.main.schedule.size > 0 ||
      this.#queues.some(({ dispatcher, sessions }) => dispatcher.size > 0 || sessions?.isWatched === true)
    );
  }

  /** A message comes in; `main.run` hands it out. @param origin its `ttlMs` is the shorter of the sender's and what the entity before allows */
  deposit(content: MessageContent, origin: Origin): void {
    const { requiresSession, defaultMessageTimeToLiveMs } = this.entity.description;
    if (requiresSession && content.sessionId === undefined) return this.bury(content, origin, SESSION_ID_IS_NULL);
    this.main.enqueue(
      content,
      origin.ttlMs <= defaultMessageTimeToLiveMs ? origin : { ...origin, ttlMs: defaultMessageTimeToLiveMs },
    );
  }

  /** Straight into the dead letters. */
  bury(content: MessageContent, origin: Origin, reason: DeadLetterReason): void {
    this.deadLetter(withReason(content, reason), origin);
  }

  deadLetter(content: MessageContent, origin: Origin): void {
    this.deadLetters.enqueue(content, { ...origin, ttlMs: Number.POSITIVE_INFINITY, charge: content.size });
    this.deadLetters.run();
  }

  /** @param from path of the queue it was dead-lettered in, if that is why it goes on */
  forward(copy: Copy, to: string, from: string | undefined): void {
    const { content, enqueuedSequenceNumber } = copy;
    this.entity.account.countMessage('forward', content.size);
    const failure = this.entity.context.forward(to, content, {
      hops: copy.hops + 1,
      enqueuedSequenceNumber,
      deadLetterSource: from ?? copy.deadLetterSource,
    });
    if (failure === undefined) return;
    const buried = withReason(content, failure);
    this.transferDeadLetters.enqueue(buried, { ...originOf(copy), charge: buried.size });
    this.transferDeadLetters.run();
  }

  due(copy: Copy): void {
    this.#due(copy);
  }

  wake(now: number): number {
    return Math.min(...this.#queues.map((queue) => queue.wake(now)));
  }

  /** Its description has changed. */
  changed(before: Readonly<StoreDescription>): void {
    const { forwardTo, forwardDeadLetteredMessagesTo } = this.entity.description;
    if (forwardTo !== undefined) this.main.forwardAll();
    if (forwardDeadLetteredMessagesTo !== undefined) this.#deadLetters?.forwardAll();
    if (before.status === this.entity.description.status) return;
    for (const queue of this.#queues) {
      queue.run();
      queue.sessions?.runAll();
    }
  }

  close(error: BrokerError): void {
    for (const queue of this.#queues) queue.close(error);
    // What a subscription held counts for its topic.
    for (const queue of this.#queues) for (const copy of queue.log.from(1)) this.quota.usedBytes -= copy.charge;
  }

  get #queues(): readonly MessageQueue[] {
    return [this.main, this.#deadLetters, this.#transferDeadLetters].filter((queue) => queue !== undefined);
  }
}

/** Of the queue itself. */
class MainOwner implements QueueOwner {
  readonly #store: MessageStore;

  constructor(store: MessageStore) {
    this.#store = store;
  }

  get path() {
    return this.#store.entity.path;
  }
  get alarm() {
    return this.#store.entity.alarm;
  }
  get quota() {
    return this.#store.quota;
  }
  get account() {
    return this.#store.entity.account;
  }
  get lockDurationMs() {
    return this.#store.entity.description.lockDurationMs;
  }
  get maxDeliveryCount() {
    return this.#store.entity.description.maxDeliveryCount;
  }
  get isPaused() {
    return this.#store.entity.isDisabledFor('receive');
  }
  get forwards() {
    return this.#store.entity.description.forwardTo !== undefined;
  }
  now() {
    return this.#store.entity.now();
  }
  fault(error: unknown) {
    this.#store.entity.context.onFault(error);
  }
  receiverLeft() {
    this.#store.entity.touch();
  }
  forward(copy: Copy) {
    this.#store.forward(copy, this.#store.entity.description.forwardTo!, undefined);
  }
  expired(copy: Copy) {
    if (this.#store.entity.description.deadLetteringOnMessageExpiration) this.#bury(copy, TTL_EXPIRED);
  }
  exhausted(copy: Copy) {
    const { maxDeliveryCount } = this.#store.entity.description;
    this.#bury(copy, {
      reason: 'MaxDeliveryCountExceeded',
      description: `Message could not be consumed after ${maxDeliveryCount} delivery attempts.`,
    });
  }
  deadLetterContent({ content }: Copy, { reason, description, modify }: Outcome & { readonly kind: 'dead-letter' }) {
    const user = new Map<string, PropertyValue>(modify);
    if (reason !== undefined) user.set('DeadLetterReason', reason);
    if (description !== undefined) user.set('DeadLetterErrorDescription', description);
    return user.size === 0 ? content : content.with({ user });
  }
  deadLetter(copy: Copy, content: MessageContent) {
    this.#store.deadLetter(content, originOf(copy));
  }
  due(copy: Copy) {
    this.#store.due(copy);
  }

  #bury(copy: Copy, reason: DeadLetterReason): void {
    this.#store.bury(copy.content, originOf(copy), reason);
  }
}

/** Of a sub-queue: nothing expires or is dead-lettered there. */
class DeadLetterOwner extends MainOwner {
  readonly #store: MessageStore;
  readonly #subPath: string;

  constructor(store: MessageStore, subPath: string) {
    super(store);
    this.#store = store;
    this.#subPath = subPath;
  }

  override get path() {
    return `${this.#store.entity.path}/${this.#subPath}`;
  }
  override get maxDeliveryCount() {
    return Number.POSITIVE_INFINITY;
  }
  override get forwards() {
    return (
      this.#subPath === DEAD_LETTER_PATH && this.#store.entity.description.forwardDeadLetteredMessagesTo !== undefined
    );
  }
  override forward(copy: Copy) {
    const { path, description } = this.#store.entity;
    this.#store.forward(copy, description.forwardDeadLetteredMessagesTo!, path);
  }
  override deadLetterContent(): never {
    throw new BrokerError('amqp:not-allowed', `A dead letter cannot be dead-lettered again: it is in '${this.path}'.`);
  }
}

function originOf(copy: Copy): Origin {
  const { enqueuedSequenceNumber, enqueuedAtMs, hops, deliveryCount, deadLetterSource, charge } = copy;
  return {
    enqueuedSequenceNumber,
    enqueuedAtMs,
    ttlMs: Number.POSITIVE_INFINITY,
    hops,
    deliveryCount,
    deadLetterSource,
    charge,
  };
}

function withReason(content: MessageContent, { reason, description }: DeadLetterReason): MessageContent {
  return content.with({
    user: new Map<string, PropertyValue>([
      ['DeadLetterReason', reason],
      ['DeadLetterErrorDescription', description],
    ]),
  });
}

/** Reasons as the service writes them. */
const TTL_EXPIRED: DeadLetterReason = {
  reason: 'TTLExpiredException',
  description: 'The message expired and was dead lettered.',
};
const SESSION_ID_IS_NULL: DeadLetterReason = {
  reason: 'Session ID is null.',
  description: "Session enabled entity doesn't allow a message whose session identifier is null.",
};
