import type { MessageContent } from '../message/content.ts';
import type { PropertyValue, RuleDescription } from '../rules/index.ts';
import type {
  MessageCounts,
  QueueDescription,
  QueueInfo,
  SubscriptionDescription,
  SubscriptionInfo,
  TopicDescription,
  TopicInfo,
} from './descriptions.ts';
import type { BrokerError } from './error.ts';
import type { TierLimits } from './limits.ts';
import type { Billing } from './tariff.ts';

/**
 * The engine of the local Service Bus: one namespace, in memory, no I/O. AMQP and HTTP are two ways to speak to it.
 * Paths compare without case. Every method that refuses throws a `BrokerError` and changes nothing.
 */
export interface Broker {
  readonly limits: TierLimits;
  readonly entities: Entities;
  readonly billing: Billing;
  /** The clock all times are taken from, epoch ms. */
  now(): number;
  /** A queue or a topic. @throws `amqp:not-found`; `amqp:not-allowed` for a subscription or a sub-queue */
  target(path: string): Target;
  /** A queue, a subscription, or `…/$deadletterqueue`, `…/$Transfer/$deadletterqueue` of either. @throws `amqp:not-found` */
  source(path: string): MessageSource;
  /** Of the whole namespace. */
  counts(): MessageCounts & { readonly entities: number };
  /** Stops every timer. Messages are gone. */
  close(): void;
}

export interface Entities {
  createQueue(path: string, description?: Partial<QueueDescription>): QueueInfo;
  createTopic(path: string, description?: Partial<TopicDescription>): TopicInfo;
  /** Without `rule` it gets `$Default`, which lets everything through. */
  createSubscription(
    topic: string,
    name: string,
    description?: Partial<SubscriptionDescription>,
    rule?: Omit<RuleDescription, 'createdAtMs'>,
  ): SubscriptionInfo;
  createRule(topic: string, subscription: string, rule: Omit<RuleDescription, 'createdAtMs'>): RuleDescription;
  /** What is left out stays. @throws `amqp:not-allowed` (400) when something immutable would change */
  updateQueue(path: string, change: Partial<QueueDescription>): QueueInfo;
  updateTopic(path: string, change: Partial<TopicDescription>): TopicInfo;
  updateSubscription(topic: string, name: string, change: Partial<SubscriptionDescription>): SubscriptionInfo;
  updateRule(topic: string, subscription: string, rule: Omit<RuleDescription, 'createdAtMs'>): RuleDescription;
  /** Receivers and senders of it are told by `onGone`. @throws `amqp:not-found` */
  deleteQueue(path: string): void;
  deleteTopic(path: string): void;
  deleteSubscription(topic: string, name: string): void;
  deleteRule(topic: string, subscription: string, name: string): void;
  queue(path: string): QueueInfo | undefined;
  topic(path: string): TopicInfo | undefined;
  subscription(topic: string, name: string): SubscriptionInfo | undefined;
  rule(topic: string, subscription: string, name: string): RuleDescription | undefined;
  /** Lists are in the order of names, without case. */
  queues(): readonly QueueInfo[];
  topics(): readonly TopicInfo[];
  /** @throws `amqp:not-found` */
  subscriptions(topic: string): readonly SubscriptionInfo[];
  /** @throws `amqp:not-found` */
  rules(topic: string, subscription: string): readonly RuleDescription[];
}

/** Told when the entity is deleted, disabled, or otherwise no longer serves this link, which must then detach with the error. */
export type Gone = (error: BrokerError) => void;

/** Where messages go. */
export interface Target {
  readonly path: string;
  /** Largest single message, in bytes: the attach's max-message-size. */
  readonly maxMessageBytes: number;
  /**
   * Takes all of them or none; those with `scheduledAtMs` in the future wait. Delivery to receivers with credit happens
   * within the call. @returns their sequence numbers; 0 for a duplicate, which is dropped without a word @throws `amqp:link:message-size-exceeded` `amqp:resource-limit-exceeded`
   * (quota, header size) `com.microsoft:entity-disabled` `amqp:not-allowed` (no session id where one is required) `amqp:not-found`
   */
  send(messages: readonly MessageContent[]): readonly number[];
  /**
   * A fault for tests: so many sends from now on are refused with `com.microsoft:server-busy`, as by throttling.
   * @param waitSeconds what the error asks senders to wait. @default it names no time
   */
  refuseSends(count: number, waitSeconds?: number): void;
  /** @throws `com.microsoft:message-not-found` when one of them is not waiting (any more): then none is cancelled */
  cancelScheduled(sequenceNumbers: readonly number[]): void;
  onGone(listener: Gone): () => void;
}

/**
 * One copy of a message in a queue, subscription or sub-queue. Looked at again later it says what has become of it: a
 * delivery that failed raises `deliveryCount`, and an abandon may have changed `content`.
 */
