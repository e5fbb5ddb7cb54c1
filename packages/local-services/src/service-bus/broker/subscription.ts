import type { SubscriptionDescription, SubscriptionInfo } from './descriptions.ts';
import { type Context, Entity } from './entity.ts';
import type { BrokerError } from './error.ts';
import { MessageStore } from './message-store.ts';
import type { Topic } from './topic.ts';

export class Subscription extends Entity {
  readonly topic: Topic;
  readonly name: string;
  readonly store: MessageStore;
  description: Readonly<SubscriptionDescription>;

  constructor(context: Context, topic: Topic, name: string, description: Readonly<SubscriptionDescription>) {
    super(context, `${topic.path}/Subscriptions/${name}`);
    this.topic = topic;
    this.name = name;
    this.description = description;
    // As the service has it: creating it is the first access.
    this.accessedAtMs = this.createdAtMs;
    // Scheduled messages wait at the topic.
    this.store = new MessageStore(this, topic.quota, () => {});
  }

  get info(): SubscriptionInfo {
    const { name, description } = this;
    return {
      kind: 'subscription',
      topic: this.topic.path,
      name,
      description,
      counts: this.store.counts,
      ...this.times,
    };
  }

  override close(error: BrokerError): void {
    super.close(error);
    this.store.close(error);
  }

  protected get isInUse(): boolean {
    return this.store.isInUse;
  }

  protected wake(now: number): number {
    return this.store.wake(now);
  }
}
