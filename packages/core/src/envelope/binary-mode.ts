import { type AttributeValue, BroadcastEvent } from '../event.ts';
import { isInteger32, textFault } from './attributes.ts';
import { MAX_DECODED_ATTRIBUTES, MAX_DECODED_NAME_LENGTH, MAX_DECODED_VALUE_LENGTH } from './limits.ts';
import { MEDIA_TYPE, refuse } from './read-event.ts';
import { parseTime } from './time.ts';

/** An event as binary content mode brings it: attributes one by one, and the data apart. */
export interface BinaryEvent {
  /** Name and value as found; undefined and null mean the same as not being there. */
  readonly attributes: Iterable<readonly [name: string, value: unknown]>;
  /** The value itself, or */
  readonly data?: unknown;
  /** its JSON text, parsed when read. */
  readonly dataText?: string | undefined;
}

/**
 * Reads an event of binary content mode, with the same rules and bounds as one written in JSON. A Date counts as a timestamp.
 * @throws PolycastError `corrupt-event`, saying what is wrong
 * @see CloudEvents 1.0.2, section 3
 */
export function eventFromBinary({ attributes: found, data, dataText }: BinaryEvent): BroadcastEvent {
  const texts: { [name: string]: string } = Object.create(null);
  let attributes: Record<string, AttributeValue> | undefined;
  let count = 0;
  for (const [name, raw] of found) {
    if (raw === undefined || raw === null) continue;
    if (!NAME.test(name) || name.length > MAX_DECODED_NAME_LENGTH) {
      throw refuse(`an attribute name must be 1-${MAX_DECODED_NAME_LENGTH} lower-case letters and digits`);
    }
    const value = attributeOf(name, raw);
    if (OWN_PARTS.has(name)) {
      const text = name === 'sequence' && typeof value === 'number' ? String(value) : value;
      if (typeof text !== 'string' || text === '') throw refuse(`${name} must be a non-empty string`);
      if (texts[name] !== undefined) throw refuse(`${name} is there twice`);
      texts[name] = text;
      continue;
    }
    if (MUST_BE_TEXT.has(name) && (typeof value !== 'string' || value === '')) {
      throw refuse(`${name} must be a non-empty string`);
    }
    if (name === 'datacontenttype' && !MEDIA_TYPE.test(value as string))
      throw refuse('datacontenttype is no media type');
    if (++count > MAX_DECODED_ATTRIBUTES) throw refuse(`more than ${MAX_DECODED_ATTRIBUTES} attributes`);
    attributes ??= {};
    if (Object.hasOwn(attributes, name)) throw refuse(`${name} is there twice`);
    attributes[name] = value;
  }
  const { specversion, id, source, type, time, expirytime, sequence } = texts;
  if (specversion !== '1.0') throw refuse('specversion must be "1.0"');
  if (id === undefined) throw refuse('id is missing');
  if (source === undefined) throw refuse('source is missing');
  if (type === undefined) throw refuse('type is missing');
  if (time !== undefined && Number.isNaN(parseTime(time))) throw refuse('time is no RFC 3339 timestamp');
  const expiresAtMs = expirytime === undefined ? Number.POSITIVE_INFINITY : parseTime(expirytime);
  if (Number.isNaN(expiresAtMs)) throw refuse('expirytime is no RFC 3339 timestamp');
  return new BroadcastEvent({ type, source, id, time, expiresAtMs, sequence, data, dataText, attributes });
}

const NAME = /^[a-z0-9]+$/;
/** What an event keeps apart from its other attributes. */
const OWN_PARTS = new Set(['specversion', 'id', 'source', 'type', 'time', 'expirytime', 'sequence']);
const MUST_BE_TEXT = new Set(['subject', 'dataschema', 'datacontenttype']);

function attributeOf(name: string, raw: unknown): AttributeValue {
  if (typeof raw === 'string') {
    const reason = raw.length > MAX_DECODED_VALUE_LENGTH ? 'is too long' : textFault(raw);
    if (reason !== undefined) throw refuse(`attribute ${name} ${reason}`);
    return raw;
  }
  if (typeof raw === 'boolean') return raw;
  if (isInteger32(raw)) return raw === 0 ? 0 : raw;
  if (raw instanceof Date && !Number.isNaN(raw.getTime())) return raw.toISOString();
  throw refuse(`attribute ${name} must be a string, a boolean, a timestamp or an integer of 32 bits`);
}
