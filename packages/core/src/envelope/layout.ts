import { fromBase64 } from './base64.ts';
import { type AttributeValue, BroadcastEvent } from './event.ts';
import { endOfValue, MAX_DEPTH, opensOften } from './json.ts';
import { readEvent } from './read-event.ts';
import { TIME_LENGTH, TimeReader } from './time.ts';

interface Prefix {
  /** All up to the text of the id. */
  readonly text: string;
  readonly type: string;
  readonly source: string;
}

interface Times {
  /** From the quote that ends the id to the one that ends the last time. */
  readonly text: string;
  readonly time: string | undefined;
  readonly expiresAtMs: number;
}

interface Attributes {
  /** From the comma before the first one to where the data's text starts. */
  readonly text: string;
  /** Does the text of bytes follow? */
  readonly areBytes: boolean;
  readonly values: Readonly<Record<string, AttributeValue>>;
}

/**
 * Reads events in the layout that `encodeEvent` writes, and answers undefined for all others: it never takes what
 * `readEvent` refuses, nor reads anything else out of it, but for what is wrong inside the data, which surfaces when it
 * is read. What is the same as in the event before is recognised by comparing text, and not read again.
 *
 * Texts are compared as `slice() ===`, since `startsWith` takes five times as long in V8.
 */
export class LayoutReader {
  /** Where the event that was read last ends (exclusive). */
  end = 0;
  #prefixes = new Map<string, Prefix>();
  #prefix: Prefix = { text: ' ', type: '', source: '' };
  #times: Times = { text: ' ', time: undefined, expiresAtMs: Number.POSITIVE_INFINITY };
  #attributes: Attributes = { text: ' ', areBytes: false, values: {} };
  #timeReader = new TimeReader();
  #expiryReader = new TimeReader();

  read(text: string, start: number, inBatch: boolean): BroadcastEvent | undefined {
    let prefix: Prefix | undefined = this.#prefix;
    if (text.slice(start, start + prefix.text.length) !== prefix.text) {
      prefix = this.#findPrefix(text, start);
      if (prefix === undefined) return undefined;
    }
    let at = start + prefix.text.length;
    const idEnd = plainEnd(text, at);
    if (idEnd <= at) return undefined;
    const id = text.slice(at, idEnd);
    at = idEnd;

    let times: Times | undefined = this.#times;
    if (text.slice(at, at + times.text.length) !== times.text) {
      times = this.#findTimes(text, at);
      if (times === undefined) return undefined;
    }
    at += times.text.length;
    let sequence: string | undefined;
    if (text.slice(at, at + SEQUENCE.length) === SEQUENCE) {
      at += SEQUENCE.length;
      const sequenceEnd = plainEnd(text, at);
      if (sequenceEnd <= at) return undefined;
      sequence = text.slice(at, sequenceEnd);
      at = sequenceEnd + 1;
    }
    let attributes: Readonly<Record<string, AttributeValue>> | undefined;
    let data: unknown;
    let dataText: string | undefined;
    if (text.charCodeAt(at) === CLOSE_BRACE) {
      this.end = at + 1;
    } else {
      let areBytes = false;
      if (text.slice(at, at + DATA.length) === DATA) {
        at += DATA.length;
      } else if (text.slice(at, at + DATA_BASE64.length) === DATA_BASE64) {
        at += DATA_BASE64.length;
        areBytes = true;
      } else {
        let known: Attributes | undefined = this.#attributes;
        if (text.slice(at, at + known.text.length) !== known.text) {
          known = this.#findAttributes(text, at);
          if (known === undefined) return undefined;
        }
        attributes = known.values;
        areBytes = known.areBytes;
        at += known.text.length;
      }
      if (areBytes) {
        const dataEnd = text.indexOf('"', at);
        if (dataEnd < 0 || text.charCodeAt(dataEnd + 1) !== CLOSE_BRACE) return undefined;
        data = fromBase64(text.slice(at, dataEnd));
        if (data === undefined) return undefined;
        this.end = dataEnd + 2;
      } else {
        dataText = this.#readData(text, at, inBatch);
        if (dataText === undefined) return undefined;
      }
    }
    return new BroadcastEvent({
      type: prefix.type,
      source: prefix.source,
      id,
      time: times.time,
      expiresAtMs: times.expiresAtMs,
      sequence,
      data,
      dataText,
      attributes,
    });
  }

