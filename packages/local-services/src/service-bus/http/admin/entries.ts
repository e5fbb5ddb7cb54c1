import type { Reply } from '../../../http/index.ts';
import type { QueueInfo, SubscriptionInfo, TopicInfo } from '../../broker/descriptions.ts';
import type { RuleDescription } from '../../rules/index.ts';
import type { Context } from '../atom/context.ts';
import { type Entry, entryDocument } from '../atom/document.ts';
import { writeParts } from '../atom/part.ts';
import { QUEUE_PARTS } from '../atom/queue.ts';
import { writeRule } from '../atom/rule.ts';
import { SUBSCRIPTION_PARTS } from '../atom/subscription.ts';
import { TOPIC_PARTS } from '../atom/topic.ts';

export const ENTRY_TYPE = 'application/atom+xml;type=entry;charset=utf-8';
export const FEED_TYPE = 'application/atom+xml;type=feed;charset=utf-8';

export const subscriptionPath = (topic: string, name: string): string => `${topic}/Subscriptions/${name}`;

export const queueEntry = (info: QueueInfo): Entry => ({
  ...named(info.path, info.path, info),
  hasAuthor: true,
  element: 'QueueDescription',
  describe: (description, context) => writeParts(description, QUEUE_PARTS, info, context),
});

export const topicEntry = (info: TopicInfo): Entry => ({
  ...named(info.path, info.path, info),
  hasAuthor: true,
  element: 'TopicDescription',
  describe: (description, context) => writeParts(description, TOPIC_PARTS, info, context),
});

export const subscriptionEntry = (info: SubscriptionInfo): Entry => ({
  ...named(subscriptionPath(info.topic, info.name), info.name, info),
  hasAuthor: false,
  element: 'SubscriptionDescription',
  describe: (description, context) => writeParts(description, SUBSCRIPTION_PARTS, info, context),
});

export const ruleEntry = (subscription: SubscriptionInfo, rule: RuleDescription): Entry => ({
  path: `${subscriptionPath(subscription.topic, subscription.name)}/Rules/${rule.name}`,
  title: rule.name,
  createdAtMs: rule.createdAtMs,
  updatedAtMs: rule.createdAtMs,
  hasAuthor: false,
  element: 'RuleDescription',
  describe: (description) => writeRule(description, rule),
});

function named(path: string, title: string, times: { readonly createdAtMs: number; readonly updatedAtMs: number }) {
  return { path, title, createdAtMs: times.createdAtMs, updatedAtMs: times.updatedAtMs };
}

export const entryReply = (status: 200 | 201, entry: Entry, context: Context): Reply => ({
  status,
  headers: { 'Content-Type': ENTRY_TYPE },
  body: entryDocument(entry, context),
});
