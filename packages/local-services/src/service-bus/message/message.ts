import { randomUUID } from 'node:crypto';
import { type Changes, type PropertyValue, TimeSpan, Uuid } from '../rules/index.ts';
import { buildMessage, type MessageParts } from './build.ts';
import type { MessageContent } from './content.ts';
import { editMessage } from './edit.ts';
import { decodeError, Fields, Reader } from './encoding/reader.ts';
import type { AmqpValue } from './encoding/value.ts';
import { ANNOTATION_OF_NAME, FIELD, FIELD_OF_NAME, LATER_NAMES, SENDER_ANNOTATION } from './property-fields.ts';
import { findSections, inOrder, SECTION, type Sections, sectionCode } from './sections.ts';

/** Properties that HTTP carries in its `BrokerProperties` header. */
export type BrokerProperties = Omit<MessageParts, 'body' | 'applicationProperties'>;

/** An encoded AMQP message. Reads from its bytes what is asked for, when it is asked for. */
export class Content implements MessageContent {
  readonly bytes: Buffer;
  readonly sections: Sections;
  /** In bytes, as it was sent: an id that the service gave is not the sender's to answer for. */
  readonly size: number;
  readonly ttlMs: number;
  readonly scheduledAtMs: number;

  private constructor(bytes: Buffer, nowMs: number, ttlMs?: number, size = bytes.length) {
    const found = findSections(bytes);
    this.bytes = found === undefined ? inOrder(bytes) : bytes;
    this.sections = found ?? findSections(this.bytes) ?? decodeError('a section occurs twice');
    this.size = size;
    this.ttlMs = ttlMs ?? this.#readTtl(nowMs);
    this.scheduledAtMs = this.#annotationTime(SENDER_ANNOTATION.scheduledEnqueueTime);
  }

  /**
   * Takes a copy where `bytes` lie in a much larger buffer, so that a small message does not hold on to what was read
   * with it.
   * @param nowMs epoch ms; for a message that says when it expires and not when it was made
   * @throws BrokerError `amqp:decode-error`
   */
  static read(bytes: Buffer, nowMs = Date.now()): Content {
    return new Content(bytes.length * 2 >= bytes.buffer.byteLength ? bytes : Buffer.from(bytes), nowMs);
  }

  static build(parts: MessageParts): Content {
    return new Content(buildMessage(parts), Date.now());
  }

  get messageId(): string | undefined {
    return this.#text(FIELD.messageId);
  }

  get sessionId(): string | undefined {
    return this.#text(FIELD.groupId);
  }

  get partitionKey(): string | undefined {
    return this.#annotationText(SENDER_ANNOTATION.partitionKey);
  }

  get brokerProperties(): BrokerProperties {
    const properties = {
      messageId: this.messageId,
      correlationId: this.#text(FIELD.correlationId),
      sessionId: this.sessionId,
      replyToSessionId: this.#text(FIELD.replyToGroupId),
      subject: this.#text(FIELD.subject),
      to: this.#text(FIELD.to),
      replyTo: this.#text(FIELD.replyTo),
      contentType: this.#text(FIELD.contentType),
      partitionKey: this.partitionKey,
      viaPartitionKey: this.#annotationText(SENDER_ANNOTATION.viaPartitionKey),
      timeToLiveMs: this.ttlMs === Number.POSITIVE_INFINITY ? undefined : this.ttlMs,
      scheduledAtMs: this.scheduledAtMs === 0 ? undefined : this.scheduledAtMs,
    };
    return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
  }

  get applicationProperties(): ReadonlyMap<string, PropertyValue> {
    return this.#user().exact;
  }

  get userNames(): Iterable<string> {
    return this.#user().exact.keys();
  }

  user(name: string): PropertyValue | undefined {
    return this.#user().folded.get(name.toLowerCase());
  }

  system(name: string): PropertyValue | undefined {
    const field = FIELD_OF_NAME.get(name);
    if (field !== undefined) return this.#text(field) ?? null;
    if (name === 'timetolive') return TimeSpan.ofMs(this.ttlMs);
    const annotation = ANNOTATION_OF_NAME.get(name);
    if (annotation !== undefined) {
      const value = this.annotation(annotation);
      return typeof value === 'string' || value instanceof Date ? value : null;
    }
    if (name === 'size') return BigInt(this.size);
    return LATER_NAMES.has(name) ? null : undefined;
  }

  /** The same message, with an id where the sender gave none: the service makes one, and clients rely on it. */
  identified(): Content {
    if (this.messageId !== undefined) return this;
    return this.#edited({ system: new Map([['messageid', randomUUID().replaceAll('-', '')]]) }, this.size);
  }

  with(changes: Partial<Changes>): Content {
    return this.#edited(changes);
  }

