import { PolycastError } from '../contract/error.ts';
import { toBase64 } from './base64.ts';
import { type BroadcastEvent, ownEpochOf, ownNumberOf } from './event.ts';
import { bytesOf, normaliseData, unwritable } from './normalise.ts';
import { TimeWriter } from './time.ts';

/**
 * The event as one line of CloudEvents 1.0 JSON, always in this order, which {@link decodeEvents} reads fastest:
 * `specversion type source` · `id time expirytime sequence` · all other attributes · `data` or `data_base64`.
 *
 * @throws PolycastError `invalid-payload` when the data has no JSON form (see {@link normaliseData}); `corrupt-event`
 * when it came off a wire and was never JSON.
 */
export function encodeEvent(event: BroadcastEvent): string {
  const number = ownNumberOf(event);
  const sequence = event.sequence;
  let text: string;
  if (number > 0) {
    // Made by this process: the epoch and the sequence need no quoting.
    text = ownPrefixOf(event.type, event.source, ownEpochOf(event)!) + number + timesOf(event);
    if (sequence !== undefined) text += `,"sequence":"${sequence}"`;
  } else {
    const id = quote(event.id);
    text = prefixOf(event.type, event.source) + id.slice(1, -1) + timesOf(event);
    if (sequence !== undefined) text += `,"sequence":${quote(sequence)}`;
  }
  const attributes = event.attributes;
  if (attributes !== undefined) {
    for (const name in attributes) {
      const value = attributes[name]!;
      text += `,"${name}":${typeof value === 'string' ? quote(value) : value}`;
    }
  }
  const data: unknown = event.data;
  if (data === undefined) return `${text}}`;
  if (typeof data === 'object' && data !== null) {
    const bytes = bytesOf(data);
    if (bytes !== undefined) return `${text},"data_base64":"${toBase64(bytes)}"}`;
  }
  return `${text},"data":${write(data)}}`;
}

/** Encoded events as one text: the CloudEvents JSON batch format, an event a line. A lone event stands without brackets. */
export function encodeBatch(texts: readonly string[]): string {
  if (texts.length === 1) return texts[0]!;
  return `[${texts.join(',\n')}]`;
}

function write(data: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(normaliseData(data));
  } catch (cause) {
    throw cause instanceof PolycastError ? cause : unwritable(cause);
  }
  if (text === undefined) throw new PolycastError('invalid-payload', 'the data cannot be represented as JSON');
  return text;
}

let lastTime: string | undefined = '';
let lastExpiresAtMs = Number.NaN;
let lastTimes = '';

/** From the end of the id to the end of the times: the same for all events of one millisecond. */
function timesOf(event: BroadcastEvent): string {
  const { time, expiresAtMs } = event;
  if (time === lastTime && expiresAtMs === lastExpiresAtMs) return lastTimes;
  const expirytime = expiryWriter.write(expiresAtMs);
  lastTimes = '"';
  if (time !== undefined) lastTimes += `,"time":"${time}"`;
  if (expirytime !== undefined) lastTimes += `,"expirytime":"${expirytime}"`;
  lastTime = time;
  lastExpiresAtMs = expiresAtMs;
  return lastTimes;
}

const expiryWriter = new TimeWriter();

let lastOwnPrefix = '';
let lastOwnBase = '';
let lastEpoch = '';

function ownPrefixOf(type: string, source: string, epoch: string): string {
  const base = prefixOf(type, source);
  if (base !== lastOwnBase || epoch !== lastEpoch) {
    lastOwnPrefix = `${base}${epoch}.`;
    lastOwnBase = base;
    lastEpoch = epoch;
  }
  return lastOwnPrefix;
}

/** What starts the events of one source and type. Two levels, so that no key has to be made to look it up. */
const prefixes = new Map<string, Map<string, string>>();
let prefixCount = 0;
const MAX_PREFIXES = 4_096;
let lastType = '';
let lastSource = '';
let lastPrefix = '';

function prefixOf(type: string, source: string): string {
  if (type === lastType && source === lastSource) return lastPrefix;
  let ofSource = prefixes.get(source);
  let prefix = ofSource?.get(type);
  if (prefix === undefined) {
    if (++prefixCount > MAX_PREFIXES) {
      prefixes.clear();
      ofSource = undefined;
      prefixCount = 1;
    }
    if (ofSource === undefined) {
      ofSource = new Map();
      prefixes.set(source, ofSource);
    }
    prefix = `{"specversion":"1.0","type":${JSON.stringify(type)},"source":${JSON.stringify(source)},"id":"`;
    ofSource.set(type, prefix);
  }
  lastType = type;
  lastSource = source;
  lastPrefix = prefix;
  return prefix;
}

/** A text as JSON. Most attributes are short and plain, for which looking is faster than `JSON.stringify`. */
function quote(text: string): string {
  if (text.length > 64) return JSON.stringify(text);
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || unit > 0x7e || unit === 0x22 || unit === 0x5c) return JSON.stringify(text);
  }
  return `"${text}"`;
}
