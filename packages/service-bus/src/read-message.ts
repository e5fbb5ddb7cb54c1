import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { type BroadcastEvent, decodeEvents, eventFromBinary, PolycastError } from '@polycast/core/adapter';
import { ATTRIBUTE_PREFIX, DATA_PROPERTY, JSON_TYPE, kindOf, LINK_PROPERTY, TYPED_PROPERTY, textOf } from './wire.ts';

/** What a message is read from. */
export type ReadableMessage = Pick<
  ServiceBusReceivedMessage,
  | 'body'
  | 'applicationProperties'
  | 'contentType'
  | 'messageId'
  | 'subject'
  | 'sessionId'
  | 'partitionKey'
  | 'enqueuedTimeUtc'
  | 'sequenceNumber'
>;

/** What a message brought: usually one event; several from a JSON batch; errors for what is none. */
export interface Reading {
  readonly events: readonly BroadcastEvent[];
  readonly errors: readonly PolycastError[];
}

/** The prefix of the specification, which is no name in SQL filters, and the one that is. */
const PREFIX = /^cloudEvents[:_]/;
const STRUCTURED = /^application\/cloudevents/i;
const JSON_FORMAT = /^application\/cloudevents(-batch)?(\+json)?\s*(;|$)/i;

/** The type of a message that names none. */
export const FOREIGN_TYPE = 'com.microsoft.servicebus.message';
/** Attributes that say something to Polycast: nobody else's property of that name means it. */
const MEANT_BY_POLYCAST = new Set(
  'specversion id source type subject time datacontenttype dataschema data to replyto correlationid carboncopy expirytime sequence partitionkey chunkid chunkindex chunkcount'.split(
    ' ',
  ),
);
const ATTRIBUTE_NAME = /^[a-z0-9]{1,20}$/;

/** Reads what came, whoever sent it. Never throws. */
export function readMessage(message: ReadableMessage, topic: string): Reading {
  try {
    const { contentType } = message;
    if (typeof contentType === 'string' && STRUCTURED.test(contentType)) return readStructured(message, contentType);
    return { events: [isBinary(message) ? readBinary(message) : readForeign(message, topic)], errors: [] };
  } catch (thrown) {
    return { events: [], errors: [PolycastError.from(thrown, 'corrupt-event')] };
  }
}

/** A count that the message carries. Whoever sent it may have written anything there. */
export function countIn({ applicationProperties }: ReadableMessage, property: string): number {
  const count = applicationProperties?.[property];
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : 0;
}

function isBinary({ applicationProperties }: ReadableMessage): boolean {
  if (applicationProperties === undefined) return false;
  return 'cloudEvents_specversion' in applicationProperties || 'cloudEvents:specversion' in applicationProperties;
}

function readStructured(message: ReadableMessage, contentType: string): Reading {
  if (!JSON_FORMAT.test(contentType)) {
    return {
      events: [],
      errors: [new PolycastError('corrupt-event', `unsupported content type ${contentType.slice(0, 60)}`)],
    };
  }
  const events: BroadcastEvent[] = [];
  const errors: PolycastError[] = [];
  const { body } = message as { body: unknown };
  const text = typeof body === 'string' ? body : textOf(bytesOf(body));
  decodeEvents(
    text,
    (event) => events.push(event),
    (error) => errors.push(error),
  );
  return { events, errors };
}

/** @see CloudEvents AMQP binding, section 3.1 */
function readBinary(message: ReadableMessage): BroadcastEvent {
  const properties = message.applicationProperties as Readonly<Record<string, unknown>>;
  const attributes: Record<string, unknown> = Object.create(null);
  for (const name in properties) {
    if (!name.startsWith('cloudEvents') || !PREFIX.test(name)) continue;
    const attribute = name.slice(ATTRIBUTE_PREFIX.length);
    if (attribute in attributes) throw new PolycastError('corrupt-event', `${attribute.slice(0, 40)} is given twice`);
    attributes[attribute] = properties[name];
  }
  const { contentType } = message;
  const isOurs = properties[LINK_PROPERTY] !== undefined;
  const leftOut = isOurs && contentType === JSON_TYPE && properties[TYPED_PROPERTY] !== true;
  if (contentType !== undefined && !leftOut) attributes.datacontenttype = contentType;
  return eventFromBinary({ attributes, ...dataOf(message, properties[DATA_PROPERTY]) });
}

