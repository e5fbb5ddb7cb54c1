import type { ServerResponse } from 'node:http';

/** An answer, before it is on the wire. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Called if the client went before it had the answer. */
  readonly undelivered?: () => void;
}

/** Writes an answer, or tells it that nobody is there to read it. */
export function send(response: ServerResponse, reply: Reply): void {
  // Not the socket of the response: it has none until those before it on the same connection are through.
  if (response.destroyed || response.writableEnded || response.req.socket.destroyed) {
    reply.undelivered?.();
    return;
  }
  const body = typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body;
  response.statusCode = reply.status;
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  // As the vendor does it: its older clients take every header that they do not expect for a property of the message.
  const isOld = response.req.httpVersionMajor === 1 && response.req.httpVersionMinor === 0;
  if (!isOld && !response.hasHeader('Connection')) response.removeHeader('Connection');
  if (isOld || body === undefined) response.setHeader('Content-Length', body?.byteLength ?? 0);
  else response.setHeader('Transfer-Encoding', 'chunked');
  response.end(body);
}
