import type { ServiceBusReceivedMessage } from '@azure/service-bus';

/** A message as rhea decodes it: sections flat, names as AMQP has them. */
export interface RheaMessage {
  readonly body?: unknown;
  readonly application_properties?: Record<string, unknown>;
  readonly message_annotations?: Readonly<Record<string, unknown>>;
  readonly content_type?: string;
  readonly message_id?: string | number | Buffer;
  readonly subject?: string;
  readonly group_id?: string;
  readonly delivery_count?: number;
}

/** One delivery of rhea's, while it is not settled. */
export interface RheaDelivery {
  readonly id: number;
  readonly tag: Buffer;
  readonly link?: { readonly name: string };
  readonly remote_settled?: boolean;
  accept(): void;
}

/** Around the body, unless it is a value that came bare. */
interface Section {
  readonly typecode: number;
  readonly content: unknown;
}

/**
 * What of a received message is read here, by the SDK's names and with its meaning: the rest, which the SDK copies together for
 * every message, is made when somebody asks.
 */
export class LinkMessage {
  readonly body: unknown;
  readonly applicationProperties: Record<string, unknown> | undefined;
  readonly contentType: string | undefined;
  readonly messageId: string | number | Buffer | undefined;
  readonly subject: string | undefined;
  readonly sessionId: string | undefined;
  readonly deliveryCount: number | undefined;
  /** The SDK settles over its link, or by the lock token when there is none. */
  delivery: RheaDelivery;
  readonly #tag: Buffer;
  readonly #annotations: Readonly<Record<string, unknown>> | undefined;
  #renewedUntil: Date | undefined;

  constructor(message: RheaMessage, delivery: RheaDelivery) {
    this.body = contentOf(message.body);
    this.applicationProperties = message.application_properties;
    this.contentType = message.content_type;
    this.messageId = message.message_id;
    this.subject = message.subject;
    this.sessionId = message.group_id;
    this.deliveryCount = message.delivery_count;
    this.delivery = delivery;
    this.#tag = delivery.tag;
    this.#annotations = message.message_annotations;
  }

  /** The tag, read as a .NET GUID. */
  get lockToken(): string | undefined {
    const tag = this.#tag;
    if (tag.length !== LOCK_TOKEN_BYTES) return undefined;
    return LOCK_TOKEN_GROUPS.map((group) => group.map((at) => HEX[tag[at] as number]).join('')).join('-');
  }

  get partitionKey(): string | undefined {
    return this.#annotations?.['x-opt-partition-key'] as string | undefined;
  }

  get enqueuedTimeUtc(): Date | undefined {
    return dateOf(this.#annotations?.['x-opt-enqueued-time']);
  }

  get lockedUntilUtc(): Date | undefined {
    return this.#renewedUntil ?? dateOf(this.#annotations?.['x-opt-locked-until']);
  }

  /** The SDK says how long a lock was renewed. */
  set lockedUntilUtc(date: Date | undefined) {
    this.#renewedUntil = date;
  }

  /** rhea leaves numbers that JavaScript cannot hold as bytes. */
  get sequenceNumber(): number | bigint | undefined {
    const number = this.#annotations?.['x-opt-sequence-number'];
    return Buffer.isBuffer(number) && number.length === 8 ? number.readBigInt64BE() : (number as number | undefined);
  }
}

/** For the SDK's own methods, which need no more of a message than this. */
export function asReceived(message: LinkMessage): ServiceBusReceivedMessage {
  return message as unknown as ServiceBusReceivedMessage;
}

const LOCK_TOKEN_BYTES = 16;
const LOCK_TOKEN_GROUPS = [
  [3, 2, 1, 0],
  [5, 4],
  [7, 6],
  [8, 9],
  [10, 11, 12, 13, 14, 15],
];
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function contentOf(body: unknown): unknown {
  const section = body as Section | null | undefined;
  return typeof section === 'object' && section !== null && typeof section.typecode === 'number'
    ? section.content
    : body;
}

function dateOf(value: unknown): Date | undefined {
  if (value instanceof Date) return value;
  return typeof value === 'number' ? new Date(value) : undefined;
}
