import type { Entities } from '../broker/api.ts';
import type { EntityDeclaration, RuleDeclaration, SubscriptionDeclaration } from './declaration.ts';
import { ConfigFileError } from './error.ts';

type Forwarding = { forwardTo?: string | undefined; forwardDeadLetteredMessagesTo?: string | undefined };

/** Makes what a start file declares. @throws ConfigFileError with the place of what the service refuses, and its reason */
export function declareEntities(entities: Entities, declarations: readonly EntityDeclaration[]): void {
  for (const declaration of declarations) at(declaration, () => create(entities, declaration, declarations));
  // A target may stand after what forwards to it.
  for (const declaration of declarations) at(declaration, () => forward(entities, declaration));
}

function create(entities: Entities, declaration: EntityDeclaration, all: readonly EntityDeclaration[]): void {
  switch (declaration.kind) {
    case 'queue':
      entities.createQueue(declaration.path, withoutForwarding(declaration.properties));
      break;
    case 'topic':
      entities.createTopic(declaration.path, declaration.properties);
      break;
    case 'subscription': {
      const { topic, name, properties } = declaration;
      const [first] = rulesOf(declaration, all);
      const rule = first && { name: first.name, ...first.properties };
      entities.createSubscription(topic, name, withoutForwarding(properties), rule);
      break;
    }
    case 'rule': {
      const { topic, subscription, name, properties } = declaration;
      // The first one came with the subscription, in place of $Default.
      if (entities.rule(topic, subscription, name) === undefined) {
        entities.createRule(topic, subscription, { name, ...properties });
      }
    }
  }
}

function forward(entities: Entities, declaration: EntityDeclaration): void {
  if (declaration.kind !== 'queue' && declaration.kind !== 'subscription') return;
  const { forwardTo, forwardDeadLetteredMessagesTo }: Forwarding = declaration.properties;
  const change: Forwarding = {
    ...(forwardTo !== undefined && { forwardTo }),
    ...(forwardDeadLetteredMessagesTo !== undefined && { forwardDeadLetteredMessagesTo }),
  };
  if (Object.keys(change).length === 0) return;
  if (declaration.kind === 'queue') entities.updateQueue(declaration.path, change);
  else entities.updateSubscription(declaration.topic, declaration.name, change);
}

function rulesOf({ topic, name }: SubscriptionDeclaration, all: readonly EntityDeclaration[]) {
  return all.filter(
    (one): one is RuleDeclaration => one.kind === 'rule' && one.topic === topic && one.subscription === name,
  );
}

function withoutForwarding<Properties extends Forwarding>(properties: Properties): Omit<Properties, keyof Forwarding> {
  const { forwardTo: _to, forwardDeadLetteredMessagesTo: _deadLetteredTo, ...rest } = properties;
  return rest;
}

function at(declaration: EntityDeclaration, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw new ConfigFileError(`${declaration.at}: ${(error as Error).message}`, { cause: error });
  }
}
