import { type CompiledRule, compileRule, type RuleDescription } from '../rules/index.ts';
import type { Entities } from './api.ts';
import { changed, checked, DEFAULT_SUBSCRIPTION, defaultQueue, defaultTopic } from './describe.ts';
import {
  DEFAULT_RULE_NAME,
  type QueueDescription,
  type QueueInfo,
  type SubscriptionDescription,
  type SubscriptionInfo,
  type TopicDescription,
  type TopicInfo,
} from './descriptions.ts';
import { type Directory, exists } from './directory.ts';
import { type Context, notFound } from './entity.ts';
import { BrokerError } from './error.ts';
import { LIMITS } from './limits.ts';
import type { StoreDescription, StoreEntity } from './message-store.ts';
import { checkPath, checkRuleName, checkSubscriptionName, keyOf } from './names.ts';
import { Queue } from './queue.ts';
import { Subscription } from './subscription.ts';
import { Topic } from './topic.ts';

type NewRule = Omit<RuleDescription, 'createdAtMs'>;

/** Creates, changes, lists and deletes what is in the directory. */
export class EntityTable implements Entities {
  readonly #context: Context;
  readonly #directory: Directory;

  constructor(context: Context, directory: Directory) {
    this.#context = context;
    this.#directory = directory;
  }