  /** The data's text. First as if it reached to where the event should end, which is seen at a glance. */
  #readData(text: string, at: number, inBatch: boolean): string | undefined {
    let end = text.length - 1;
    if (inBatch) {
      const newline = text.indexOf('\n', at);
      end = newline < 0 ? end - 1 : newline - 2;
    }
    if (end > at && text.charCodeAt(end) === CLOSE_BRACE) {
      const data = text.slice(at, end);
      if (isWhole(data)) {
        this.end = end + 1;
        return data;
      }
    }
    end = endOfValue(text, at, MAX_DEPTH);
    if (end < 0 || text.charCodeAt(end) !== CLOSE_BRACE) return undefined;
    this.end = end + 1;
    const data = text.slice(at, end);
    // Words are few and short; objects, arrays and strings show their errors when they are read.
    const first = data.charCodeAt(0);
    return first === QUOTE || first === OPEN_BRACE || first === OPEN_BRACKET || WORD.test(data) ? data : undefined;
  }

  #findPrefix(text: string, start: number): Prefix | undefined {
    if (text.slice(start, start + SPECVERSION.length) !== SPECVERSION) return undefined;
    const at = text.indexOf(ID, start);
    if (at < 0 || at - start > MAX_REMEMBERED_LENGTH) return undefined;
    const key = text.slice(start, at + ID.length);
    let prefix = this.#prefixes.get(key);
    if (prefix === undefined) {
      const event = readWhole(`${key}x"}`);
      if (event === undefined || hasMore(event) || event.attributes !== undefined) return undefined;
      prefix = { text: copy(key), type: event.type, source: event.source };
      if (this.#prefixes.size >= MAX_REMEMBERED) this.#prefixes.clear();
      this.#prefixes.set(prefix.text, prefix);
    }
    this.#prefix = prefix;
    return prefix;
  }

  /** `at` is where the id ends. */
  #findTimes(text: string, start: number): Times | undefined {
    let at = start + 1;
    let time: string | undefined;
    let expiresAtMs = Number.POSITIVE_INFINITY;
    if (text.slice(at, at + TIME.length) === TIME) {
      at += TIME.length;
      if (Number.isNaN(this.#timeReader.read(text, at)) || text.charCodeAt(at + TIME_LENGTH) !== QUOTE)
        return undefined;
      time = text.slice(at, at + TIME_LENGTH);
      at += TIME_LENGTH + 1;
    }
    if (text.slice(at, at + EXPIRYTIME.length) === EXPIRYTIME) {
      at += EXPIRYTIME.length;
      expiresAtMs = this.#expiryReader.read(text, at);
      if (Number.isNaN(expiresAtMs) || text.charCodeAt(at + TIME_LENGTH) !== QUOTE) return undefined;
      at += TIME_LENGTH + 1;
    }
    const times: Times = { text: text.slice(start, at), time, expiresAtMs };
    // Without times the text is a lone quote, after which times may follow in the next event.
    if (at > start + 1) this.#times = times;
    return times;
  }

  /** Reads what is plain: one-line ASCII text without escapes, booleans, short integers; no data, or anything else: undefined. */
  #findAttributes(text: string, start: number): Attributes | undefined {
    const values: Record<string, AttributeValue> = {};
    let at = start;
    for (let count = 0; count < MAX_PLAIN_ATTRIBUTES; count++) {
      if (text.charCodeAt(at) !== COMMA || text.charCodeAt(at + 1) !== QUOTE) return undefined;
      const nameEnd = plainEnd(text, at + 2);
      if (nameEnd < 0 || text.charCodeAt(nameEnd + 1) !== COLON) return undefined;
      const name = text.slice(at + 2, nameEnd);
      at = nameEnd + 2;
      if (name === 'data' || name === 'data_base64') {
        const areBytes = name === 'data_base64';
        if (areBytes && text.charCodeAt(at++) !== QUOTE) return undefined;
        if (count === 0) return undefined;
        const attributes = { text: text.slice(start, at), areBytes, values: Object.freeze(values) };
        this.#attributes = attributes;
        return attributes;
      }
      if (!isOpenName(name) || Object.hasOwn(values, name)) return undefined;
      if (text.charCodeAt(at) === QUOTE) {
        const valueEnd = plainEnd(text, at + 1);
        if (valueEnd < 0 || !isFit(name, text, at + 1, valueEnd)) return undefined;
        values[name] = text.slice(at + 1, valueEnd);
        at = valueEnd + 1;
      } else {
        let valueEnd = text.indexOf(',', at);
        if (valueEnd < 0 || valueEnd - at > 10) valueEnd = at;
        const word = text.slice(at, valueEnd);
        if (mustBeText(name)) return undefined;
        if (word === 'true' || word === 'false') values[name] = word === 'true';
        else if (SHORT_INTEGER.test(word)) values[name] = Number(word);
        else return undefined;
        at = valueEnd;
      }
    }
    return undefined;
  }
}

