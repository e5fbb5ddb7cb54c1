import { BrokerError } from '../../../src/service-bus/broker/index.ts';
import type { MessageContent } from '../../../src/service-bus/message/content.ts';
import { type Changes, type PropertyValue, TimeSpan } from '../../../src/service-bus/rules/index.ts';

export interface Parts {
  readonly messageId?: string;
  readonly sessionId?: string;
  readonly partitionKey?: string;
  readonly label?: string;
  readonly ttlMs?: number;
  readonly scheduledAtMs?: number;
  readonly properties?: Readonly<Record<string, PropertyValue>>;
  readonly size?: number;
}

/** A message without bytes: what the engine sees of one. */
export function content(parts: Parts = {}): MessageContent {
  return new PlainContent(parts);
}

class PlainContent implements MessageContent {
  readonly size: number;
  readonly ttlMs: number;
  readonly scheduledAtMs: number;
  readonly messageId: string | undefined;
  readonly sessionId: string | undefined;
  readonly partitionKey: string | undefined;
  readonly applicationProperties: ReadonlyMap<string, PropertyValue>;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.size = parts.size ?? 200;
    this.ttlMs = parts.ttlMs ?? Number.POSITIVE_INFINITY;
    this.scheduledAtMs = parts.scheduledAtMs ?? 0;
    this.messageId = parts.messageId;
    this.sessionId = parts.sessionId;
    this.partitionKey = parts.partitionKey;
    this.applicationProperties = new Map(Object.entries(parts.properties ?? {}));
  }

  get userNames(): Iterable<string> {
    return this.applicationProperties.keys();
  }

  system(name: string): PropertyValue | undefined {
    const { messageId, sessionId, label } = this.#parts;
    const known: Record<string, PropertyValue | undefined> = { messageid: messageId, sessionid: sessionId, label };
    if (name === 'timetolive') return TimeSpan.ofMs(this.ttlMs);
    return name in known || ['to', 'replyto', 'correlationid'].includes(name) ? (known[name] ?? null) : undefined;
  }

  user(name: string): PropertyValue | undefined {
    for (const [key, value] of this.applicationProperties) if (key.toLowerCase() === name) return value;
    return undefined;
  }

  with({ system = new Map(), user = new Map() }: Partial<Changes>): MessageContent {
    const properties = new Map(this.applicationProperties);
    for (const [name, value] of user) {
      if (value === null) properties.delete(name);
      else properties.set(name, value);
    }
    const label = system.get('label');
    if (label !== undefined && label !== null && typeof label !== 'string') {
      throw new BrokerError('com.microsoft:argument-error', 'a label is a text');
    }
    const grown = [...user].reduce((bytes, [name, value]) => bytes + name.length + String(value).length, 0);
    return new PlainContent({
      ...this.#parts,
      ...(typeof label === 'string' && { label }),
      properties: Object.fromEntries(properties),
      size: this.size + grown,
    });
  }
}
