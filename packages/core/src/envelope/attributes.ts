import { PolycastError } from '../contract/error.ts';
import { type AttributeValue, BroadcastEvent } from './event.ts';

/** A media type. @see RFC 6838 section 4.2, RFC 2045 section 5.1 */
export const MEDIA_TYPE = /^[A-Za-z0-9][\w!#$&^.+-]*\/[A-Za-z0-9*][\w!#$&^.+-]*(?:\s*;.*)?$/;

/** Longest name of an extension attribute that may be published (CloudEvents 1.0: SHOULD NOT exceed 20). */
export const MAX_ATTRIBUTE_NAME_LENGTH = 20;
/** Longest text of one attribute, in UTF-16 units. The strictest service allows 32 KB. */
export const MAX_ATTRIBUTE_LENGTH = 8_192;
/** Most extension attributes of one event. */
export const MAX_ATTRIBUTES = 64;

/** Names that say something to Polycast; how a user says it instead. */
const RESERVED: Readonly<Record<string, string>> = {
  specversion: 'it is always "1.0"',
  data: 'pass it as data',
  to: 'use the publish option to',
  replyto: 'use request()',
  correlationid: 'use request() and delivery.reply()',
  carboncopy: 'use the publish option carbonCopy',
  expirytime: 'use the publish option ttlMs',
  ttlms: 'use the publish option ttlMs',
  sequence: 'Polycast numbers events itself',
  sequencetype: 'Polycast numbers events itself',
  partitionkey: 'use the publish option partitionKey',
  chunkid: 'Polycast cuts large events itself',
  chunkindex: 'Polycast cuts large events itself',
  chunkcount: 'Polycast cuts large events itself',
};

/** Attributes of CloudEvents itself that a user may set. */
const CONTEXT = new Set(['id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema']);

/** Names found good. Bounded, because names may be made up as one goes. */
const known = new Set<string>();

/** May a user set an extension attribute of this name? @throws PolycastError `invalid-event`, saying why not. */
export function checkExtensionName(name: string): void {
  if (known.has(name)) return;
  if (!/^[a-z0-9]{1,20}$/.test(name)) {
    throw new PolycastError(
      'invalid-event',
      `attribute ${quote(name)} must be 1-${MAX_ATTRIBUTE_NAME_LENGTH} lower-case letters or digits`,
    );
  }
  if (CONTEXT.has(name)) throw new PolycastError('invalid-event', `${name} is not an extension attribute`);
  const instead = Object.hasOwn(RESERVED, name) ? RESERVED[name] : undefined;
  if (instead !== undefined) throw new PolycastError('invalid-event', `attribute ${name} is reserved: ${instead}`);
  // It would hide, or be hidden by, what every event object has: `attributes`, `constructor`, …
  if (name in BroadcastEvent.prototype)
    throw new PolycastError(
      'invalid-event',
      `${name} is a property of events; set extension attributes by their own names`,
    );
  if (known.size >= 1_024) known.clear();
  known.add(name);
}

/**
 * A value as CloudEvents has it: text without control characters, noncharacters and lone surrogates; a boolean; an integer of 32 bits.
 * A Date is written as RFC 3339. @throws PolycastError `invalid-event`, saying why not.
 */
export function checkAttributeValue(name: string, value: unknown): AttributeValue {
  switch (typeof value) {
    case 'string': {
      const reason =
        value.length > MAX_ATTRIBUTE_LENGTH ? `is longer than ${MAX_ATTRIBUTE_LENGTH} characters` : textFault(value);
      if (reason !== undefined) throw new PolycastError('invalid-event', `attribute ${quote(name)} ${reason}`);
      return value;
    }
    case 'boolean':
      return value;
    case 'number':
      if (isInteger32(value)) return value;
      throw new PolycastError(
        'invalid-event',
        `attribute ${quote(name)} is ${value}; numbers must be 32-bit integers: send others as strings or as data`,
      );
    case 'object':
      if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
      break;
    default:
  }
  throw new PolycastError(
    'invalid-event',
    `attribute ${quote(name)} must be a string, an integer or a boolean, not ${value === null ? 'null' : typeof value}`,
  );
}

export function isInteger32(value: unknown): value is number {
  return typeof value === 'number' && (value | 0) === value;
}

/** Control characters, and noncharacters of the basic plane. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: CloudEvents 1.0, "Type System", names exactly these
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff]/;
/** Lone surrogates, and the noncharacters U+nFFFE and U+nFFFF of the other planes. */
const FORBIDDEN_WIDE = /[\p{Cs}\p{Noncharacter_Code_Point}]/u;
const SIMPLE = /^[ -~]*$/;

/** Why a text cannot be an attribute's value; undefined when it can. */
export function textFault(text: string): string | undefined {
  if (SIMPLE.test(text)) return undefined;
  if (FORBIDDEN.test(text)) return 'holds a control character or a noncharacter';
  if (FORBIDDEN_WIDE.test(text)) return 'holds a lone surrogate or a noncharacter';
  return undefined;
}

function quote(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}