function dataOf(message: ReadableMessage, kindSaid: unknown): { data?: unknown; dataText?: string } {
  const { body, contentType } = message as { body: unknown; contentType?: string };
  if (!(body instanceof Uint8Array) && !Array.isArray(body)) {
    // An AMQP value: as it is, where JSON has such a thing.
    if (body === undefined || body === null) return {};
    return { data: plain(body) };
  }
  const bytes = bytesOf(body);
  if (bytes.byteLength === 0 && kindSaid === undefined) return {};
  const kind = kindSaid ?? (contentType === undefined ? 'json' : kindOf(contentType));
  if (kind === 'json') return { dataText: textOf(bytes) };
  return kind === 'text' ? { data: textOf(bytes) } : { data: own(bytes) };
}

/** Something that was never meant to be an event: what it has that an event needs. */
function readForeign(message: ReadableMessage, topic: string): BroadcastEvent {
  const { messageId, sequenceNumber, subject, contentType, enqueuedTimeUtc } = message;
  const id = messageId === undefined || messageId === '' ? String(sequenceNumber) : idOf(messageId);
  const attributes: Record<string, unknown> = Object.create(null);
  Object.assign(attributes, {
    specversion: '1.0',
    id,
    source: `/${topic}`,
    type: typeof subject === 'string' && isText(subject) ? subject : FOREIGN_TYPE,
    time: enqueuedTimeUtc,
  });
  const key = message.sessionId ?? message.partitionKey;
  if (typeof key === 'string' && isText(key)) attributes.partitionkey = key;
  let kind: string | undefined;
  if (typeof contentType === 'string' && /^[\w.+-]+\/[\w.+-]+(\s*;.*)?$/.test(contentType) && isText(contentType)) {
    attributes.datacontenttype = contentType;
    kind = kindOf(contentType);
  }
  for (const [name, value] of Object.entries(message.applicationProperties ?? {})) {
    if (ATTRIBUTE_NAME.test(name) && !MEANT_BY_POLYCAST.has(name) && isAttribute(value)) attributes[name] = value;
  }
  const { body } = message as { body: unknown };
  if (!(body instanceof Uint8Array)) return eventFromBinary({ attributes, ...dataOf(message, undefined) });
  if (body.byteLength === 0) return eventFromBinary({ attributes });
  const data = kind === 'bytes' ? undefined : jsonOrText(body, kind);
  if (data === undefined && kind === undefined) attributes.datacontenttype = 'application/octet-stream';
  return eventFromBinary({ attributes, data: data === undefined ? own(body) : data.value });
}

/** Who declares nothing may send JSON, text or bytes. */
function jsonOrText(body: Uint8Array, kind: string | undefined): { value: unknown } | undefined {
  let text: string;
  try {
    text = textOf(body);
  } catch {
    return undefined;
  }
  if (kind === 'text') return { value: text };
  try {
    return { value: plain(JSON.parse(text)) };
  } catch {
    return { value: text };
  }
}

function idOf(messageId: string | number | Buffer): string {
  if (typeof messageId === 'string')
    return isText(messageId) ? messageId : Buffer.from(messageId).toString('base64url');
  return typeof messageId === 'number' ? String(messageId) : Buffer.from(messageId).toString('hex');
}

function isAttribute(value: unknown): boolean {
  if (typeof value === 'string') return value === '' || isText(value);
  return typeof value === 'boolean' || (typeof value === 'number' && (value | 0) === value) || value instanceof Date;
}

/** May be an attribute: short enough, and without control characters. */
function isText(text: string): boolean {
  return text !== '' && text.length <= 8_192 && !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text);
}

/** Data of several sections is one after another. */
function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  if (Array.isArray(body) && body.every((part) => part instanceof Uint8Array)) return Buffer.concat(body);
  throw new PolycastError('corrupt-event', 'the body is not bytes');
}

/** Bytes that outlive the buffer of the connection they came in. */
function own(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** A value of AMQP as JSON data: bytes as they are, dates as text, everything else made plain. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return own(value);
  const text = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
}
