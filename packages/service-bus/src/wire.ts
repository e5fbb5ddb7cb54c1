import { isUtf8 } from 'node:buffer';
import type { ServiceBusMessage } from '@azure/service-bus';
import type { BroadcastEvent, Encoded, Outgoing } from '@polycast/core/adapter';
import { PolycastError } from '@polycast/core/adapter';

/** Before the name of an attribute. The binding has `cloudEvents:` too, which is no name in SQL filters. */
export const ATTRIBUTE_PREFIX = 'cloudEvents_';
/** Names the link that sent a message, so that its own subscriptions need not be brought it. */
export const LINK_PROPERTY = 'polycast_link';
/** How to read the body where the content type would say something else: `json`, `text` or `bytes`. */
export const DATA_PROPERTY = 'polycast_data';
/** The event says `datacontenttype: application/json` in so many words; without, it left it out. */
export const TYPED_PROPERTY = 'polycast_typed';
/** How often a message was fetched and given back before anybody saw it. */
export const RETURNED_PROPERTY = 'polycast_returned';

export const JSON_TYPE = 'application/json';
const MAX_ID_LENGTH = 128;
/** What an AMQP message has beside its properties and its body: header, section headers, annotations of the service. */
const MESSAGE_OVERHEAD = 256;
/** Of one application property: type codes and lengths. */
const PROPERTY_OVERHEAD = 10;

/** How often handlers were given a message that comes back, and of how many deliveries that was: others are no tries. */
export const TRIES_PROPERTY = 'polycast_tries';
export const COUNTED_PROPERTY = 'polycast_counted';

/** A message ready to be sent, but for its time to live. What is tried again is known to the service by the same message id. */
export interface EncodedMessage extends Encoded {
  readonly message: ServiceBusMessage & { readonly messageId: string };
  /** When it expires, ms of the monotonic clock: the wall clock may be set while it waits. */
  readonly deadlineMs: number;
}

export type Sent = Outgoing<EncodedMessage>;

/**
 * An event as an AMQP message in binary content mode.
 * @param link names the sender, see {@link LINK_PROPERTY}
 * @param messageId by which the service knows a duplicate
 * @throws PolycastError `invalid-payload` for data without a JSON form
 * @see https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/amqp-protocol-binding.md, section 3.1
 */
export function encodeMessage(event: BroadcastEvent, link: string, messageId: string): EncodedMessage {
  const properties: Record<string, string | number | boolean> = {
    cloudEvents_specversion: '1.0',
    cloudEvents_type: event.type,
    cloudEvents_source: event.source,
    cloudEvents_id: event.id,
  };
  const { time, sequence, expiresAtMs, attributes } = event;
  if (time !== undefined) properties.cloudEvents_time = time;
  const expirytime = expiresAtMs < MAX_DATE_MS ? new Date(expiresAtMs).toISOString() : undefined;
  if (expirytime !== undefined) properties.cloudEvents_expirytime = expirytime;
  if (sequence !== undefined) properties.cloudEvents_sequence = sequence;
  let contentType: string | undefined;
  let key: unknown;
  for (const name in attributes) {
    const value = attributes[name] as string | number | boolean;
    if (name === 'datacontenttype') contentType = value as string;
    else {
      properties[ATTRIBUTE_PREFIX + name] = value;
      if (name === 'partitionkey') key = value;
    }
  }
  properties[LINK_PROPERTY] = link;
  const { body, kind } = bodyOf(event, contentType ?? JSON_TYPE);
  if (contentType === JSON_TYPE) properties[TYPED_PROPERTY] = true;
  if (kind !== 'none') {
    contentType ??= JSON_TYPE;
    if (kind !== kindOf(contentType) || body.byteLength === 0) properties[DATA_PROPERTY] = kind;
  }
  const message: EncodedMessage['message'] = {
    body,
    messageId,
    applicationProperties: properties,
    ...(contentType === undefined ? {} : { contentType }),
    ...(typeof key === 'string' && key !== '' ? { sessionId: key } : {}),
  };
  const size =
    MESSAGE_OVERHEAD + body.byteLength + messageId.length * 3 + (contentType?.length ?? 0) + bytesOf(properties);
  const deadlineMs = performance.now() + expiresAtMs - Date.now();
  return { message, deadlineMs, size: typeof key === 'string' ? size + key.length * 3 : size };
}

