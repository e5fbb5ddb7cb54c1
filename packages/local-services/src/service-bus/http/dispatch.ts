import { HttpError } from '../../http/http-error.ts';
import { deleteEntity, getEntity, listEntities, putEntity } from './admin/entity.ts';
import { nothingReply } from './admin/list.ts';
import { getNamespace } from './admin/namespace.ts';
import { deleteRule, getRule, listRules, putRule } from './admin/rule.ts';
import { deleteSubscription, getSubscription, listSubscriptions, putSubscription } from './admin/subscription.ts';
import type { Call, Reply } from './call.ts';
import { receiveMessage } from './messages/receive.ts';
import { sendMessages } from './messages/send.ts';
import { settleMessage } from './messages/settle.ts';
import type { Route } from './route.ts';

/** @param startedAtMs when the namespace came to be, epoch ms @throws HttpError, BrokerError */
export function dispatch(call: Call, route: Route, startedAtMs: number): Reply | Promise<Reply> {
  const choose = (handlers: Readonly<Record<string, () => Reply | Promise<Reply>>>): Reply | Promise<Reply> => {
    const handler = Object.hasOwn(handlers, call.method) ? handlers[call.method] : undefined;
    if (handler !== undefined) return handler();
    throw new HttpError(405, `The method '${call.method}' is not possible here.`, {
      headers: { Allow: Object.keys(handlers).join(', ') },
    });
  };
  switch (route.kind) {
    case 'root':
      return choose({ GET: () => nothingReply(call) });
    case 'namespace':
      return choose({ GET: () => getNamespace(call, startedAtMs) });
    case 'list':
      return choose({ GET: () => listEntities(call, route.of) });
    case 'entity':
      return choose({
        GET: () => getEntity(call, route.path),
        PUT: () => putEntity(call, route.path),
        DELETE: () => deleteEntity(call, route.path),
      });
    case 'subscriptions':
      return choose({ GET: () => listSubscriptions(call, route.topic) });
    case 'subscription':
      return choose({
        GET: () => getSubscription(call, route.topic, route.name),
        PUT: () => putSubscription(call, route.topic, route.name),
        DELETE: () => deleteSubscription(call, route.topic, route.name),
      });
    case 'rules':
      return choose({ GET: () => listRules(call, route.topic, route.subscription) });
    case 'rule':
      return choose({
        GET: () => getRule(call, route.topic, route.subscription, route.name),
        PUT: () => putRule(call, route.topic, route.subscription, route.name),
        DELETE: () => deleteRule(call, route.topic, route.subscription, route.name),
      });
    case 'send':
      return choose({ POST: () => sendMessages(call, route.path) });
    case 'receive':
      return choose({
        POST: () => receiveMessage(call, route.path),
        DELETE: () => receiveMessage(call, route.path),
      });
    case 'locked': {
      const settle = () => settleMessage(call, route.path, route.lockToken);
      return choose({ DELETE: settle, PUT: settle, POST: settle });
    }
  }
}
