import type { QueueDescription, QueueInfo } from '../../broker/descriptions.ts';
import { readAuthorizationRules, writeAuthorizationRules } from './authorization-rules.ts';
import { totalOf, writeCounts } from './counts.ts';
import { type Part, partsOf } from './part.ts';
import { formatTime } from './times.ts';

const { duration, integer, boolean, text, status, forward, told } = partsOf<QueueDescription, QueueInfo>();

/** Elements of a `QueueDescription`, in the order the service gives them. */
export const QUEUE_PARTS: readonly Part<QueueDescription, QueueInfo>[] = [
  duration('LockDuration', 'lockDurationMs'),
  integer('MaxSizeInMegabytes', 'maxSizeInMegabytes'),
  boolean('RequiresDuplicateDetection', 'requiresDuplicateDetection'),
  boolean('RequiresSession', 'requiresSession'),
  duration('DefaultMessageTimeToLive', 'defaultMessageTimeToLiveMs'),
  boolean('DeadLetteringOnMessageExpiration', 'deadLetteringOnMessageExpiration'),
  duration('DuplicateDetectionHistoryTimeWindow', 'duplicateDetectionHistoryTimeWindowMs'),
  integer('MaxDeliveryCount', 'maxDeliveryCount'),
  boolean('EnableBatchedOperations', 'enableBatchedOperations'),
  told('SizeInBytes', (info) => String(info.sizeInBytes)),
  told('MessageCount', (info) => String(totalOf(info.counts))),
  told('IsAnonymousAccessible', () => 'false'),
  {
    element: 'AuthorizationRules',
    key: 'authorizationRules',
    read: readAuthorizationRules,
    write: (info) => writeAuthorizationRules(info.description.authorizationRules, info.updatedAtMs),
  },
  status('Status', 'status'),
  forward('ForwardTo', 'forwardTo'),
  text('UserMetadata', 'userMetadata'),
  told('CreatedAt', (info) => formatTime(info.createdAtMs)),
  told('UpdatedAt', (info) => formatTime(info.updatedAtMs)),
  told('AccessedAt', (info) => formatTime(info.accessedAtMs)),
  told('SupportOrdering', (info) => String(!info.description.enablePartitioning)),
  told('CountDetails', (info) => writeCounts(info.counts)),
  duration('AutoDeleteOnIdle', 'autoDeleteOnIdleMs'),
  boolean('EnablePartitioning', 'enablePartitioning'),
  told('EntityAvailabilityStatus', () => 'Available'),
  forward('ForwardDeadLetteredMessagesTo', 'forwardDeadLetteredMessagesTo'),
  boolean('EnableExpress', 'enableExpress'),
  integer('MaxMessageSizeInKilobytes', 'maxMessageSizeInKilobytes', '2021-05'),
];
