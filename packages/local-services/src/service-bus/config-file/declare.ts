import { ConfigFileError } from '../../config-file/error.ts';
import type { Entities } from '../broker/api.ts';
import { DEFAULT_RULE_NAME } from '../broker/descriptions.ts';
import type { EntityDeclaration } from './declaration.ts';

type Forwarding = { forwardTo?: string | undefined; forwardDeadLetteredMessagesTo?: string | undefined };

/** Makes what a start file declares. @throws ConfigFileError with the place of what the service refuses, and its reason */
export function declareEntities(entities: Entities, declarations: readonly EntityDeclaration[]): void {
  declarations.forEach((declaration, index) => {
    at(declaration, () => create(entities, declaration, declarations[index - 1]));
  });
  // A target may stand after what forwards to it.
  for (const declaration of declarations) at(declaration, () => forward(entities, declaration));
}

function create(entities: Entities, declaration: EntityDeclaration, before: EntityDeclaration | undefined): void {
  switch (declaration.kind) {
    case 'queue':
      entities.createQueue(declaration.path, withoutForwarding(declaration.properties));
      break;
    case 'topic':
      entities.createTopic(declaration.path, declaration.properties);
      break;
    case 'subscription':
      entities.createSubscription(declaration.topic, declaration.name, withoutForwarding(declaration.properties));
      break;
    case 'rule': {
      const { topic, subscription, name, properties } = declaration;
      // The first rule a subscription is given takes the place of its $Default.
      if (before?.kind === 'subscription') entities.deleteRule(topic, subscription, DEFAULT_RULE_NAME);
      entities.createRule(topic, subscription, { name, ...properties });
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
