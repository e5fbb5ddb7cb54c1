import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { badRequest, isDefect, toHttpError } from '../../http/http-error.ts';
import { Turns } from '../../http/request-queue.ts';
import type { Broker } from '../broker/api.ts';
import { apiVersion } from './api-version.ts';
import type { Context } from './atom/context.ts';
import type { AuthorityLike } from './authority.ts';
import { Call, type Reply } from './call.ts';
import { dispatch } from './dispatch.ts';
import { errorReply, send } from './reply.ts';
import { managedPath, type Route, routeOf, segmentsOf } from './route.ts';

export interface HttpOptions {
  readonly broker: Broker;
  readonly authority: AuthorityLike;
  /** Further host names of this namespace, for URLs to forward to. The one a request came by always is. */
  readonly hostNames?: readonly string[];
}

/** Properties of a message sent over HTTP are headers, and may be 64 KB; the rest is for all other headers. */
export const MAX_HEADER_BYTES = 80 * 1_024;

export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void;

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** Service Bus's HTTP side: administration in Atom, and messages. Never throws; every request gets an answer. */
export function serveHttp(options: HttpOptions): HttpHandler {
  const startedAtMs = options.broker.now();
  const hostNames = [...LOOPBACK, ...(options.hostNames ?? []).map((name) => name.toLowerCase())];
  const turns = new Turns();
  return (request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    // A client that breaks off while it sends must not end the process.
    request.on('error', () => gone.abort());
    response.on('error', () => gone.abort());
    const setting = { request, hostNames, startedAtMs, signal: gone.signal };
    const isTaken = turns.take(request.socket, () =>
      answer(options, setting)
        .then((reply) => {
          send(response, reply);
          // What was not read must not be taken for the next request.
          if (!request.complete) request.resume();
        })
        // A value no header can hold: there is nothing left to say it with.
        .catch(() => void response.destroy())
        .then(() => sent(response)),
    );
    if (!isTaken) request.socket.destroy();
  };
}

/** Resolves when the answer has gone out: those of a client that does not read them must not pile up. */
function sent(response: ServerResponse): Promise<void> | undefined {
  if (response.closed || response.destroyed || response.req.socket.destroyed) return undefined;
  return new Promise((resolve) => response.once('close', resolve));
}

interface Setting {
  readonly request: IncomingMessage;
  readonly hostNames: readonly string[];
  readonly startedAtMs: number;
  readonly signal: AbortSignal;
}

/** Never rejects. */
async function answer(options: HttpOptions, setting: Setting): Promise<Reply> {
  let host = 'localhost';
  let path = '';
  try {
    const { request } = setting;
    host = hostOf(request);
    // Proxies are asked with the whole URL.
    const url = (request.url ?? '/').replace(/^\w+:\/\/[^/]*/, '');
    const [pathname, search] = splitOnce(url, '?');
    const segments = segmentsOf(pathname);
    path = segments.join('/');
    const query = new URLSearchParams(search);
    const origin = `${(request.socket as TLSSocket).encrypted ? 'https' : 'http'}://${host}`;
    const route = routeOf(request.method ?? 'GET', segments);
    const context: Context = {
      origin,
      host,
      hostNames: new Set([...setting.hostNames, host.replace(/:\d+$/, '').toLowerCase()]),
      version: isMessaging(route) ? '2021-05' : apiVersion(query),
    };
    const { broker, authority } = options;
    const call = new Call({ broker, authority, request, url, path, query, context, signal: setting.signal });
    try {
      return await dispatch(call, route, setting.startedAtMs);
    } finally {
      if (call.manages) broker.billing.count(existing(broker, managedPath(route)), 'management');
    }
  } catch (error) {
    if (isDefect(error)) process.emitWarning(error as Error);
    return errorReply(toHttpError(error), { host, path, nowMs: options.broker.now() });
  }
}

/** What is not there, not any more or not yet has no account of its own: names that strangers made up would pile up. */
function existing(broker: Broker, path: string): string {
  const { entities } = broker;
  const [, topic = '', subscription = ''] = /^(.+)\/Subscriptions\/([^/]+)$/.exec(path) ?? [];
  const found = entities.queue(path) ?? entities.topic(path) ?? entities.subscription(topic, subscription);
  return found === undefined ? '' : path;
}

const isMessaging = (route: Route): boolean =>
  route.kind === 'send' || route.kind === 'receive' || route.kind === 'locked';

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** The name the client calls the namespace by: answers hold URLs, which must lead back here. @throws HttpError 400 */
function hostOf(request: IncomingMessage): string {
  const host = request.headers.host ?? '';
  if (/^(?:[\w.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i.test(host)) return host;
  throw badRequest('The Host header is missing or not valid.');
}