/** The same message for another sequence: its event was refused, or another before it, and nothing of it has left us. */
export function renumbered(encoded: EncodedMessage, sequence: string | undefined): EncodedMessage {
  const { message } = encoded;
  const applicationProperties = { ...message.applicationProperties, cloudEvents_sequence: sequence as string };
  return { ...encoded, message: { ...message, applicationProperties } };
}

/** The message, to live as long as the event. Beyond what AMQP has a number for (49 days) the topic's own limit holds. */
export function withTtl({ encoded, expiresAtMs }: Sent): ServiceBusMessage {
  const { message, deadlineMs } = encoded;
  if (expiresAtMs === Number.POSITIVE_INFINITY) return message;
  const leftMs = Math.ceil(deadlineMs - performance.now());
  // It is sent again with less left to live: nobody else holds it.
  if (leftMs <= MAX_TTL_MS) message.timeToLive = Math.max(1, leftMs);
  return message;
}

const MAX_TTL_MS = 0xffffffff;
/** Ends with the year 9999: later times have no RFC 3339 form. */
const MAX_DATE_MS = 253_402_300_800_000;

/**
 * By which the service knows what a publisher sends again after a lost answer. Another `publish` of the same event has another:
 * whether that is a duplicate is decided where it is accepted. Readers who know nothing of Polycast see the event's id in front.
 * @param publish names this `publish` among all
 */
export function messageIdOf(id: string, publish: string): string {
  return id.length + publish.length < MAX_ID_LENGTH ? `${id}|${publish}` : publish;
}

/** How a body of a media type is read when nothing says otherwise. */
export type DataKind = 'json' | 'text' | 'bytes';

export function kindOf(contentType: string): DataKind {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === JSON_TYPE || type.endsWith('+json') || type === 'text/json') return 'json';
  return type.startsWith('text/') ? 'text' : 'bytes';
}

function bodyOf(event: BroadcastEvent, contentType: string): { body: Buffer; kind: DataKind | 'none' } {
  // Off another wire, and never read: it goes on as it came.
  if (event.dataText !== undefined) return { body: Buffer.from(event.dataText), kind: 'json' };
  const data: unknown = event.data;
  if (data === undefined) return { body: NOTHING, kind: 'none' };
  if (data instanceof Uint8Array) {
    // A copy: it waits to be sent, and the caller may fill the same bytes anew meanwhile.
    return { body: Buffer.from(data), kind: 'bytes' };
  }
  if (typeof data === 'string' && kindOf(contentType) === 'text' && data !== '' && isWellFormed(data)) {
    return { body: Buffer.from(data), kind: 'text' };
  }
  let text: string | undefined;
  try {
    text = JSON.stringify(data);
  } catch (cause) {
    throw new PolycastError('invalid-payload', 'the data cannot be represented as JSON', { cause });
  }
  if (text === undefined) throw new PolycastError('invalid-payload', 'the data cannot be represented as JSON');
  return { body: Buffer.from(text), kind: 'json' };
}

/** No bytes at all: an event without data. Text that is empty is written as JSON, so that it is not taken for none. */
const NOTHING = Buffer.alloc(0);

function isWellFormed(text: string): boolean {
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed();
}

function bytesOf(properties: Readonly<Record<string, string | number | boolean>>): number {
  let bytes = 0;
  for (const name in properties) {
    const value = properties[name];
    bytes += PROPERTY_OVERHEAD + name.length + (typeof value === 'string' ? Buffer.byteLength(value) : 8);
  }
  return bytes;
}

/** The text of a body that should be UTF-8. @throws PolycastError `corrupt-event` */
export function textOf(body: Uint8Array): string {
  if (!isUtf8(body)) throw new PolycastError('corrupt-event', 'the body is not UTF-8');
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}
