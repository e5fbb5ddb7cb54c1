import type { TopicDescription, TopicInfo } from '../../broker/descriptions.ts';
import { readAuthorizationRules, writeAuthorizationRules } from './authorization-rules.ts';
import { writeCounts } from './counts.ts';
import { type Part, partsOf } from './part.ts';
import { formatTime } from './times.ts';

const { duration, integer, boolean, text, status, told } = partsOf<TopicDescription, TopicInfo>();

/** Elements of a `TopicDescription`, in the order the service gives them. */
export const TOPIC_PARTS: readonly Part<TopicDescription, TopicInfo>[] = [
  duration('DefaultMessageTimeToLive', 'defaultMessageTimeToLiveMs'),
  integer('MaxSizeInMegabytes', 'maxSizeInMegabytes'),
  boolean('RequiresDuplicateDetection', 'requiresDuplicateDetection'),
  duration('DuplicateDetectionHistoryTimeWindow', 'duplicateDetectionHistoryTimeWindowMs'),
  boolean('EnableBatchedOperations', 'enableBatchedOperations'),
  told('SizeInBytes', (info) => String(info.sizeInBytes)),
  told('FilteringMessagesBeforePublishing', () => 'false'),
  told('IsAnonymousAccessible', () => 'false'),
  {
    element: 'AuthorizationRules',
    key: 'authorizationRules',
    read: readAuthorizationRules,
    write: (info) => writeAuthorizationRules(info.description.authorizationRules, info.updatedAtMs),
  },
  status('Status', 'status'),
  text('UserMetadata', 'userMetadata'),
  told('CreatedAt', (info) => formatTime(info.createdAtMs)),
  told('UpdatedAt', (info) => formatTime(info.updatedAtMs)),
  told('AccessedAt', (info) => formatTime(info.accessedAtMs)),
  boolean('SupportOrdering', 'supportOrdering'),
  told('CountDetails', (info) => writeCounts(info.counts)),
  told('SubscriptionCount', (info) => String(info.subscriptionCount)),
  told('SqlFilterCount', (info) => String(info.filterCounts().sql), '2024-05'),
  told('CorrelationFilterCount', (info) => String(info.filterCounts().correlation), '2024-05'),
  duration('AutoDeleteOnIdle', 'autoDeleteOnIdleMs'),
  boolean('EnablePartitioning', 'enablePartitioning'),
  told('EntityAvailabilityStatus', () => 'Available'),
  told('EnableSubscriptionPartitioning', () => 'false'),
  boolean('EnableExpress', 'enableExpress'),
  integer('MaxMessageSizeInKilobytes', 'maxMessageSizeInKilobytes', '2021-05'),
];
