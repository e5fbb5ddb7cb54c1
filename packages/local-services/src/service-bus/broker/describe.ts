import type { PassedOver, QueueDescription, SubscriptionDescription, TopicDescription } from './descriptions.ts';
import { BrokerError } from './error.ts';
import { LIMITS, type TierLimits } from './limits.ts';

const KILOBYTE = 1024;
/** What the size of a partitioned entity is multiplied by: it is said for one partition. */
const PARTITIONS = 16;
const DAY_MS = 86_400_000;
const NONE: PassedOver = new Map();
const ENTITY_STATUSES: readonly string[] = ['Active', 'Disabled', 'SendDisabled', 'ReceiveDisabled'];
/** Maximum length of user metadata, in characters. */
const MAX_METADATA = 1024;

/** Messages of the Basic tier do not live longer. */
const BASIC_TTL_MS = 14 * DAY_MS;

export function defaultQueue(limits: TierLimits): QueueDescription {
  return {
    lockDurationMs: 60_000,
    maxSizeInMegabytes: 1024,
    requiresDuplicateDetection: false,
    requiresSession: false,
    defaultMessageTimeToLiveMs: limits.topics ? Number.POSITIVE_INFINITY : BASIC_TTL_MS,
    deadLetteringOnMessageExpiration: false,
    duplicateDetectionHistoryTimeWindowMs: 600_000,
    maxDeliveryCount: 10,
    enableBatchedOperations: true,
    status: 'Active',
    forwardTo: undefined,
    forwardDeadLetteredMessagesTo: undefined,
    userMetadata: '',
    autoDeleteOnIdleMs: Number.POSITIVE_INFINITY,
    enablePartitioning: false,
    enableExpress: false,
    maxMessageSizeInKilobytes: limits.defaultMaxMessageBytes / KILOBYTE,
    authorizationRules: [],
    passedOver: NONE,
  };
}

/** @param enablePartitioning partitions keep no order among themselves */
export function defaultTopic(limits: TierLimits, enablePartitioning = false): TopicDescription {
  return {
    defaultMessageTimeToLiveMs: Number.POSITIVE_INFINITY,
    maxSizeInMegabytes: 1024,
    requiresDuplicateDetection: false,
    duplicateDetectionHistoryTimeWindowMs: 600_000,
    enableBatchedOperations: true,
    status: 'Active',
    userMetadata: '',
    supportOrdering: !enablePartitioning,
    autoDeleteOnIdleMs: Number.POSITIVE_INFINITY,
    enablePartitioning: false,
    enableExpress: false,
    maxMessageSizeInKilobytes: limits.defaultMaxMessageBytes / KILOBYTE,
    authorizationRules: [],
    passedOver: NONE,
  };
}

export const DEFAULT_SUBSCRIPTION: Readonly<SubscriptionDescription> = {
  lockDurationMs: 60_000,
  requiresSession: false,
  defaultMessageTimeToLiveMs: Number.POSITIVE_INFINITY,
  deadLetteringOnMessageExpiration: false,
  deadLetteringOnFilterEvaluationExceptions: true,
  maxDeliveryCount: 10,
  enableBatchedOperations: true,
  status: 'Active',
  forwardTo: undefined,
  forwardDeadLetteredMessagesTo: undefined,
  userMetadata: '',
  autoDeleteOnIdleMs: Number.POSITIVE_INFINITY,
  passedOver: NONE,
};

type AnyDescription = Partial<QueueDescription & TopicDescription & SubscriptionDescription>;

/** What the Basic tier has, and does not let anybody change. */
const NOT_IN_BASIC = [
  'defaultMessageTimeToLiveMs',
  'autoDeleteOnIdleMs',
  'duplicateDetectionHistoryTimeWindowMs',
  'enableExpress',
] as const;

/** What can only be said when an entity is created. */
const IMMUTABLE = ['requiresSession', 'requiresDuplicateDetection', 'enablePartitioning'] as const;

/** @returns the description with the change @throws `amqp:not-allowed` when something immutable would change */
export function changed<T extends AnyDescription>(path: string, description: T, change: Partial<T>): T {
  const after = { ...description, ...change };
  for (const property of IMMUTABLE) {
    if (after[property] === description[property]) continue;
    throw new BrokerError(
      'amqp:not-allowed',
      `${elementOf(property)} of '${path}' cannot be changed once it is created.`,
    );
  }
  return after;
}

/**
 * What forwards is never idle, so that it is not deleted for that. The size of what is partitioned becomes that of all its
 * partitions, if it is not that already.
 * @throws `com.microsoft:argument-out-of-range` `amqp:not-allowed` for what the tier has not
 */
