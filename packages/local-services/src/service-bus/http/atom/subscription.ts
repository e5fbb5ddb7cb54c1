import type { SubscriptionDescription, SubscriptionInfo } from '../../broker/descriptions.ts';
import { totalOf, writeCounts } from './counts.ts';
import { type Part, partsOf } from './part.ts';
import { formatTime } from './times.ts';

const { duration, integer, boolean, text, status, forward, told } = partsOf<
  SubscriptionDescription,
  SubscriptionInfo
>();

/** Elements of a `SubscriptionDescription`, in the order the service gives them. */
export const SUBSCRIPTION_PARTS: readonly Part<SubscriptionDescription, SubscriptionInfo>[] = [
  duration('LockDuration', 'lockDurationMs'),
  boolean('RequiresSession', 'requiresSession'),
  duration('DefaultMessageTimeToLive', 'defaultMessageTimeToLiveMs'),
  boolean('DeadLetteringOnMessageExpiration', 'deadLetteringOnMessageExpiration'),
  boolean('DeadLetteringOnFilterEvaluationExceptions', 'deadLetteringOnFilterEvaluationExceptions'),
  told('MessageCount', (info) => String(totalOf(info.counts))),
  integer('MaxDeliveryCount', 'maxDeliveryCount'),
  boolean('EnableBatchedOperations', 'enableBatchedOperations'),
  status('Status', 'status'),
  forward('ForwardTo', 'forwardTo'),
  told('CreatedAt', (info) => formatTime(info.createdAtMs)),
  told('UpdatedAt', (info) => formatTime(info.updatedAtMs)),
  told('AccessedAt', (info) => formatTime(info.accessedAtMs)),
  told('CountDetails', (info) => writeCounts(info.counts)),
  text('UserMetadata', 'userMetadata'),
  forward('ForwardDeadLetteredMessagesTo', 'forwardDeadLetteredMessagesTo'),
  duration('AutoDeleteOnIdle', 'autoDeleteOnIdleMs'),
  told('EntityAvailabilityStatus', () => 'Available'),
  told('IsClientAffine', () => 'false', '2021-05'),
];
