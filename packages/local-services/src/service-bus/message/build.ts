import type { PropertyValue } from '../rules/index.ts';
import type { AmqpValue } from './encoding/value.ts';
import { Writer } from './encoding/writer.ts';
import { SENDER_ANNOTATION } from './property-fields.ts';
import { SECTION } from './sections.ts';

/** What a message is made of. */
export interface MessageParts {
  readonly messageId?: string;
  readonly correlationId?: string;
  readonly sessionId?: string;
  readonly replyToSessionId?: string;
  /** The service also calls it Label. */
  readonly subject?: string;
  readonly to?: string;
  readonly replyTo?: string;
  readonly contentType?: string;
  readonly partitionKey?: string;
  readonly viaPartitionKey?: string;
  readonly timeToLiveMs?: number;
  /** Epoch ms. */
  readonly scheduledAtMs?: number;
  readonly applicationProperties?: ReadonlyMap<string, PropertyValue>;
  /** Bytes become a data section, a value an amqp-value section. */
  readonly body: Uint8Array | { readonly value: AmqpValue };
}

/** The longest time to live that a header holds, in ms: 49 days. */
export const MAX_TTL_MS = 0xffff_ffff;

export function buildMessage(parts: MessageParts): Buffer {
  const writer = new Writer();
  if (parts.timeToLiveMs !== undefined) writeHeader(writer, { ttl: parts.timeToLiveMs });
  writeAnnotations(writer, parts);
  writeProperties(writer, parts);
  if (parts.applicationProperties !== undefined && parts.applicationProperties.size > 0) {
    writer.descriptor(SECTION.applicationProperties);
    writer.value(parts.applicationProperties);
  }
  if (parts.body instanceof Uint8Array) {
    writer.descriptor(SECTION.data);
    writer.binary(parts.body);
  } else {
    writer.descriptor(SECTION.value);
    writer.value(parts.body.value);
  }
  return writer.copyBytes();
}

export function writeHeader(
  writer: Writer,
  header: {
    durable?: boolean | undefined;
    priority?: number | undefined;
    ttl?: number | undefined;
    firstAcquirer?: boolean | undefined;
    deliveryCount?: number;
  },
): void {
  writer.descriptor(SECTION.header);
  const list = writer.openList();
  header.durable === undefined ? writer.null() : writer.boolean(header.durable);
  header.priority === undefined ? writer.null() : writer.ubyte(header.priority);
  header.ttl === undefined ? writer.null() : writer.uint(Math.min(MAX_TTL_MS, Math.max(0, Math.round(header.ttl))));
  header.firstAcquirer === undefined ? writer.null() : writer.boolean(header.firstAcquirer);
  if (header.deliveryCount === undefined) return writer.close(list, 4);
  writer.uint(header.deliveryCount);
  writer.close(list, 5);
}

function writeAnnotations(writer: Writer, parts: MessageParts): void {
  const { scheduledAtMs, partitionKey, viaPartitionKey } = parts;
  if (scheduledAtMs === undefined && partitionKey === undefined && viaPartitionKey === undefined) return;
  writer.descriptor(SECTION.messageAnnotations);
  const map = writer.openMap();
  let count = 0;
  if (scheduledAtMs !== undefined) {
    writer.symbol(SENDER_ANNOTATION.scheduledEnqueueTime);
    writer.timestamp(scheduledAtMs);
    count += 2;
  }
  for (const [name, value] of [
    [SENDER_ANNOTATION.partitionKey, partitionKey],
    [SENDER_ANNOTATION.viaPartitionKey, viaPartitionKey],
  ] as const) {
    if (value === undefined) continue;
    writer.symbol(name);
    writer.string(value);
    count += 2;
  }
  writer.close(map, count);
}

function writeProperties(writer: Writer, parts: MessageParts): void {
  const text = (value: string | undefined) => (value === undefined ? writer.null() : writer.string(value));
  writer.descriptor(SECTION.properties);
  const list = writer.openList();
  text(parts.messageId);
  writer.null();
  text(parts.to);
  text(parts.subject);
  text(parts.replyTo);
  text(parts.correlationId);
  parts.contentType === undefined ? writer.null() : writer.symbol(parts.contentType);
  writer.null();
  writer.null();
  writer.null();
  text(parts.sessionId);
  writer.null();
  text(parts.replyToSessionId);
  writer.close(list, 13);
}
