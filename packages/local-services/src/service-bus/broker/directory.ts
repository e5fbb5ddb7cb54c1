import { type Context, type Entity, notFound } from './entity.ts';
import { BrokerError } from './error.ts';
import { keyOf, parseSubscription } from './names.ts';
import { Queue } from './queue.ts';
import type { SendableEntity } from './sendable-entity.ts';
import { Subscription } from './subscription.ts';
import { Topic } from './topic.ts';

/** All entities of the namespace, by path. */
export class Directory {
  readonly #context: Context;
  /** By path in lower case. */
  readonly #entities = new Map<string, Queue | Topic>();

  constructor(context: Context) {
    this.#context = context;
  }

  get size(): number {
    return this.#entities.size;
  }

  get all(): Iterable<Queue | Topic> {
    return this.#entities.values();
  }

  find(path: string): SendableEntity | undefined {
    return this.#entities.get(keyOf(path));
  }

  findQueue(path: string): Queue | undefined {
    const entity = this.#entities.get(keyOf(path));
    return entity instanceof Queue ? entity : undefined;
  }

  findTopic(path: string): Topic | undefined {
    const entity = this.#entities.get(keyOf(path));
    return entity instanceof Topic ? entity : undefined;
  }

  queue(path: string): Queue {
    return this.findQueue(path) ?? missing(path);
  }

  topic(path: string): Topic {
    return this.findTopic(path) ?? missing(path);
  }

  subscription(topic: string, name: string): Subscription {
    return this.findTopic(topic)?.subscriptions.get(keyOf(name)) ?? missing(`${topic}/Subscriptions/${name}`);
  }

  /** The queue or subscription of that path. */
  receivable(path: string): Queue | Subscription {
    const [topic, name] = parseSubscription(path) ?? [];
    if (topic !== undefined) return this.subscription(topic, name!);
    const entity = this.#entities.get(keyOf(path)) ?? missing(path);
    if (entity instanceof Queue) return entity;
    throw new BrokerError('amqp:not-allowed', `'${path}' is a topic: receive from one of its subscriptions.`);
  }

  /** @throws `com.microsoft:entity-already-exists` `amqp:resource-limit-exceeded` */
  requireFree(path: string): void {
    const { maxEntities } = this.#context.limits;
    if (this.#entities.has(keyOf(path))) throw exists(path);
    if (this.#entities.size >= maxEntities) {
      throw new BrokerError(
        'amqp:resource-limit-exceeded',
        `The namespace has ${maxEntities} queues and topics already.`,
      );
    }
  }

  /** @throws `amqp:resource-limit-exceeded` */
  requireRoomForPartitions(): void {
    const { maxPartitionedEntities } = this.#context.limits;
    let count = 0;
    for (const { description } of this.#entities.values()) if (description.enablePartitioning) count++;
    if (count < maxPartitionedEntities) return;
    throw new BrokerError(
      'amqp:resource-limit-exceeded',
      `The namespace has ${maxPartitionedEntities} partitioned queues and topics already.`,
    );
  }

  add(entity: Queue | Topic): void {
    this.#entities.set(keyOf(entity.path), entity);
    entity.changed();
  }

  remove(entity: Queue | Topic): void {
    if (this.#entities.get(keyOf(entity.path)) !== entity) return;
    this.#entities.delete(keyOf(entity.path));
    if (entity instanceof Topic) for (const subscription of entity.subscriptions.values()) this.#end(subscription);
    this.#end(entity);
  }

  removeSubscription(subscription: Subscription): void {
    const { topic, name } = subscription;
    if (topic.subscriptions.get(keyOf(name)) !== subscription) return;
    topic.subscriptions.delete(keyOf(name));
    topic.rules.delete(subscription);
    this.#end(subscription);
  }

  evict(entity: Entity): void {
    if (entity instanceof Subscription) this.removeSubscription(entity);
    else if (entity instanceof Queue || entity instanceof Topic) this.remove(entity);
  }

  /** Every timer. */
  close(): void {
    for (const entity of [...this.#entities.values()]) this.remove(entity);
  }

  #end(entity: Queue | Topic | Subscription): void {
    this.#context.billing.close(entity.path, entity instanceof Subscription ? entity.topic.path : '');
    entity.close(notFound(entity.path));
  }
}

export function exists(path: string): BrokerError {
  return new BrokerError('com.microsoft:entity-already-exists', `The messaging entity '${path}' already exists.`);
}

function missing(path: string): never {
  throw notFound(path);
}