export function checked<T extends AnyDescription>(description: T, limits: TierLimits): T {
  const { requiresDuplicateDetection, requiresSession, forwardTo, forwardDeadLetteredMessagesTo } = description;
  const needsStandard = requiresDuplicateDetection || requiresSession || forwardTo || forwardDeadLetteredMessagesTo;
  if (needsStandard && !limits.topics) {
    throw new BrokerError(
      'amqp:not-allowed',
      'Sessions, duplicate detection and forwarding are not available in the Basic tier.',
    );
  }
  const { enableExpress, enablePartitioning } = description;
  if (limits.tier === 'premium' && (enableExpress || enablePartitioning)) {
    throw new BrokerError(
      'amqp:not-allowed',
      'Express and partitioned entities are not available in the Premium tier.',
    );
  }
  if (enableExpress && requiresDuplicateDetection) {
    throw new BrokerError('amqp:not-allowed', 'Duplicate detection is not possible for an express entity.');
  }
  if (!limits.topics) {
    const defaults = defaultQueue(limits);
    for (const property of NOT_IN_BASIC) {
      if ((description[property] ?? defaults[property]) === defaults[property]) continue;
      throw new BrokerError('amqp:not-allowed', `${elementOf(property)} cannot be set in the Basic tier.`);
    }
  }
  if (requiresSession && forwardTo !== undefined) {
    throw new BrokerError('amqp:not-allowed', 'An entity that requires sessions cannot forward its messages.');
  }
  range(description, 'lockDurationMs', LIMITS.minLockDurationMs, LIMITS.maxLockDurationMs);
  range(description, 'defaultMessageTimeToLiveMs', 1_000, limits.topics ? Number.POSITIVE_INFINITY : BASIC_TTL_MS);
  range(description, 'autoDeleteOnIdleMs', LIMITS.minAutoDeleteOnIdleMs, Number.POSITIVE_INFINITY);
  range(description, 'maxDeliveryCount', 1, LIMITS.maxDeliveryCount);
  range(description, 'duplicateDetectionHistoryTimeWindowMs', LIMITS.minDuplicateWindowMs, LIMITS.maxDuplicateWindowMs);
  const { defaultMaxMessageBytes, maxMessageBytes } = limits;
  range(description, 'maxMessageSizeInKilobytes', defaultMaxMessageBytes / KILOBYTE, maxMessageBytes / KILOBYTE);
  const { status, userMetadata, authorizationRules } = description;
  const maxSizeInMegabytes = checkedSize(description, limits);
  if (status !== undefined && !ENTITY_STATUSES.includes(status)) {
    throw outOfRange('status', status, `is one of ${ENTITY_STATUSES.join(', ')}`);
  }
  if (userMetadata !== undefined && userMetadata.length > MAX_METADATA) {
    throw outOfRange('userMetadata', `${userMetadata.length} characters`, `has at most ${MAX_METADATA}`);
  }
  if (authorizationRules !== undefined && authorizationRules.length > LIMITS.authorizationRules) {
    throw outOfRange('authorizationRules', authorizationRules.length, `has at most ${LIMITS.authorizationRules}`);
  }
  return {
    ...description,
    ...(maxSizeInMegabytes === undefined ? {} : { maxSizeInMegabytes }),
    ...(forwardTo === undefined ? {} : { autoDeleteOnIdleMs: Number.POSITIVE_INFINITY }),
  };
}

function checkedSize(
  { maxSizeInMegabytes: size, enablePartitioning }: AnyDescription,
  limits: TierLimits,
): number | undefined {
  if (size === undefined) return undefined;
  const sizes = limits.maxEntitySizeInMegabytes;
  if (sizes.includes(size)) return enablePartitioning ? size * PARTITIONS : size;
  // What is told of a partitioned entity may be said again.
  if (enablePartitioning && sizes.includes(size / PARTITIONS)) return size;
  throw outOfRange('maxSizeInMegabytes', size, `is one of ${sizes.join(', ')}`);
}

function range<K extends keyof AnyDescription>(
  description: AnyDescription,
  property: K,
  min: number,
  max: number,
): void {
  const value = description[property];
  if (value === undefined) return;
  if (typeof value === 'number' && value >= min && value <= max) return;
  const shown = (bound: number) => withUnit(property, bound);
  const most = max === Number.POSITIVE_INFINITY ? '' : ` and at most ${shown(max)}`;
  throw outOfRange(property, shown(Number(value)), `is at least ${shown(min)}${most}`);
}

function outOfRange(property: string, value: string | number, rule: string): BrokerError {
  return new BrokerError('com.microsoft:argument-out-of-range', `${elementOf(property)} ${rule}, not ${value}.`);
}

/** What the service calls it: `LockDuration`. */
const elementOf = (property: string): string => property.charAt(0).toUpperCase() + property.slice(1).replace(/Ms$/, '');

const withUnit = (property: string, value: number): string =>
  property.endsWith('Ms') ? `${value / 1000} s` : `${value}`;
