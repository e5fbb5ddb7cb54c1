import type { QueueDescription, SubscriptionDescription, TopicDescription } from '../broker/descriptions.ts';
import type { ActionDescription, FilterDescription } from '../rules/index.ts';

interface Placed {
  /** Where in the file it stands, for complaints: `UserConfig.Namespaces[0].Queues[1]`. */
  readonly at: string;
}

/** One entity a start file declares. What it does not say is left to the service's defaults. */
export type EntityDeclaration = QueueDeclaration | TopicDeclaration | SubscriptionDeclaration | RuleDeclaration;

export interface QueueDeclaration extends Placed {
  readonly kind: 'queue';
  readonly path: string;
  readonly properties: Partial<QueueDescription>;
}

export interface TopicDeclaration extends Placed {
  readonly kind: 'topic';
  readonly path: string;
  readonly properties: Partial<TopicDescription>;
}

export interface SubscriptionDeclaration extends Placed {
  readonly kind: 'subscription';
  readonly topic: string;
  readonly name: string;
  readonly properties: Partial<SubscriptionDescription>;
}

/** A subscription with rules of its own has no `$Default`, unless one of them is called so. */
export interface RuleDeclaration extends Placed {
  readonly kind: 'rule';
  readonly topic: string;
  readonly subscription: string;
  readonly name: string;
  readonly properties: { readonly filter: FilterDescription; readonly action?: ActionDescription };
}

export interface ServiceBusConfig {
  /** Of the namespace. */
  readonly name: string;
  /** Each after what it belongs to. */
  readonly entities: readonly EntityDeclaration[];
}
