import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { HttpError } from '../../http/http-error.ts';
import type { Reply } from './call.ts';
import { add, createRoot, serialize } from './xml/write.ts';

/** Writes an answer, or tells it that nobody is there to read it. */
export function send(response: ServerResponse, reply: Reply): void {
  // Not the socket of the response: it has none until those before it on the same connection are through.
  if (response.destroyed || response.writableEnded || response.req.socket.destroyed) {
    reply.undelivered?.();
    return;
  }
  const body = typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body;
  response.statusCode = reply.status;
  response.setHeader('Server', 'Microsoft-HTTPAPI/2.0');
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  // As the service does it: older clients take every header they do not expect for a property of the message.
  const isOld = response.req.httpVersionMajor === 1 && response.req.httpVersionMinor === 0;
  if (!isOld && !response.hasHeader('Connection')) response.removeHeader('Connection');
  if (isOld || body === undefined) response.setHeader('Content-Length', body?.byteLength ?? 0);
  else response.setHeader('Transfer-Encoding', 'chunked');
  response.end(body);
}

/** The service's form of an error: code, and a detail that ends with what support would ask for. */
export function errorReply(
  error: HttpError,
  about: { readonly host: string; readonly path: string; nowMs: number },
): Reply {
  const root = createRoot(null, 'Error');
  add(root, 'Code', String(error.status));
  const subCode = error.subCode === undefined ? '' : `SubCode=${error.subCode}. `;
  const sentence = /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
  const timestamp = new Date(about.nowMs).toISOString().slice(0, 19);
  const tracking = `TrackingId:${randomUUID()}_G0, SystemTracker:${about.host}:${about.path}, Timestamp:${timestamp}`;
  add(root, 'Detail', `${subCode}${sentence} ${tracking}`);
  return {
    status: error.status,
    headers: { 'Content-Type': 'application/xml; charset=utf-8', ...error.headers },
    body: serialize(root),
  };
}