  #edited(changes: Partial<Changes>, size?: number): Content {
    // An expiry that is a time of day keeps the time to live that it meant when the message came.
    const keepsTtl = changes.system?.has('timetolive') !== true;
    return new Content(editMessage(this, changes), Date.now(), keepsTtl ? this.ttlMs : undefined, size);
  }

  /** The header's fields, undefined where it leaves them out. */
  header(): Header {
    if (this.sections.header < 0) return NO_HEADER;
    const fields = new Reader(this.bytes, this.sections.header).list();
    return {
      durable: fields.boolean(),
      priority: fields.uint(),
      ttl: fields.uint(),
      firstAcquirer: fields.boolean(),
    };
  }

  /** One message annotation. */
  annotation(name: string): AmqpValue | undefined {
    if (this.sections.messageAnnotations < 0) return undefined;
    const fields = new Reader(this.bytes, this.sections.messageAnnotations).map();
    while (fields.more()) {
      const key = fields.value();
      fields.more();
      if (key === name) return fields.value();
      fields.skip();
    }
    return undefined;
  }

  /** The content of the body: of data sections, together; of a text or binary value. Of another value: its AMQP encoding. */
  bodyBytes(): Buffer {
    const pieces: Buffer[] = [];
    const reader = new Reader(this.bytes, this.sections.bodyAt);
    while (!reader.done) {
      const code = sectionCode(reader);
      const at = reader.at;
      if (code === SECTION.data) pieces.push(reader.value() as Buffer);
      else {
        reader.skip();
        if (code === SECTION.value || code === SECTION.sequence) pieces.push(valueBytes(this.bytes, at, reader.at));
      }
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  /** What an amqp-value section holds, or else the first data section. */
  bodyValue(): AmqpValue | undefined {
    const reader = new Reader(this.bytes, this.sections.bodyAt);
    while (!reader.done) {
      const code = sectionCode(reader);
      if (code === SECTION.value || code === SECTION.data) return reader.value();
      reader.skip();
    }
    return undefined;
  }

  /** A field of the properties section as it is encoded. */
  rawProperty(index: number): Buffer | undefined {
    if (this.sections.properties < 0) return undefined;
    const fields = new Reader(this.bytes, this.sections.properties).list();
    fields.pass(index);
    return fields.raw();
  }

  #readTtl(nowMs: number): number {
    const ttl = this.header().ttl;
    if (ttl !== undefined) return ttl;
    const expiry = this.#field(FIELD.absoluteExpiryTime);
    if (!(expiry instanceof Date)) return Number.POSITIVE_INFINITY;
    const made = this.#field(FIELD.creationTime);
    return Math.max(0, expiry.getTime() - (made instanceof Date ? made.getTime() : nowMs));
  }

  #field(index: number): AmqpValue | undefined {
    if (this.sections.properties < 0) return undefined;
    const fields = new Reader(this.bytes, this.sections.properties).list();
    fields.pass(index);
    return fields.any();
  }

  /** Ids may be ulong, uuid or binary: the service shows them as text. */
  #text(index: number): string | undefined {
    const value = this.#field(index);
    if (value === undefined || typeof value === 'string') return value;
    if (value instanceof Uuid) return value.text;
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
    return typeof value === 'bigint' ? String(value) : undefined;
  }

  #annotationText(name: string): string | undefined {
    const value = this.annotation(name);
    return typeof value === 'string' ? value : undefined;
  }

  #annotationTime(name: string): number {
    const value = this.annotation(name);
    return value instanceof Date ? value.getTime() : 0;
  }

  #user(): UserProperties {
    // Many subscriptions ask the same message one after the other; nobody asks again later.
    if (lastRead.content !== this) lastRead = { content: this, user: this.#readUser() };
    return lastRead.user;
  }

  #readUser(): UserProperties {
    const exact = new Map<string, PropertyValue>();
    const folded = new Map<string, PropertyValue>();
    const { applicationProperties } = this.sections;
    const fields = applicationProperties < 0 ? NO_FIELDS : new Reader(this.bytes, applicationProperties).map();
    while (fields.more()) {
      const key = fields.value();
      fields.more();
      const value = fields.value();
      if (typeof key !== 'string' || !isPropertyValue(value)) continue;
      exact.set(key, value);
      folded.set(key.toLowerCase(), value);
    }
    return { exact, folded };
  }
}

interface Header {
  readonly durable: boolean | undefined;
  readonly priority: number | undefined;
  readonly ttl: number | undefined;
  readonly firstAcquirer: boolean | undefined;
}

const NO_HEADER: Header = { durable: undefined, priority: undefined, ttl: undefined, firstAcquirer: undefined };

interface UserProperties {
  readonly exact: ReadonlyMap<string, PropertyValue>;
  readonly folded: ReadonlyMap<string, PropertyValue>;
}

const NO_FIELDS = new Fields(Buffer.alloc(0), 0, 0, 0);

/** A cache of one: kept beside each message, properties would take more memory than the message. */
let lastRead: { content: Content | undefined; user: UserProperties } = {
  content: undefined,
  user: { exact: new Map(), folded: new Map() },
};

/** Lists, maps and described values are carried and never looked at. */
export function isPropertyValue(value: AmqpValue): value is PropertyValue {
  return (
    value === null ||
    typeof value !== 'object' ||
    value instanceof Date ||
    value instanceof Uuid ||
    value instanceof TimeSpan ||
    value instanceof Uint8Array
  );
}

function valueBytes(bytes: Buffer, at: number, end: number): Buffer {
  const code = bytes[at]!;
  // Text and binary, short and long.
  if (code === 0xa0 || code === 0xa1) return bytes.subarray(at + 2, end);
  if (code === 0xb0 || code === 0xb1) return bytes.subarray(at + 5, end);
  return bytes.subarray(at, end);
}
