import type { JsonNode } from '../../config-file/json-node.ts';
import type {
  EntityStatus,
  QueueDescription,
  SubscriptionDescription,
  TopicDescription,
} from '../broker/descriptions.ts';

const STATUSES: readonly EntityStatus[] = ['Active', 'Disabled', 'SendDisabled', 'ReceiveDisabled'];

/** How a property of the file, by its name there, becomes one of a description. */
type Properties<Description> = Readonly<
  Record<
    string,
    { [Key in keyof Description]: readonly [Key, (node: JsonNode) => Description[Key]] }[keyof Description]
  >
>;

const duration = (node: JsonNode) => node.durationMs();
const flag = (node: JsonNode) => node.flag();
const text = (node: JsonNode) => node.text();
const atLeastOne = (node: JsonNode) => node.whole(1);
const status = (node: JsonNode) => node.oneOf(STATUSES);
/** The vendor's file says `""` for nowhere. */
const target = (node: JsonNode) => node.text() || undefined;

export const QUEUE_PROPERTIES: Properties<QueueDescription> = {
  AutoDeleteOnIdle: ['autoDeleteOnIdleMs', duration],
  DeadLetteringOnMessageExpiration: ['deadLetteringOnMessageExpiration', flag],
  DefaultMessageTimeToLive: ['defaultMessageTimeToLiveMs', duration],
  DuplicateDetectionHistoryTimeWindow: ['duplicateDetectionHistoryTimeWindowMs', duration],
  EnableBatchedOperations: ['enableBatchedOperations', flag],
  EnableExpress: ['enableExpress', flag],
  EnablePartitioning: ['enablePartitioning', flag],
  ForwardDeadLetteredMessagesTo: ['forwardDeadLetteredMessagesTo', target],
  ForwardTo: ['forwardTo', target],
  LockDuration: ['lockDurationMs', duration],
  MaxDeliveryCount: ['maxDeliveryCount', atLeastOne],
  MaxMessageSizeInKilobytes: ['maxMessageSizeInKilobytes', atLeastOne],
  MaxSizeInMegabytes: ['maxSizeInMegabytes', atLeastOne],
  RequiresDuplicateDetection: ['requiresDuplicateDetection', flag],
  RequiresSession: ['requiresSession', flag],
  Status: ['status', status],
  UserMetadata: ['userMetadata', text],
};

export const TOPIC_PROPERTIES: Properties<TopicDescription> = {
  AutoDeleteOnIdle: ['autoDeleteOnIdleMs', duration],
  DefaultMessageTimeToLive: ['defaultMessageTimeToLiveMs', duration],
  DuplicateDetectionHistoryTimeWindow: ['duplicateDetectionHistoryTimeWindowMs', duration],
  EnableBatchedOperations: ['enableBatchedOperations', flag],
  EnableExpress: ['enableExpress', flag],
  EnablePartitioning: ['enablePartitioning', flag],
  MaxMessageSizeInKilobytes: ['maxMessageSizeInKilobytes', atLeastOne],
  MaxSizeInMegabytes: ['maxSizeInMegabytes', atLeastOne],
  RequiresDuplicateDetection: ['requiresDuplicateDetection', flag],
  Status: ['status', status],
  SupportOrdering: ['supportOrdering', flag],
  UserMetadata: ['userMetadata', text],
};

export const SUBSCRIPTION_PROPERTIES: Properties<SubscriptionDescription> = {
  AutoDeleteOnIdle: ['autoDeleteOnIdleMs', duration],
  DeadLetteringOnFilterEvaluationExceptions: ['deadLetteringOnFilterEvaluationExceptions', flag],
  DeadLetteringOnMessageExpiration: ['deadLetteringOnMessageExpiration', flag],
  DefaultMessageTimeToLive: ['defaultMessageTimeToLiveMs', duration],
  EnableBatchedOperations: ['enableBatchedOperations', flag],
  ForwardDeadLetteredMessagesTo: ['forwardDeadLetteredMessagesTo', target],
  ForwardTo: ['forwardTo', target],
  LockDuration: ['lockDurationMs', duration],
  MaxDeliveryCount: ['maxDeliveryCount', atLeastOne],
  RequiresSession: ['requiresSession', flag],
  Status: ['status', status],
  UserMetadata: ['userMetadata', text],
};

export function readProperties<Description>(
  node: JsonNode | undefined,
  properties: Properties<Description>,
): Partial<Description> {
  const description: Partial<Description> = {};
  for (const [name, member] of node?.members(Object.keys(properties)) ?? []) {
    const [key, read] = properties[name]!;
    const value = read(member);
    if (value !== undefined) description[key] = value;
  }
  return description;
}
