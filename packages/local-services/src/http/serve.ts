import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Reply, send } from './reply.ts';
import { HttpRequest } from './request.ts';
import { RequestQueue } from './request-queue.ts';

export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface HttpService {
  /** What it throws is for `refuse` to say. */
  answer(request: HttpRequest): Reply | Promise<Reply>;
  /**
   * The answer to a request that failed, in the form of the service. Never throws.
   * @param request undefined if its head was not valid
   */
  refuse(thrown: unknown, request: HttpRequest | undefined): Reply;
  /** Headers of every answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Every request gets an answer: those of one connection one after another, in order, and none before the client reads the one before. */
export function serveHttp({ answer, refuse, headers = {} }: HttpService): HttpHandler {
  const queue = new RequestQueue();
  return (incoming, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    // A client that breaks off while it sends must not end the process.
    incoming.on('error', () => gone.abort());
    response.on('error', () => gone.abort());
    const run = async (): Promise<void> => {
      let request: HttpRequest | undefined;
      let reply: Reply;
      try {
        request = new HttpRequest(incoming, gone.signal);
        reply = await answer(request);
      } catch (thrown) {
        reply = refuse(thrown, request);
      }
      try {
        send(response, { ...reply, headers: { ...headers, ...reply.headers } });
        // What was not read must not be taken for the next request.
        if (!incoming.complete) incoming.resume();
      } catch {
        // A value that no header can hold: there is nothing left to say it with.
        response.destroy();
      }
      await sent(response);
    };
    if (!queue.add(incoming.socket, run)) incoming.socket.destroy();
  };
}

/** Resolves when the answer has gone out: those of a client that does not read them must not pile up. */
function sent(response: ServerResponse): Promise<void> | undefined {
  if (response.closed || response.destroyed || response.req.socket.destroyed) return undefined;
  return new Promise((resolve) => response.once('close', resolve));
}
