import { PolycastError } from '../contract/error.ts';
import { isInteger32, MEDIA_TYPE, textFault } from './attributes.ts';
import { fromBase64 } from './base64.ts';
import { type AttributeValue, BroadcastEvent } from './event.ts';
import { endOfString, endOfValue, MAX_DEPTH, parseJson, skipSpace } from './json.ts';
import { MAX_DECODED_ATTRIBUTES, MAX_DECODED_NAME_LENGTH, MAX_DECODED_VALUE_LENGTH } from './limits.ts';
import { parseTime } from './time.ts';

/** A structured event is one level deeper than its data. */
export const MAX_EVENT_DEPTH = MAX_DEPTH + 1;

/**
 * Reads the one JSON object that fills `text.slice(start, end)` as an event, as CloudEvents 1.0 says and in any layout.
 * Members are walked one by one because `JSON.parse` would keep the last of two equal names and say nothing.
 * @throws PolycastError `corrupt-event`, saying what is wrong
 * @see CloudEvents 1.0.2, JSON event format, sections 2 and 3
 */
export function readEvent(text: string, start: number, end: number): BroadcastEvent {
  // Brackets are counted without telling one kind from the other.
  if (text[start] !== '{' || text[end - 1] !== '}') throw refuse('an event must be a JSON object');
  const seen = new Set<string>();
  const texts: { [Name in TextName]?: string } = {};
  let attributes: Record<string, AttributeValue> | undefined;
  let attributeCount = 0;
  let data: unknown;
  let hasData = false;

  let at = skipSpace(text, start + 1);
  for (let first = true; at < end - 1; first = false) {
    if (!first) {
      if (text[at] !== ',') throw refuse('members of an event must be separated by commas');
      at = skipSpace(text, at + 1);
    }
    if (text[at] !== '"') throw refuse('an attribute name must be a JSON string');
    const nameEnd = endOfString(text, at);
    if (nameEnd < 0 || nameEnd >= end) throw refuse('an attribute name does not end');
    const name = parseText(text.slice(at, nameEnd));
    at = skipSpace(text, nameEnd);
    if (text[at] !== ':') throw refuse(`no colon after ${show(name)}`);
    at = skipSpace(text, at + 1);
    const valueEnd = endOfValue(text, at, MAX_DEPTH);
    if (valueEnd < 0 || valueEnd >= end) throw refuse(`the value of ${show(name)} does not end`);
    const value = text.slice(at, valueEnd);
    at = skipSpace(text, valueEnd);

    if (seen.has(name)) throw refuse(`${show(name)} is given twice`);
    seen.add(name);
    if (name === 'data' || name === 'data_base64') {
      if (name === 'data_base64' && value === 'null') continue;
      if (hasData) throw refuse('data and data_base64 are mutually exclusive');
      hasData = true;
      data = name === 'data' ? parseJson(value) : fromBase64(parseText(value));
      if (data === undefined) throw refuse('data_base64 is not base64');
      continue;
    }
    const attribute = parseAttribute(name, value);
    if (attribute === undefined) continue;
    if (name in TEXTS) {
      // Integers in a sequence are what some producers write; the extension wants text.
      const asText = name === 'sequence' && typeof attribute === 'number' ? String(attribute) : attribute;
      if (typeof asText !== 'string' || asText === '') throw refuse(`${name} must be a non-empty string`);
      texts[name as TextName] = asText;
      continue;
    }
    if (
      (name === 'subject' || name === 'dataschema' || name === 'datacontenttype') &&
      (typeof attribute !== 'string' || attribute === '')
    ) {
      throw refuse(`${name} must be a non-empty string`);
    }
    if (name === 'datacontenttype' && !MEDIA_TYPE.test(attribute as string))
      throw refuse('datacontenttype is not a media type');
    if (++attributeCount > MAX_DECODED_ATTRIBUTES) throw refuse(`more than ${MAX_DECODED_ATTRIBUTES} attributes`);
    attributes ??= {};
    attributes[name] = attribute;
  }

  const { specversion, id, source, type, time, expirytime, sequence } = texts;
  if (specversion !== '1.0')
    throw refuse(`specversion must be "1.0"${specversion === undefined ? '' : `, not ${show(specversion)}`}`);
  if (id === undefined) throw refuse('id is missing');
  if (source === undefined) throw refuse('source is missing');
  if (type === undefined) throw refuse('type is missing');
  if (time !== undefined && Number.isNaN(parseTime(time))) throw refuse('time is not an RFC 3339 timestamp');
  const expiresAtMs = expirytime === undefined ? Number.POSITIVE_INFINITY : parseTime(expirytime);
  if (Number.isNaN(expiresAtMs)) throw refuse('expirytime is not an RFC 3339 timestamp');
  return new BroadcastEvent({ type, source, id, time, expiresAtMs, sequence, data, attributes });
}

export function refuse(reason: string): PolycastError {
  return new PolycastError('corrupt-event', reason);
}

/** Attributes that an event keeps apart from the others. */
const TEXTS = { __proto__: null, specversion: 0, id: 0, source: 0, type: 0, time: 0, expirytime: 0, sequence: 0 };
type TextName = 'specversion' | 'id' | 'source' | 'type' | 'time' | 'expirytime' | 'sequence';

const NAME = /^[a-z0-9]+$/;

/** @returns undefined for null, which means the same as not being there. */
function parseAttribute(name: string, text: string): AttributeValue | undefined {
  if (!NAME.test(name) || name.length > MAX_DECODED_NAME_LENGTH) {
    throw refuse(`attribute name ${show(name)} must be 1-${MAX_DECODED_NAME_LENGTH} lower-case letters and digits`);
  }
  if (text.charCodeAt(0) === 0x22) {
    const value = parseText(text);
    const reason = value.length > MAX_DECODED_VALUE_LENGTH ? 'is too long' : textFault(value);
    if (reason !== undefined) throw refuse(`attribute ${name} ${reason}`);
    return value;
  }
  if (text === 'null') return undefined;
  if (text === 'true') return true;
  if (text === 'false') return false;
  const value = parse(text);
  if (typeof value === 'object') throw refuse(`attribute ${name} must not be an array or object`);
  if (isInteger32(value)) return value === 0 ? 0 : value;
  throw refuse(`attribute ${name} must be a string, a boolean or a 32-bit integer`);
}

/** The text that a JSON string says. */
function parseText(json: string): string {
  if (PLAIN.test(json)) return json.slice(1, -1);
  const value = parse(json);
  if (typeof value !== 'string') throw refuse('data_base64 must be a string');
  return value;
}

const PLAIN = /^"[ !#-[\]-~]*"$/;

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new PolycastError('corrupt-event', 'an attribute is not JSON', { cause });
  }
}

function show(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
