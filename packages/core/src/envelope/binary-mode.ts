import { isInteger32, MEDIA_TYPE, textFault } from './attributes.ts';
import { type AttributeValue, BroadcastEvent } from './event.ts';
import { MAX_DECODED_ATTRIBUTES, MAX_DECODED_NAME_LENGTH, MAX_DECODED_VALUE_LENGTH } from './limits.ts';
import { refuse } from './read-event.ts';
import { parseTime, TIME_LENGTH, TimeReader } from './time.ts';

/** An event as binary content mode brings it: attributes one by one, and the data apart. */
export interface BinaryEvent {
  /** Values as found, by name; undefined and null mean the same as not being there. Inherited ones count: have no prototype. */
  readonly attributes: Readonly<Record<string, unknown>>;
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
  let attributes: Record<string, AttributeValue> | undefined;
  let count = 0;
  for (const name in found) {
    const raw = found[name];
    if (raw === undefined || raw === null || OWN_PARTS.has(name)) continue;
    if (!NAME.test(name) || name.length > MAX_DECODED_NAME_LENGTH) {
      throw refuse(`an attribute name must be 1-${MAX_DECODED_NAME_LENGTH} lower-case letters and digits`);
    }
    const value = attributeOf(name, raw);
    if (MUST_BE_TEXT.has(name) && (typeof value !== 'string' || value === '')) {
      throw refuse(`${name} must be a non-empty string`);
    }
    if (name === 'datacontenttype' && !MEDIA_TYPE.test(value as string))
      throw refuse('datacontenttype is not a media type');
    if (++count > MAX_DECODED_ATTRIBUTES) throw refuse(`more than ${MAX_DECODED_ATTRIBUTES} attributes`);
    attributes ??= {};
    attributes[name] = value;
  }
  const id = textIn(found, 'id');
  const source = textIn(found, 'source');
  const type = textIn(found, 'type');
  const time = textIn(found, 'time');
  const expirytime = textIn(found, 'expirytime');
  const sequence = textIn(found, 'sequence');
  if (textIn(found, 'specversion') !== '1.0') throw refuse('specversion must be "1.0"');
  if (id === undefined) throw refuse('id is missing');
  if (source === undefined) throw refuse('source is missing');
  if (type === undefined) throw refuse('type is missing');
  if (time !== undefined && Number.isNaN(msOf(time, times))) throw refuse('time is not an RFC 3339 timestamp');
  const expiresAtMs = expirytime === undefined ? Number.POSITIVE_INFINITY : msOf(expirytime, expiries);
  if (Number.isNaN(expiresAtMs)) throw refuse('expirytime is not an RFC 3339 timestamp');
  return new BroadcastEvent({ type, source, id, time, expiresAtMs, sequence, data, dataText, attributes });
}

const NAME = /^[a-z0-9]+$/;
/** What an event keeps apart from its other attributes. */
const OWN_PARTS = new Set(['specversion', 'id', 'source', 'type', 'time', 'expirytime', 'sequence']);
const MUST_BE_TEXT = new Set(['subject', 'dataschema', 'datacontenttype']);

/** What an event keeps apart; integers in a sequence are what some producers write. */
function textIn(found: BinaryEvent['attributes'], name: string): string | undefined {
  const raw = found[name];
  if (raw === undefined || raw === null) return undefined;
  const value = attributeOf(name, raw);
  const text = name === 'sequence' && typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || text === '') throw refuse(`${name} must be a non-empty string`);
  return text;
}

/** Each remembers its last minute. */
const times = new TimeReader();
const expiries = new TimeReader();

function msOf(text: string, reader: TimeReader): number {
  const ms = text.length === TIME_LENGTH ? reader.read(text, 0) : Number.NaN;
  return Number.isNaN(ms) ? parseTime(text) : ms;
}

function attributeOf(name: string, raw: unknown): AttributeValue {
  if (typeof raw === 'string') {
    const reason = raw.length > MAX_DECODED_VALUE_LENGTH ? 'is too long' : textFault(raw);
    if (reason !== undefined) throw refuse(`attribute ${name} ${reason}`);
    return raw;
  }
  if (typeof raw === 'boolean') return raw;
  if (isInteger32(raw)) return raw === 0 ? 0 : raw;
  if (raw instanceof Date && !Number.isNaN(raw.getTime())) return raw.toISOString();
  throw refuse(`attribute ${name} must be a string, a boolean, a timestamp or a 32-bit integer`);
}
