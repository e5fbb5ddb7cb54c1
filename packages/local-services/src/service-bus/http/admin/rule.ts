import type { Reply } from '../../../http/index.ts';
import { notFound } from '../../../http/index.ts';
import { readRule } from '../atom/rule.ts';
import type { Call } from '../call.ts';
import { entryReply, ruleEntry, subscriptionPath } from './entries.ts';
import { listReply } from './list.ts';
import { isUpdate, putDescription } from './put.ts';
import { missingSubscription, refusalOf } from './subscription.ts';

export async function getRule(call: Call, topic: string, subscription: string, name: string): Promise<Reply> {
  await call.authorize('manage', refusalOf(call, 'GetRule'));
  const info = subscriptionOf(call, topic, subscription);
  const rule = call.broker.entities.rule(topic, subscription, name);
  if (rule === undefined) throw notFound(`The messaging entity '${topic}|${subscription}|${name}' could not be found.`);
  return entryReply(200, ruleEntry(info, rule), call.context);
}

/** The name in the URL decides, whatever the description says. */
export async function putRule(call: Call, topic: string, subscription: string, name: string): Promise<Reply> {
  await call.authorize('manage', refusalOf(call, 'CreateOrUpdateRule'));
  const update = isUpdate(call);
  const description = await putDescription(call, 'RuleDescription');
  const rule = { ...readRule(description), name };
  const info = subscriptionOf(call, topic, subscription);
  const { entities } = call.broker;
  const written = update
    ? entities.updateRule(topic, subscription, rule)
    : entities.createRule(topic, subscription, rule);
  return entryReply(update ? 200 : 201, ruleEntry(info, written), call.context);
}

export async function deleteRule(call: Call, topic: string, subscription: string, name: string): Promise<Reply> {
  await call.authorize('manage', refusalOf(call, 'DeleteRule'));
  subscriptionOf(call, topic, subscription);
  call.broker.entities.deleteRule(topic, subscription, name);
  return { status: 200 };
}

export async function listRules(call: Call, topic: string, subscription: string): Promise<Reply> {
  await call.authorize('manage', refusalOf(call, 'EnumerateRules'));
  const info = subscriptionOf(call, topic, subscription);
  const path = `${subscriptionPath(info.topic, info.name)}/Rules`;
  const items = call.broker.entities.rules(topic, subscription);
  return listReply(call, { path, title: 'Rules', items }, (rule) => ruleEntry(info, rule));
}

function subscriptionOf(call: Call, topic: string, subscription: string) {
  const info = call.broker.entities.subscription(topic, subscription);
  if (info === undefined) throw missingSubscription(topic, subscription);
  return info;
}
