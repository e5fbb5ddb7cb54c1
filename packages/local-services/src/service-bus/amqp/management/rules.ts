import { BrokerError } from '../../broker/error.ts';
import type { BodyWriter, Operation, OperationContext } from './answer.ts';
import type { Arguments } from './arguments.ts';
import { entry } from './messages.ts';
import { readRule, writeRule } from './rule-codec.ts';

/** Operations on the rules of a subscription. Over AMQP, who may listen may change them (documentation of the vendor's rule manager). */
export const RULE_OPERATIONS: readonly (readonly [string, Operation])[] = [
  ['add-rule', { right: 'listen', run: add }],
  ['remove-rule', { right: 'listen', run: remove }],
  ['enumerate-rules', { right: 'listen', run: enumerate }],
];

const SUBSCRIPTION = /^(.+)\/subscriptions\/([^/]+)$/i;

function subscriptionOf({ entity }: OperationContext): readonly [topic: string, name: string] {
  const match = SUBSCRIPTION.exec(entity);
  if (match === null) throw new BrokerError('amqp:not-allowed', `${entity} is not a subscription and has no rules`);
  return [match[1]!, match[2]!];
}

function add(context: OperationContext, body: Arguments): BodyWriter {
  const [topic, name] = subscriptionOf(context);
  const { broker } = context;
  broker.entities.createRule(topic, name, readRule(body.text('rule-name'), body.map('rule-description')));
  broker.billing.count(context.entity, 'management');
  return (writer) => writer.close(writer.openMap(), 0);
}

function remove(context: OperationContext, body: Arguments): BodyWriter {
  const [topic, name] = subscriptionOf(context);
  context.broker.entities.deleteRule(topic, name, body.text('rule-name'));
  context.broker.billing.count(context.entity, 'management');
  return (writer) => writer.close(writer.openMap(), 0);
}

function enumerate(context: OperationContext, body: Arguments): BodyWriter | undefined {
  const [topic, name] = subscriptionOf(context);
  const skip = body.integer('skip', 0);
  const rules = context.broker.entities.rules(topic, name).slice(skip, skip + body.integer('top', 1));
  context.broker.billing.count(context.entity, 'management');
  if (rules.length === 0) return undefined;
  return entry('rules', (writer) => {
    const list = writer.openList();
    for (const rule of rules) entry('rule-description', (inner) => writeRule(inner, rule))(writer);
    writer.close(list, rules.length);
  });
}