  createQueue(path: string, description: Partial<QueueDescription> = {}): QueueInfo {
    const { limits } = this.#context;
    checkPath(path);
    this.#directory.requireFree(path);
    const complete = checked({ ...defaultQueue(limits), ...description }, limits);
    this.#checkForwarding(path, complete);
    if (complete.enablePartitioning) this.#directory.requireRoomForPartitions();
    const queue = new Queue(this.#context, path, complete);
    this.#directory.add(queue);
    return queue.info;
  }

  createTopic(path: string, description: Partial<TopicDescription> = {}): TopicInfo {
    const { limits } = this.#context;
    if (!limits.topics) throw new BrokerError('amqp:not-allowed', 'Topics are not available in the Basic tier.');
    checkPath(path);
    this.#directory.requireFree(path);
    const defaults = defaultTopic(limits, description.enablePartitioning);
    const complete = checked({ ...defaults, ...description }, limits);
    if (complete.enablePartitioning) this.#directory.requireRoomForPartitions();
    const topic = new Topic(this.#context, path, complete);
    this.#directory.add(topic);
    return topic.info;
  }

  createSubscription(
    topicPath: string,
    name: string,
    description: Partial<SubscriptionDescription> = {},
    rule: NewRule = { name: DEFAULT_RULE_NAME, filter: { kind: 'true' } },
  ): SubscriptionInfo {
    const topic = this.#directory.topic(topicPath);
    checkSubscriptionName(name);
    const path = `${topic.path}/Subscriptions/${name}`;
    if (topic.subscriptions.has(keyOf(name))) throw exists(path);
    if (topic.subscriptions.size >= LIMITS.subscriptionsPerTopic) {
      throw new BrokerError(
        'amqp:resource-limit-exceeded',
        `'${topic.path}' has ${LIMITS.subscriptionsPerTopic} subscriptions already.`,
      );
    }
    const complete = checked({ ...DEFAULT_SUBSCRIPTION, ...description }, this.#context.limits);
    this.#checkForwarding(path, complete);
    const compiled = this.#compile(topic, rule);
    const subscription = new Subscription(this.#context, topic, name, complete);
    topic.subscriptions.set(keyOf(name), subscription);
    topic.rules.add(subscription, compiled);
    subscription.changed();
    topic.touch();
    return subscription.info;
  }

  createRule(topic: string, subscription: string, rule: NewRule): RuleDescription {
    const owner = this.#directory.subscription(topic, subscription);
    const compiled = this.#compile(owner.topic, rule);
    if (!owner.topic.rules.add(owner, compiled)) throw exists(`${owner.path}/Rules/${rule.name}`);
    owner.changed();
    return compiled.description;
  }

  updateQueue(path: string, change: Partial<QueueDescription>): QueueInfo {
    const queue = this.#directory.queue(path);
    const after = checked(changed(queue.path, queue.description, change), this.#context.limits);
    this.#checkForwarding(queue.path, after);
    const before = queue.description;
    queue.description = after;
    this.#updated(queue, before);
    return queue.info;
  }

  updateTopic(path: string, change: Partial<TopicDescription>): TopicInfo {
    const topic = this.#directory.topic(path);
    topic.description = checked(changed(topic.path, topic.description, change), this.#context.limits);
    topic.changed();
    if (topic.isDisabledFor('send')) topic.tellGone(topic.disabled('send'), 'send');
    return topic.info;
  }

  updateSubscription(topic: string, name: string, change: Partial<SubscriptionDescription>): SubscriptionInfo {
    const subscription = this.#directory.subscription(topic, name);
    const after = checked(changed(subscription.path, subscription.description, change), this.#context.limits);
    this.#checkForwarding(subscription.path, after);
    const before = subscription.description;
    subscription.description = after;
    this.#updated(subscription, before);
    return subscription.info;
  }

  updateRule(topic: string, subscription: string, rule: NewRule): RuleDescription {
    const owner = this.#directory.subscription(topic, subscription);
    const { rules } = owner.topic;
    const before = rules.get(owner, rule.name) ?? missingRule(owner, rule.name);
    const compiled = this.#compile(owner.topic, rule, before);
    rules.remove(owner, rule.name);
    rules.add(owner, compiled);
    owner.changed();
    return compiled.description;
  }

  deleteQueue(path: string): void {
    this.#directory.remove(this.#directory.queue(path));
  }

  deleteTopic(path: string): void {
    this.#directory.remove(this.#directory.topic(path));
  }

  deleteSubscription(topic: string, name: string): void {
    this.#directory.removeSubscription(this.#directory.subscription(topic, name));
  }

  deleteRule(topic: string, subscription: string, name: string): void {
    const owner = this.#directory.subscription(topic, subscription);
    if (!owner.topic.rules.remove(owner, name)) missingRule(owner, name);
    owner.changed();
  }

  queue(path: string): QueueInfo | undefined {
    return this.#directory.findQueue(path)?.info;
  }

  topic(path: string): TopicInfo | undefined {
    return this.#directory.findTopic(path)?.info;
  }

  subscription(topic: string, name: string): SubscriptionInfo | undefined {
    return this.#directory.findTopic(topic)?.subscriptions.get(keyOf(name))?.info;
  }

  rule(topic: string, subscription: string, name: string): RuleDescription | undefined {
    const owner = this.#directory.findTopic(topic)?.subscriptions.get(keyOf(subscription));
    return owner?.topic.rules.get(owner, name)?.description;
  }

  queues(): readonly QueueInfo[] {
    const all = [...this.#directory.all].filter((entity) => entity instanceof Queue);
    return byName(all, ({ path }) => path).map(({ info }) => info);
  }

  topics(): readonly TopicInfo[] {
    const all = [...this.#directory.all].filter((entity) => entity instanceof Topic);
    return byName(all, ({ path }) => path).map(({ info }) => info);
  }

  subscriptions(topic: string): readonly SubscriptionInfo[] {
    return byName([...this.#directory.topic(topic).subscriptions.values()], ({ name }) => name).map(({ info }) => info);
  }

  rules(topic: string, subscription: string): readonly RuleDescription[] {
    const owner = this.#directory.subscription(topic, subscription);
    const all = owner.topic.rules.list(owner).map(({ description }) => description);
    return byName(all, ({ name }) => name);
  }

  /** @param replaced a rule that goes in its favour */
  #compile(topic: Topic, rule: NewRule, replaced?: CompiledRule): CompiledRule {
    checkRuleName(rule.name);
    const { kind } = rule.filter;
    const max = { sql: LIMITS.sqlFiltersPerTopic, correlation: LIMITS.correlationFiltersPerTopic };
    if ((kind === 'sql' || kind === 'correlation') && replaced?.description.filter.kind !== kind) {
      if (topic.filterCount(kind) >= max[kind]) {
        throw new BrokerError(
          'amqp:resource-limit-exceeded',
          `'${topic.path}' has ${max[kind]} ${kind} filters already, over all its subscriptions.`,
        );
      }
    }
    return compileRule({ ...rule, createdAtMs: replaced?.description.createdAtMs ?? this.#context.clock.now() });
  }

  /** @throws `amqp:not-found` for what is not there; `amqp:not-allowed` for itself */
  #checkForwarding(path: string, { forwardTo, forwardDeadLetteredMessagesTo }: StoreDescription): void {
    for (const to of [forwardTo, forwardDeadLetteredMessagesTo]) {
      if (to === undefined) continue;
      if (keyOf(to) === keyOf(path)) throw new BrokerError('amqp:not-allowed', `'${path}' cannot forward to itself.`);
      if (this.#directory.find(to) === undefined) throw notFound(to);
    }
  }

  #updated(entity: StoreEntity & (Queue | Subscription), before: Readonly<StoreDescription>): void {
    entity.changed();
    for (const side of ['send', 'receive'] as const) {
      if (entity.isDisabledFor(side)) entity.tellGone(entity.disabled(side), side);
    }
    if (entity.description.forwardTo !== undefined && before.forwardTo === undefined) {
      entity.tellGone(new BrokerError('amqp:not-allowed', `'${entity.path}' forwards its messages now.`), 'receive');
    }
    entity.store.changed(before);
  }
}

/** Lists are in the order of names, as they compare: pages stay where they are when something is added elsewhere. */
function byName<Item>(items: readonly Item[], nameOf: (item: Item) => string): readonly Item[] {
  return items
    .map((item) => ({ item, key: keyOf(nameOf(item)) }))
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .map(({ item }) => item);
}

function missingRule(owner: Subscription, name: string): never {
  throw notFound(`${owner.path}/Rules/${name}`);
}
