import type { Reply } from '../../../http/index.ts';
import { badRequest, HttpError } from '../../../http/index.ts';
import type { Delivered, MessageSource, ReceiveMode } from '../../broker/api.ts';
import type { BrokerError } from '../../broker/error.ts';
import { Content } from '../../message/index.ts';
import { encodePath } from '../atom/context.ts';
import type { Call } from '../call.ts';
import { toHttpError } from '../to-http-error.ts';
import { writeBrokerProperties } from './broker-properties.ts';
import { listenRefusal, orGone } from './endpoint.ts';
import { writeUserProperties } from './user-properties.ts';

/** The longest wait for a message, in s; also the wait of who names none. */
export const MAX_WAIT_S = 55;

const SUB_QUEUE = /(?:\/\$transfer)?\/\$deadletterqueue$/i;

/** POST takes the next message and locks it, DELETE takes it for good; both wait for one. */
export async function receiveMessage(call: Call, path: string): Promise<Reply> {
  await call.authorize('listen', listenRefusal(call, path));
  const waitMs = waitOf(call.request.query);
  const source = orGone(call, path, () => call.broker.source(path));
  const mode: ReceiveMode = call.request.method === 'POST' ? 'peek-lock' : 'receive-and-delete';
  const delivered = await next(call, source, mode, waitMs);
  if (delivered === undefined) {
    call.broker.billing.count(source.path.replace(SUB_QUEUE, ''), 'empty-receive');
    return { status: 204 };
  }
  return messageReply(call, source, delivered);
}

function waitOf(query: URLSearchParams): number {
  const text = query.get('timeout');
  if (text === null || text === '') return MAX_WAIT_S * 1000;
  if (!/^\d{1,9}$/.test(text)) throw badRequest(`The timeout '${text.slice(0, 30)}' is not a number of seconds.`);
  return Math.min(Number(text), MAX_WAIT_S) * 1000;
}

/** @returns undefined when none came in time, or the client went @throws HttpError when the source went */
function next(call: Call, source: MessageSource, mode: ReceiveMode, waitMs: number): Promise<Delivered | undefined> {
  if (call.request.signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let stopListening = () => {};
    const end = (settle: () => void) => {
      clearTimeout(timer);
      stopListening();
      call.request.signal.removeEventListener('abort', nothing);
      receiver.close();
      settle();
    };
    const nothing = () => end(() => resolve(undefined));
    const receiver = source.receive(mode, (delivered) => end(() => resolve(delivered)));
    call.request.signal.addEventListener('abort', nothing);
    stopListening = source.onGone((error) => end(() => reject(goneError(error))));
    timer = setTimeout(nothing, waitMs);
    timer.unref();
    receiver.credit = 1;
  });
}

/** Deleted while somebody waits for it: Gone. */
function goneError(error: BrokerError): HttpError {
  const status = error.condition === 'amqp:not-found' ? 410 : toHttpError(error).status;
  return new HttpError(status, error.message);
}

function messageReply(call: Call, source: MessageSource, delivered: Delivered): Reply {
  const { message, lockToken } = delivered;
  const content = message.content;
  if (!(content instanceof Content)) throw new TypeError('only a Content can be delivered over HTTP');
  const lock = lockToken === undefined ? undefined : { token: lockToken, untilMs: delivered.lockedUntilMs };
  const { contentType } = content.brokerProperties;
  const headers: Record<string, string> = {
    ...writeUserProperties(content.applicationProperties),
    'Content-Type': isHeaderText(contentType) ? contentType : 'application/atom+xml;type=entry;charset=utf-8',
    BrokerProperties: writeBrokerProperties(message, content, lock),
  };
  if (lock === undefined) return { status: 200, headers, body: content.bodyBytes() };
  const location = encodePath(`${source.path}/messages/${message.sequenceNumber}/${lock.token}`);
  return {
    status: 201,
    headers: { ...headers, Location: `${call.context.origin}/${location}` },
    body: content.bodyBytes(),
    // Nobody got it: the next one may have it at once.
    undelivered: () => {
      try {
        source.settle(lock.token, { kind: 'abandon' });
      } catch {
        // Its lock has ended already: then the next one has it anyway.
      }
    },
  };
}

const isHeaderText = (text: string | undefined): text is string => text !== undefined && /^[\x20-\x7e\t]+$/.test(text);
