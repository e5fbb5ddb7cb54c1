import { type Reply, RouteTable } from '../../http/index.ts';
import { deleteEntity, getEntity, listEntities, putEntity } from './admin/entity.ts';
import { nothingReply } from './admin/list.ts';
import { getNamespace } from './admin/namespace.ts';
import { deleteRule, getRule, listRules, putRule } from './admin/rule.ts';
import { deleteSubscription, getSubscription, listSubscriptions, putSubscription } from './admin/subscription.ts';
import type { Call } from './call.ts';
import { receiveMessage } from './messages/receive.ts';
import { sendMessages } from './messages/send.ts';
import { settleMessage } from './messages/settle.ts';

/** What a path names: of an entity, a topic with its subscription and rule, or a message. */
type Named = Readonly<Record<'path' | 'topic' | 'subscription' | 'rule' | 'lockToken', string>>;

export interface Endpoint {
  readonly answer: (call: Call, named: Named, startedAtMs: number) => Reply | Promise<Reply>;
  /** Messages instead of administration: there are no versions of that API. */
  readonly isMessaging?: true;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const send: Endpoint = { answer: (call, { path }) => sendMessages(call, path), isMessaging: true };
const receive: Endpoint = { answer: (call, { path }) => receiveMessage(call, path), isMessaging: true };
const settle: Endpoint = {
  answer: (call, { path, lockToken }) => settleMessage(call, path, lockToken.toLowerCase()),
  isMessaging: true,
};

/**
 * Entities may have slashes in their names. A path that could be an entity's as well as its messages' is taken for messages if
 * messages have the method.
 */
export const ROUTES = new RouteTable<Endpoint>([
  { path: '', methods: { GET: { answer: nothingReply } } },
  {
    path: '$namespaceinfo',
    methods: { GET: { answer: (call, _named, startedAtMs) => getNamespace(call, startedAtMs) } },
  },
  { path: '$resources/queues', methods: { GET: { answer: (call) => listEntities(call, 'queues') } } },
  { path: '$resources/topics', methods: { GET: { answer: (call) => listEntities(call, 'topics') } } },
  { path: '{path+}/messages', methods: { POST: send }, isShared: true },
  { path: '{path+}/messages/head', methods: { POST: receive, DELETE: receive }, isShared: true },
  {
    path: '{path+}/messages/{message}/{lockToken}',
    where: { lockToken: UUID },
    methods: { DELETE: settle, PUT: settle, POST: settle },
    isShared: true,
  },
  { path: '{topic+}/subscriptions', methods: { GET: { answer: (call, { topic }) => listSubscriptions(call, topic) } } },
  {
    path: '{topic+}/subscriptions/{subscription}',
    methods: {
      GET: { answer: (call, { topic, subscription }) => getSubscription(call, topic, subscription) },
      PUT: { answer: (call, { topic, subscription }) => putSubscription(call, topic, subscription) },
      DELETE: { answer: (call, { topic, subscription }) => deleteSubscription(call, topic, subscription) },
    },
  },
  {
    path: '{topic+}/subscriptions/{subscription}/rules',
    methods: { GET: { answer: (call, { topic, subscription }) => listRules(call, topic, subscription) } },
  },
  {
    path: '{topic+}/subscriptions/{subscription}/rules/{rule}',
    methods: {
      GET: { answer: (call, { topic, subscription, rule }) => getRule(call, topic, subscription, rule) },
      PUT: { answer: (call, { topic, subscription, rule }) => putRule(call, topic, subscription, rule) },
      DELETE: { answer: (call, { topic, subscription, rule }) => deleteRule(call, topic, subscription, rule) },
    },
  },
  {
    path: '{path+}',
    methods: {
      GET: { answer: (call, { path }) => getEntity(call, path) },
      PUT: { answer: (call, { path }) => putEntity(call, path) },
      DELETE: { answer: (call, { path }) => deleteEntity(call, path) },
    },
  },
]);

/** Path of the entity that an operation of management is about; '' is the namespace. */
export function managedPath({ path, topic, subscription }: Partial<Named>): string {
  if (topic !== undefined) return subscription === undefined ? topic : `${topic}/Subscriptions/${subscription}`;
  return path ?? '';
}
