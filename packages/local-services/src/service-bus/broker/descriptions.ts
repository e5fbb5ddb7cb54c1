import type { RuleDescription } from '../rules/index.ts';

export type EntityStatus = 'Active' | 'Disabled' | 'SendDisabled' | 'ReceiveDisabled';

/** Durations are ms; `Infinity` is the service's longest (P10675199DT2H48M5.4775807S). Names follow the service's own. */
export interface QueueDescription {
  lockDurationMs: number;
  maxSizeInMegabytes: number;
  requiresDuplicateDetection: boolean;
  requiresSession: boolean;
  defaultMessageTimeToLiveMs: number;
  deadLetteringOnMessageExpiration: boolean;
  duplicateDetectionHistoryTimeWindowMs: number;
  maxDeliveryCount: number;
  enableBatchedOperations: boolean;
  status: EntityStatus;
  /** Path of an entity of the same namespace. */
  forwardTo: string | undefined;
  forwardDeadLetteredMessagesTo: string | undefined;
  userMetadata: string;
  autoDeleteOnIdleMs: number;
  enablePartitioning: boolean;
  enableExpress: boolean;
  maxMessageSizeInKilobytes: number;
  authorizationRules: readonly AuthorizationRule[];
  passedOver: PassedOver;
}

export interface TopicDescription {
  defaultMessageTimeToLiveMs: number;
  maxSizeInMegabytes: number;
  requiresDuplicateDetection: boolean;
  duplicateDetectionHistoryTimeWindowMs: number;
  enableBatchedOperations: boolean;
  status: EntityStatus;
  userMetadata: string;
  supportOrdering: boolean;
  autoDeleteOnIdleMs: number;
  enablePartitioning: boolean;
  enableExpress: boolean;
  maxMessageSizeInKilobytes: number;
  authorizationRules: readonly AuthorizationRule[];
  passedOver: PassedOver;
}

export interface SubscriptionDescription {
  lockDurationMs: number;
  requiresSession: boolean;
  defaultMessageTimeToLiveMs: number;
  deadLetteringOnMessageExpiration: boolean;
  deadLetteringOnFilterEvaluationExceptions: boolean;
  maxDeliveryCount: number;
  enableBatchedOperations: boolean;
  status: EntityStatus;
  forwardTo: string | undefined;
  forwardDeadLetteredMessagesTo: string | undefined;
  userMetadata: string;
  autoDeleteOnIdleMs: number;
  passedOver: PassedOver;
}

/**
 * Elements that the administration API was given out of order, by name: the service has them in its answers, and they change
 * nothing else.
 */
export type PassedOver = ReadonlyMap<string, string>;

export interface AuthorizationRule {
  readonly name: string;
  readonly rights: readonly ('manage' | 'send' | 'listen')[];
  readonly primaryKey: string;
  readonly secondaryKey: string;
  /** Epoch ms. */
  readonly createdAtMs?: number;
  readonly modifiedAtMs?: number;
}

/** What a subscription starts with when it is created without a rule of its own. */
export const DEFAULT_RULE_NAME = '$Default';

export interface Times {
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly accessedAtMs: number;
}

export interface MessageCounts {
  readonly active: number;
  readonly deadLettered: number;
  readonly scheduled: number;
  readonly transfer: number;
  readonly transferDeadLettered: number;
}

export interface QueueInfo extends Times {
  readonly kind: 'queue';
  readonly path: string;
  readonly description: Readonly<QueueDescription>;
  readonly counts: MessageCounts;
  readonly sizeInBytes: number;
}

export interface TopicInfo extends Times {
  readonly kind: 'topic';
  readonly path: string;
  readonly description: Readonly<TopicDescription>;
  readonly counts: MessageCounts;
  readonly sizeInBytes: number;
  readonly subscriptionCount: number;
  /** Over all its subscriptions. Filters that take everything or nothing count as SQL. */
  filterCounts(): { readonly sql: number; readonly correlation: number };
}

export interface SubscriptionInfo extends Times {
  readonly kind: 'subscription';
  readonly topic: string;
  readonly name: string;
  readonly description: Readonly<SubscriptionDescription>;
  readonly counts: MessageCounts;
}

export type { RuleDescription };
