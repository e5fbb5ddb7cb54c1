import type { Element } from '@xmldom/xmldom';
import { badRequest, HttpError } from '../../../http/index.ts';
import { readEntry } from '../atom/document.ts';
import type { Call } from '../call.ts';
import { MAX_XML_BYTES } from '../xml/limits.ts';

/** Does a PUT change what is there, or create? @throws HttpError 412 for any condition but `*` */
export function isUpdate(call: Call): boolean {
  const condition = call.request.headers['if-match'];
  if (condition === undefined) return false;
  if (condition.trim() === '*') return true;
  throw new HttpError(412, "The only condition for an update is 'If-Match: *'.");
}

/** @returns the description in a PUT's body, which must be one of `expected` @throws HttpError 400, 413 */
export async function putDescription(call: Call, ...expected: readonly string[]): Promise<Element> {
  const body = await call.request.body(MAX_XML_BYTES, 413, `A description has no more than ${MAX_XML_BYTES} bytes.`);
  const description = readEntry(body);
  if (expected.includes(description.localName ?? '')) return description;
  throw badRequest(
    `'${description.localName?.slice(0, 50)}' does not match this URL; expected ${expected.join(' or ')}.`,
  );
}

interface Forwarding {
  readonly forwardTo?: string | undefined;
  readonly forwardDeadLetteredMessagesTo?: string | undefined;
}

/**
 * Who lets messages be forwarded must be allowed to send to where they go: by a token of its own in a header of its
 * own, or by the request's token. @throws HttpError 401
 */
export async function authorizeForwarding(call: Call, change: Forwarding): Promise<void> {
  await authorizeTarget(call, change.forwardTo, 'servicebussupplementaryauthorization');
  await authorizeTarget(call, change.forwardDeadLetteredMessagesTo, 'servicebusdlqsupplementaryauthorization');
}

async function authorizeTarget(call: Call, path: string | undefined, header: string): Promise<void> {
  if (path === undefined) return;
  const grant = await (call.supplementaryGrant(header, path) ?? call.grant(path));
  if (grant.allows(path, 'send')) return;
  call.refuse(`Unauthorized access. 'Send' claim(s) are required on '${path}' to forward messages to it.`);
}

/** A client removes these by leaving them out; the rest of what it leaves out stays. */
export const CLEARED_BY_OMISSION = {
  forwardTo: undefined,
  forwardDeadLetteredMessagesTo: undefined,
  userMetadata: '',
} as const;
