import type { StoredMessage } from '../broker/api.ts';
import { writeHeader } from './build.ts';
import type { MessageContent } from './content.ts';
import { Reader } from './encoding/reader.ts';
import { Writer } from './encoding/writer.ts';
import { Content } from './message.ts';
import { ANNOTATION, BROKER_ANNOTATIONS, LOCK_TOKEN_ANNOTATION } from './property-fields.ts';
import { deliveryAnnotationsOf, SECTION } from './sections.ts';

/** How a message leaves: until when it is locked (epoch ms; 0: it is not) and by what token, or only looked at. */
export type Handed = { readonly lockedUntilMs: number; readonly lockToken?: string | undefined } | 'peek';

const LOCK_TOKEN: ReadonlySet<string> = new Set([LOCK_TOKEN_ANNOTATION]);

/** Codes of `x-opt-message-state`. */
const STATE = { active: 0, deferred: 1, scheduled: 2 } as const;

/** The most that header and annotations of the broker take beside what came, and the path of a dead letter's source. */
export const DELIVERY_OVERHEAD_BYTES = 450;

/**
 * The message as receivers get it: header and annotations are the broker's; properties, application properties, body
 * and footer are the bytes that came.
 */
export function encodeForDelivery(stored: StoredMessage, handed: Handed): Buffer {
  const writer = new Writer(stored.content.size + DELIVERY_OVERHEAD_BYTES);
  writeForDelivery(writer, stored, handed);
  return writer.takeBytes();
}

export function writeForDelivery(writer: Writer, stored: StoredMessage, handed: Handed, omitBody = false): void {
  const content = ours(stored.content);
  const { durable, priority, firstAcquirer } = content.header();
  const ttl =
    stored.expiresAtMs === Number.POSITIVE_INFINITY ? content.ttlMs : stored.expiresAtMs - stored.enqueuedAtMs;
  writeHeader(writer, {
    durable,
    priority,
    // Clients add it to the time of enqueuing to say when the message expires: so it is the whole and not what is left.
    ttl: ttl === Number.POSITIVE_INFINITY ? undefined : ttl,
    firstAcquirer,
    deliveryCount: stored.deliveryCount,
  });
  writeDeliveryAnnotations(writer, content, handed === 'peek' ? undefined : handed.lockToken);
  writeAnnotations(writer, content, stored, handed);
  writer.raw(content.bytes, content.sections.bareAt, omitBody ? content.sections.bodyAt : content.bytes.length);
}

/** The sender's, and the token of the lock: clients that settle by it look for it here. */
function writeDeliveryAnnotations(writer: Writer, { bytes }: Content, lockToken: string | undefined): void {
  const at = deliveryAnnotationsOf(bytes)?.[2];
  if (at === undefined && lockToken === undefined) return;
  writer.descriptor(SECTION.deliveryAnnotations);
  const map = writer.openMap();
  let count = at === undefined ? 0 : copyAnnotations(writer, bytes, at, LOCK_TOKEN);
  if (lockToken !== undefined) {
    writer.raw(KEYS.lockToken);
    writer.uuid(lockToken);
    count += 2;
  }
  writer.close(map, count);
}

function writeAnnotations(writer: Writer, content: Content, stored: StoredMessage, handed: Handed): void {
  writer.descriptor(SECTION.messageAnnotations);
  const map = writer.openMap();
  let count = 6 + copySenders(writer, content);
  writer.raw(KEYS.enqueuedTime);
  writer.timestamp(stored.enqueuedAtMs);
  writer.raw(KEYS.sequenceNumber);
  writer.long(stored.sequenceNumber);
  writer.raw(KEYS.enqueueSequenceNumber);
  writer.long(stored.enqueuedSequenceNumber);
  if (handed !== 'peek' && handed.lockedUntilMs > 0) {
    writer.raw(KEYS.lockedUntil);
    writer.timestamp(handed.lockedUntilMs);
    count += 2;
  }
  if (stored.deadLetterSource !== undefined) {
    writer.raw(KEYS.deadLetterSource);
    writer.string(stored.deadLetterSource);
    count += 2;
  }
  if (handed === 'peek' || stored.state !== 'active') {
    writer.raw(KEYS.messageState);
    writer.int(STATE[stored.state]);
    count += 2;
  }
  writer.close(map, count);
}

/** The sender's annotations, without those that only the broker may set. @returns how many keys and values */
function copySenders(writer: Writer, content: Content): number {
  const at = content.sections.messageAnnotations;
  return at < 0 ? 0 : copyAnnotations(writer, content.bytes, at, BROKER_ANNOTATIONS);
}

/** @param but names that are left out @returns how many keys and values */
function copyAnnotations(writer: Writer, bytes: Buffer, at: number, but: ReadonlySet<string>): number {
  const fields = new Reader(bytes, at).map();
  let count = 0;
  while (fields.more()) {
    const startAt = fields.at;
    const key = fields.value();
    fields.more();
    fields.skip();
    if (typeof key === 'string' && but.has(key)) continue;
    writer.raw(bytes, startAt, fields.at);
    count += 2;
  }
  return count;
}

function ours(content: MessageContent): Content {
  if (content instanceof Content) return content;
  throw new TypeError('only a Content can be delivered: its bytes are what receivers get');
}

/** The keys, encoded: they are written for every delivery. */
const KEYS = Object.fromEntries(
  Object.entries({ ...ANNOTATION, lockToken: LOCK_TOKEN_ANNOTATION }).map(([name, key]) => {
    const writer = new Writer(64);
    writer.symbol(key);
    return [name, writer.copyBytes()];
  }),
) as Readonly<Record<keyof typeof ANNOTATION | 'lockToken', Buffer>>;
