import type { ServiceBusMessage, ServiceBusMessageBatch } from '@azure/service-bus';
import { AmqpWriter } from './amqp-writer.ts';

const HEADER = 0x70;
const PROPERTIES = 0x73;
const APPLICATION_PROPERTIES = 0x74;
const DATA = 0x75;

/** What Polycast sends: the SDK knows more kinds of value. */
export interface PlainMessage extends ServiceBusMessage {
  readonly body: Uint8Array;
  readonly messageId: string;
  readonly applicationProperties: Record<string, string | number | boolean>;
}

/**
 * Messages that travel as one transfer, written as they are added, each once. The SDK's own batch writes and measures each message
 * through four trees of objects; this one costs a tenth (`benchmarks/README.md`). The SDK sends whatever has these methods
 * (version 7.9.5, `isServiceBusMessageBatch`).
 */
export class MessageBatch implements ServiceBusMessageBatch {
  readonly maxSizeInBytes: number;
  /** The SDK links its span to these; Polycast has its own. */
  readonly _messageSpanContexts: readonly [] = [];
  readonly #writer: AmqpWriter;
  #count = 0;

  /** @param expectedBytes as many as the batch before had */
  constructor(maxSizeInBytes: number, expectedBytes: number) {
    this.maxSizeInBytes = maxSizeInBytes;
    this.#writer = new AmqpWriter(expectedBytes);
  }

  get count(): number {
    return this.#count;
  }

  get sizeInBytes(): number {
    return this.#writer.length;
  }

  /** @returns false when it does not fit any more */
  tryAddMessage(message: ServiceBusMessage): boolean {
    const writer = this.#writer;
    const before = writer.length;
    const plain = message as PlainMessage;
    if (this.#count === 0) writeProperties(writer, plain.messageId, undefined, plain.sessionId);
    writer.section(DATA);
    const start = writer.beginBinary();
    writeMessage(writer, plain);
    writer.end(start);
    if (writer.length > this.maxSizeInBytes) {
      writer.cut(before);
      return false;
    }
    this.#count++;
    return true;
  }

  /** Called by the SDK. */
  _generateMessage(): Buffer {
    return this.#writer.bytes();
  }
}

/** @see OASIS AMQP 1.0, part 3, section 3.2 */
export function writeMessage(writer: AmqpWriter, message: PlainMessage): void {
  const { timeToLive, messageId, contentType, sessionId, applicationProperties, body } = message;
  if (timeToLive !== undefined) {
    writer.section(HEADER);
    const header = writer.beginList(3);
    // Not said to be durable, and no priority.
    writer.null();
    writer.null();
    writer.uint(timeToLive);
    writer.end(header);
  }
  writeProperties(writer, messageId, contentType, sessionId);
  writer.section(APPLICATION_PROPERTIES);
  let count = 0;
  for (const _ in applicationProperties) count += 2;
  const map = writer.beginMap(count);
  for (const name in applicationProperties) {
    writer.name(name);
    const value = applicationProperties[name] as string | number | boolean;
    if (typeof value === 'string') writer.string(value);
    else if (typeof value === 'boolean') writer.boolean(value);
    else if ((value | 0) === value) writer.int(value);
    else writer.double(value);
  }
  writer.end(map);
  writer.section(DATA);
  writer.binary(body);
}

function writeProperties(
  writer: AmqpWriter,
  messageId: string,
  contentType: string | undefined,
  sessionId: string | undefined,
): void {
  writer.section(PROPERTIES);
  const list = writer.beginList(sessionId === undefined ? (contentType === undefined ? 1 : 7) : 11);
  writer.string(messageId);
  if (contentType !== undefined || sessionId !== undefined) {
    // user-id, to, subject, reply-to, correlation-id
    for (let field = 1; field <= 5; field++) writer.null();
    if (contentType === undefined) writer.null();
    else writer.symbol(contentType);
  }
  if (sessionId !== undefined) {
    // content-encoding, absolute-expiry-time, creation-time
    for (let field = 7; field <= 9; field++) writer.null();
    writer.string(sessionId);
  }
  writer.end(list);
}
