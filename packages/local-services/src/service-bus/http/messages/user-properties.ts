import { parseRfc1123 } from '../../../http/index.ts';
import { type PropertyValue, TimeSpan, Uuid } from '../../rules/index.ts';
import { formatTimeSpan } from '../atom/typed-value.ts';
import { toAscii } from './broker-properties.ts';

/** Headers that mean something to HTTP or the service itself: never properties of a message. */
const RESERVED = new Set(
  `accept accept-charset accept-encoding accept-language authorization brokerproperties cache-control connection
  content-encoding content-language content-length content-location content-md5 content-range content-type cookie date
  dnt etag expect expires forwarded from host http2-settings if-match if-modified-since if-none-match if-range
  if-unmodified-since keep-alive last-modified location max-forwards origin pragma proxy-authenticate
  proxy-authorization range referer retry-after server servicebusdlqsupplementaryauthorization
  servicebussupplementaryauthorization set-cookie strict-transport-security te trailer transfer-encoding upgrade
  upgrade-insecure-requests user-agent vary via warning www-authenticate x-ms-retrypolicy`.split(/\s+/),
);

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** What stands in a header as it is: quotes, too, but nothing that could be read as an escape. */
const PLAIN = /^[\x20-\x5b\x5d-\x7e]*$/;
const INT64 = 9_223_372_036_854_775_807n;

/**
 * Properties that a sender put into headers of its own: text in double quotes, dates of RFC 1123 in quotes, numbers,
 * true and false. A value in no such form belongs to some other header, of a proxy or a tracer, and is left alone.
 * @param rawHeaders name, value, name, …: names as they were written
 */
export function readUserProperties(rawHeaders: readonly string[]): Map<string, PropertyValue> {
  const properties = new Map<string, PropertyValue>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (RESERVED.has(name.toLowerCase()) || properties.has(name)) continue;
    const value = readValue(fromLatin1(rawHeaders[index + 1]!.trim()));
    if (value !== undefined) properties.set(name, value);
  }
  return properties;
}

function readValue(text: string): PropertyValue | undefined {
  if (text.length > 1 && text.startsWith('"') && text.endsWith('"')) {
    const content = unquote(text);
    const ms = parseRfc1123(content);
    return ms === undefined ? content : new Date(ms);
  }
  if (/^true$/i.test(text)) return true;
  if (/^false$/i.test(text)) return false;
  return readNumber(text);
}

function unquote(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1).replaceAll('\\"', '"');
  }
}

/** Whole numbers that fit 64 bits stay whole. */
function readNumber(text: string): bigint | number | undefined {
  if (/^[+-]?\d{1,20}$/.test(text)) {
    const whole = BigInt(text.replace(/^\+/, ''));
    return whole <= INT64 && whole >= -INT64 - 1n ? whole : Number(text);
  }
  if (!/^[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,3})?$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** Headers come as Latin-1; clients that write UTF-8 are understood. */
function fromLatin1(text: string): string {
  if (/^[\x20-\x7e\t]*$/.test(text)) return text;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'latin1'));
  } catch {
    return text;
  }
}

/** @returns headers; a property whose name no header can have is left out */
export function writeUserProperties(properties: ReadonlyMap<string, PropertyValue>): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const [name, value] of properties) {
    if (value === null || !TOKEN.test(name) || RESERVED.has(name.toLowerCase())) continue;
    headers[name] = writeValue(value);
  }
  return headers;
}

function writeValue(value: Exclude<PropertyValue, null>): string {
  // Most clients take off the quotes and nothing else.
  if (typeof value === 'string') return PLAIN.test(value) ? `"${value}"` : toAscii(JSON.stringify(value));
  if (value instanceof Date) return `"${value.toUTCString()}"`;
  if (value instanceof Uuid) return `"${value.text}"`;
  if (value instanceof TimeSpan) return `"${formatTimeSpan(value)}"`;
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`;
  return String(value);
}

/** Properties of a message in a batch: JSON says their types. @returns undefined for what cannot be a property */
export function readJsonProperties(value: unknown): Map<string, PropertyValue> | undefined {
  if (value === undefined || value === null) return new Map();
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  const properties = new Map<string, PropertyValue>();
  for (const [name, property] of Object.entries(value)) {
    if (property !== null && typeof property === 'object') return undefined;
    properties.set(name, Number.isSafeInteger(property) ? BigInt(property as number) : (property as PropertyValue));
  }
  return properties;
}
