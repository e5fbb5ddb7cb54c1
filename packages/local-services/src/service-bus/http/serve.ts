import { type HttpHandler, type HttpRequest, type Reply, serveHttp } from '../../http/index.ts';
import type { Broker } from '../broker/api.ts';
import { apiVersion } from './api-version.ts';
import type { AuthorityLike } from './authority.ts';
import { Call } from './call.ts';
import { errorReply } from './error-reply.ts';
import { managedPath, ROUTES } from './routes.ts';
import { isDefect, toHttpError } from './to-http-error.ts';

export interface HttpOptions {
  readonly broker: Broker;
  readonly authority: AuthorityLike;
  /** Further host names of this namespace, for URLs to forward to. The one a request came by always is. */
  readonly hostNames?: readonly string[];
}

/** Properties of a message sent over HTTP are headers, and may be 64 KB; the rest is for all other headers. */
export const MAX_HEADER_BYTES = 80 * 1_024;

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** Service Bus's HTTP side: administration in Atom, and messages. */
export function serveNamespace(options: HttpOptions): HttpHandler {
  const { broker, authority } = options;
  const startedAtMs = broker.now();
  const hostNames = [...LOOPBACK, ...(options.hostNames ?? []).map((name) => name.toLowerCase())];

  async function answer(request: HttpRequest): Promise<Reply> {
    const { host, origin, query } = request;
    const { endpoint, parameters } = ROUTES.find(request.method, request.segments);
    const call = new Call(broker, authority, request, {
      origin,
      host,
      hostNames: new Set([...hostNames, host.replace(/:\d+$/, '').toLowerCase()]),
      version: endpoint.isMessaging ? '2021-05' : apiVersion(query),
    });
    try {
      return await endpoint.answer(call, parameters as Parameters<typeof endpoint.answer>[1], startedAtMs);
    } finally {
      if (call.manages) broker.billing.count(existing(broker, managedPath(parameters)), 'management');
    }
  }

  function refuse(thrown: unknown, request: HttpRequest | undefined): Reply {
    if (isDefect(thrown)) process.emitWarning(thrown as Error);
    const { host = 'localhost', path = '' } = request ?? {};
    return errorReply(toHttpError(thrown), { host, path, nowMs: broker.now() });
  }

  return serveHttp({ answer, refuse, headers: { Server: 'Microsoft-HTTPAPI/2.0' } });
}

/** What is not there, not any more or not yet has no account of its own: names that strangers made up would pile up. */
function existing(broker: Broker, path: string): string {
  const { entities } = broker;
  const [, topic = '', subscription = ''] = /^(.+)\/Subscriptions\/([^/]+)$/.exec(path) ?? [];
  const found = entities.queue(path) ?? entities.topic(path) ?? entities.subscription(topic, subscription);
  return found === undefined ? '' : path;
}
