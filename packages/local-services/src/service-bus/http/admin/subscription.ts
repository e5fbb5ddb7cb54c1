import type { Reply } from '../../../http/index.ts';
import { notFound } from '../../../http/index.ts';
import { DEFAULT_RULE_NAME } from '../../broker/descriptions.ts';
import { readParts } from '../atom/part.ts';
import { readRule } from '../atom/rule.ts';
import { SUBSCRIPTION_PARTS } from '../atom/subscription.ts';
import type { Call } from '../call.ts';
import { SERVICE_BUS } from '../xml/namespaces.ts';
import { child } from '../xml/read.ts';
import { entryReply, subscriptionEntry } from './entries.ts';
import { listReply } from './list.ts';
import { authorizeForwarding, CLEARED_BY_OMISSION, isUpdate, putDescription } from './put.ts';

/** What the service says of operations on subscriptions and rules to those who may not. */
export const refusalOf = (call: Call, operation: string): string =>
  `SubCode=40100: Unauthorized : Unauthorized access for '${operation}' operation on endpoint 'sb://${call.context.host}/${call.request.path}'.`;

export const missingSubscription = (topic: string, name: string) =>
  notFound(`The messaging entity '${topic}|${name}' could not be found.`);

export async function getSubscription(call: Call, topic: string, name: string): Promise<Reply> {
  await call.authorize('manage', refusalOf(call, 'GetSubscription'));
  const info = call.broker.entities.subscription(topic, name);
  if (info === undefined) throw missingSubscription(topic, name);
  return entryReply(200, subscriptionEntry(info), call.context);
}

export async function putSubscription(call: Call, topic: string, name: string): Promise<Reply> {
  await call.authorize('manage', refusalOf(call, 'CreateOrUpdateSubscription'));
  const { entities } = call.broker;
  const update = isUpdate(call);
  const description = await putDescription(call, 'SubscriptionDescription');
  const read = readParts(description, SUBSCRIPTION_PARTS, call.context);
  await authorizeForwarding(call, read);
  if (update) {
    const info = entities.updateSubscription(topic, name, { ...CLEARED_BY_OMISSION, ...read });
    return entryReply(200, subscriptionEntry(info), call.context);
  }
  const ruleElement = child(description, SERVICE_BUS, 'DefaultRuleDescription');
  const rule = ruleElement === undefined ? undefined : readRule(ruleElement);
  const named = rule === undefined ? undefined : { ...rule, name: rule.name ?? DEFAULT_RULE_NAME };
  const info = entities.createSubscription(topic, name, read, named);
  return entryReply(201, subscriptionEntry(info), call.context);
}

export async function deleteSubscription(call: Call, topic: string, name: string): Promise<Reply> {
  await call.authorize('manage', refusalOf(call, 'DeleteSubscription'));
  call.broker.entities.deleteSubscription(topic, name);
  return { status: 200 };
}

export async function listSubscriptions(call: Call, topic: string): Promise<Reply> {
  await call.authorize('manage', refusalOf(call, 'EnumerateSubscriptions'));
  const items = call.broker.entities.subscriptions(topic);
  return listReply(call, { path: `${topic}/Subscriptions`, title: 'Subscriptions', items }, subscriptionEntry);
}