/** Is it the name of an attribute whose value may be anything? Remembered, and bounded, as names repeat. */
function isOpenName(name: string): boolean {
  const remembered = openNames.get(name);
  if (remembered !== undefined) return remembered;
  if (openNames.size >= MAX_REMEMBERED) openNames.clear();
  const open = /^[a-z0-9]{1,20}$/.test(name) && !CHECKED_NAMES.includes(name);
  // A slice keeps the message alive that it was cut from.
  openNames.set(copy(name), open);
  return open;
}

const openNames = new Map<string, boolean>();
/** Names that stand elsewhere in the layout. */
const CHECKED_NAMES = ['specversion', 'id', 'source', 'type', 'time', 'expirytime', 'sequence'];

const SPECVERSION = '{"specversion":"1.0","type":"';
const ID = ',"id":"';
const TIME = ',"time":"';
const COMMA = 0x2c;
const COLON = 0x3a;
const SHORT_INTEGER = /^(?:0|-?[1-9]\d{0,8})$/;
const MAX_PLAIN_ATTRIBUTES = 24;
const EXPIRYTIME = ',"expirytime":"';
const SEQUENCE = ',"sequence":"';
const DATA = ',"data":';
const DATA_BASE64 = ',"data_base64":"';
const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

function mustBeText(name: string): boolean {
  return name === 'subject' || name === 'dataschema' || name === 'datacontenttype';
}

/** Attributes that CloudEvents itself defines must not be empty; of media types the commonest are known. */
function isFit(name: string, text: string, start: number, end: number): boolean {
  if (!mustBeText(name)) return true;
  if (name !== 'datacontenttype') return end > start;
  const type = text.slice(start, end);
  return type === 'application/json' || type === 'application/octet-stream' || type === 'text/plain';
}

/** Bounds of what is remembered: 1,024 texts of at most 512 characters each. */
const MAX_REMEMBERED = 1_024;
const MAX_REMEMBERED_LENGTH = 512;

const WORD = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;

/** Where a string of printable ASCII without escapes ends (its closing quote); -1 for any other. */
function plainEnd(text: string, at: number): number {
  for (let here = at; ; here++) {
    const unit = text.charCodeAt(here);
    if (unit === QUOTE) return here;
    if (!(unit >= 0x20 && unit <= 0x7e) || unit === 0x5c || here - at > 256) return -1;
  }
}

/**
 * Is it the text of one object or array, not nested too deeply, and of nothing behind it? Attributes behind the data would
 * not end in a bracket, and another event would name its version. What is wrong between the brackets shows when it is read.
 */
function isWhole(data: string): boolean {
  const first = data.charCodeAt(0);
  const last = data.charCodeAt(data.length - 1);
  if (first === OPEN_BRACE ? last !== CLOSE_BRACE : first !== OPEN_BRACKET || last !== CLOSE_BRACKET) return false;
  // Without its quotes: V8 takes six times as long to find a text that starts as so many others do.
  return !data.includes('specversion') && !opensOften(data);
}

function readWhole(text: string): BroadcastEvent | undefined {
  try {
    if (endOfValue(text, 0, MAX_DEPTH) !== text.length) return undefined;
    return readEvent(text, 0, text.length);
  } catch {
    return undefined;
  }
}

function hasMore(event: BroadcastEvent): boolean {
  return event.time !== undefined || event.sequence !== undefined || event.expiresAtMs !== Number.POSITIVE_INFINITY;
}

/** A slice keeps the whole message it was cut from alive; what is remembered must not. */
function copy(text: string): string {
  return JSON.parse(JSON.stringify(text));
}
