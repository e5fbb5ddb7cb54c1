import { isPolycastError, PolycastError } from '../contract/error.ts';
import { checkAttributeValue, checkExtensionName, MEDIA_TYPE, textFault } from '../envelope/attributes.ts';
import type { AttributeValue, EventInput } from '../envelope/event.ts';
import { parseTime } from '../envelope/time.ts';

/** What a user said of an event, checked. */
export interface CheckedInput {
  readonly type: string;
  /** As given: what JSON can say is checked where it is written. */
  readonly data: unknown;
  /** Undefined when all that was said is a type and data. */
  readonly rest: CheckedRest | undefined;
}

interface CheckedRest {
  id?: string;
  source?: string;
  time?: string;
  /** All other attributes; the caller's to add to. */
  attributes?: Record<string, AttributeValue>;
}

/** @throws PolycastError `invalid-event`; TypeError for what is no object */
export function readEventInput(input: EventInput): CheckedInput {
  if (typeof input !== 'object' || input === null) throw new TypeError('publish() takes an event: { type, data }');
  let type: unknown;
  let data: unknown;
  let rest: CheckedRest | undefined;
  try {
    for (const name in input) {
      const value = input[name];
      if (name === 'type') type = value;
      else if (name === 'data') data = value;
      else if (value !== undefined) rest = readOther(name, value, rest ?? {});
    }
  } catch (thrown) {
    throw isPolycastError(thrown) ? thrown : unreadable(thrown);
  }
  return { type: checkType(type), data, rest };
}

/** A getter of the event's own threw, or a proxy. */
function unreadable(cause: unknown): PolycastError {
  return new PolycastError('invalid-event', 'the event cannot be read', { cause });
}

function readOther(name: string, value: unknown, rest: CheckedRest): CheckedRest {
  switch (name) {
    case 'id':
    case 'source':
      rest[name] = checkText(name, value);
      break;
    case 'time':
      rest.time = checkTime(value);
      break;
    case 'subject':
    case 'dataschema':
      (rest.attributes ??= {})[name] = checkText(name, value);
      break;
    case 'datacontenttype':
      (rest.attributes ??= {})[name] = checkMediaType(value);
      break;
    default:
      checkExtensionName(name);
      (rest.attributes ??= {})[name] = checkAttributeValue(name, value);
  }
  return rest;
}

/** The type checked last: most publishers repeat themselves. */
let lastType = '';

function checkType(type: unknown): string {
  if (type !== lastType || type === '') lastType = checkText('type', type);
  return lastType;
}

const MAX_TEXT_LENGTH = 4_096;

/** A text that may be an attribute: not empty, not too long, without control characters. @throws `invalid-event` */
export function checkText(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > MAX_TEXT_LENGTH) {
    throw new PolycastError('invalid-event', `'${name}' must be a string of 1-${MAX_TEXT_LENGTH} characters`);
  }
  const fault = textFault(value);
  if (fault !== undefined) throw new PolycastError('invalid-event', `'${name}' ${fault}`);
  return value;
}

function checkTime(value: unknown): string {
  if (typeof value === 'string' && !Number.isNaN(parseTime(value))) return value;
  throw new PolycastError('invalid-event', `'time' must be an RFC 3339 timestamp such as 2026-11-21T09:30:00Z`);
}

function checkMediaType(value: unknown): string {
  if (typeof value === 'string' && MEDIA_TYPE.test(value)) return checkText('datacontenttype', value);
  throw new PolycastError('invalid-event', `'datacontenttype' must be a media type such as text/plain`);
}