export interface StoredMessage {
  readonly content: MessageContent;
  readonly sequenceNumber: number;
  /** Its number where it was enqueued first (before forwarding or dead-lettering). */
  readonly enqueuedSequenceNumber: number;
  /** Epoch ms. */
  readonly enqueuedAtMs: number;
  /** Epoch ms; Infinity: never. */
  readonly expiresAtMs: number;
  /** Scheduled: it waits for its time, or did so before it came here. */
  readonly state: 'active' | 'deferred' | 'scheduled';
  /** Failed deliveries before this one, and deferrals: 0 at first. Dead letters count no more. */
  readonly deliveryCount: number;
  /** The path it was dead-lettered in: known once it has been forwarded from there, as the service has it. */
  readonly deadLetterSource: string | undefined;
}

/** A copy on its way to a receiver. */
export interface Delivered {
  readonly message: StoredMessage;
  /** A UUID in text; undefined with receive-and-delete. */
  readonly lockToken: string | undefined;
  /** Epoch ms; 0 with receive-and-delete. Within a session: until when the session is locked. */
  readonly lockedUntilMs: number;
}

export type ReceiveMode = 'peek-lock' | 'receive-and-delete';

export type Outcome =
  | { readonly kind: 'complete' }
  /** Gives it back as if it had not been delivered. */
  | { readonly kind: 'release' }
  | { readonly kind: 'abandon' | 'defer'; readonly modify?: ReadonlyMap<string, PropertyValue> }
  | {
      readonly kind: 'dead-letter';
      readonly reason?: string;
      readonly description?: string;
      readonly modify?: ReadonlyMap<string, PropertyValue>;
    };

/** Where messages come from. */
export interface MessageSource {
  readonly path: string;
  readonly requiresSession: boolean;
  /** Starts with no credit. @throws `amqp:not-allowed` on a source that requires sessions; `com.microsoft:entity-disabled` */
  receive(mode: ReceiveMode, onMessage: (delivered: Delivered) => void): Receiver;
  /**
   * Takes the lock of one session: of `sessionId`, or with null of the next session that is free and has messages,
   * waiting for one up to `timeoutMs`. @throws `com.microsoft:session-cannot-be-locked` (taken by another)
   * `com.microsoft:timeout` (none came free) `amqp:not-allowed` (no sessions here)
   */
  acceptSession(
    sessionId: string | null,
    mode: ReceiveMode,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<SessionLock>;
  /** By any link, or none. @throws `com.microsoft:message-lock-lost` `com.microsoft:session-lock-lost` */
  settle(lockToken: string, outcome: Outcome, sessionId?: string): void;
  /** @returns until when each is locked now, epoch ms @throws `com.microsoft:message-lock-lost`: then none is renewed */
  renewLocks(lockTokens: readonly string[]): readonly number[];
  /** Looks, in order of sequence number from `from` on, without locking; expired ones are left out, deferred and scheduled ones are not. */
  peek(from: number, count: number, sessionId?: string): readonly StoredMessage[];
  /** Deferred messages only. @throws `com.microsoft:message-not-found` */
  receiveDeferred(sequenceNumbers: readonly number[], mode: ReceiveMode, sessionId?: string): readonly Delivered[];
  /** @throws `com.microsoft:session-lock-lost` when the session is not held; the same applies to all three */
  renewSession(sessionId: string): number;
  sessionState(sessionId: string): Uint8Array | null;
  setSessionState(sessionId: string, state: Uint8Array | null): void;
  /** Ids of sessions that got messages or state after `updatedAfterMs`; 'active': those with messages. */
  sessions(updatedAfterMs: number | 'active', skip: number, top: number): readonly string[];
  /** Deletes up to `count` unlocked messages enqueued before then. @returns how many */
  deleteBatch(count: number, enqueuedBeforeMs: number, sessionId?: string): number;
  onGone(listener: Gone): () => void;
}

/** One receiving link. */
export interface Receiver {
  /** Messages it may still be handed; `onMessage` is called (also within this call) as long as it is above zero. */
  credit: number;
  /**
   * Settles what this receiver was handed. @throws `com.microsoft:message-lock-lost` `com.microsoft:session-lock-lost`
   */
  settle(lockToken: string, outcome: Outcome): void;
  /** Takes no more. What it holds stays locked until the locks end (in a session: is available again at once, delivery count kept). Idempotent. */
  close(): void;
}

/** The lock of one session, and the link that holds it. */
export interface SessionLock {
  readonly sessionId: string;
  readonly lockedUntilMs: number;
  /** Starts to receive; no credit at first. Call once. */
  start(onMessage: (delivered: Delivered) => void): Receiver;
  /** Told once, when the lock is lost while held. */
  onLost(listener: Gone): void;
  /** Lets go of the session, its messages and its receiver. Idempotent. */
  release(): void;
}
