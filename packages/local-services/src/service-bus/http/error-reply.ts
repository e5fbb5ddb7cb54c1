import { randomUUID } from 'node:crypto';
import type { HttpError, Reply } from '../../http/index.ts';
import { add, createRoot, serialize } from './xml/write.ts';

/** The service's form of an error: code, and a detail that ends with what support would ask for. */
export function errorReply(
  error: HttpError,
  about: { readonly host: string; readonly path: string; nowMs: number },
): Reply {
  const root = createRoot(null, 'Error');
  add(root, 'Code', String(error.status));
  const subCode = error.code === undefined ? '' : `SubCode=${error.code}. `;
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
