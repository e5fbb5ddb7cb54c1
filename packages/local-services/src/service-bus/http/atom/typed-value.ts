import type { Element } from '@xmldom/xmldom';
import { badRequest } from '../../../http/index.ts';
import { formatDuration, parseDuration } from '../../../time/duration.ts';
import { type PropertyValue, TimeSpan, Uuid } from '../../rules/index.ts';
import { SERIALIZATION, XSD, XSI } from '../xml/namespaces.ts';
import { isNil, textOf, typeOf } from '../xml/read.ts';
import { add, declare } from '../xml/write.ts';

const INTEGERS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  byte: [-128n, 127n],
  unsignedByte: [0n, 255n],
  short: [-32_768n, 32_767n],
  unsignedShort: [0n, 65_535n],
  int: [-2_147_483_648n, 2_147_483_647n],
  unsignedInt: [0n, 4_294_967_295n],
  long: [-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
  unsignedLong: [0n, 18_446_744_073_709_551_615n],
};

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const FLOAT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A time and how it was written: without a zone, which is taken for UTC, or with more digits than there are ms. */
class WrittenDate extends Date {
  readonly text: string;

  constructor(ms: number, text: string) {
    super(ms);
    this.text = text;
  }
}

const DAY_LENGTH = 'yyyy-mm-dd'.length;

/** `Date.parse` takes 30 February for 1 March. */
function dayExists(day: string): boolean {
  const ms = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day);
}

/** Reads a value that says its own type. @throws HttpError 400 */
export function readTypedValue(element: Element): PropertyValue {
  if (isNil(element)) return null;
  const type = typeOf(element);
  if (type === undefined) throw badRequest('A value of a rule must say its type.');
  const raw = textOf(element);
  const text = raw.trim();
  const wrong = (): never => {
    throw badRequest(`The value '${raw.slice(0, 100)}' is not of type '${type.name.slice(0, 50)}'.`);
  };
  if (type.namespace === SERIALIZATION && type.name === 'guid') return UUID.test(text) ? new Uuid(text) : wrong();
  // Clients write the one of XML Schema; the service answers with the one of .NET.
  if ((type.namespace === SERIALIZATION || type.namespace === XSD) && type.name === 'duration') {
    const ms = parseDuration(text.replace(/^-/, ''));
    return ms === undefined ? wrong() : TimeSpan.ofMs(text.startsWith('-') ? -ms : ms);
  }
  if (type.namespace !== XSD)
    throw badRequest(`Values of type '${type.name.slice(0, 50)}' are not supported in rules.`);
  const range = Object.hasOwn(INTEGERS, type.name) ? INTEGERS[type.name] : undefined;
  if (range !== undefined) {
    if (!/^[+-]?\d{1,20}$/.test(text)) return wrong();
    const value = BigInt(text.replace(/^\+/, ''));
    return value >= range[0] && value <= range[1] ? value : wrong();
  }
  switch (type.name) {
    case 'string':
      return raw;
    case 'boolean':
      return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : wrong();
    case 'double':
    case 'float':
      if (text === 'INF' || text === '-INF') return text === 'INF' ? Infinity : -Infinity;
      if (text === 'NaN') return Number.NaN;
      return FLOAT.test(text) ? Number(text) : wrong();
    case 'decimal':
      return FLOAT.test(text) && !/e/i.test(text) ? Number(text) : wrong();
    case 'dateTime': {
      const match = DATE_TIME.exec(text);
      const isDay = match !== null && dayExists(text.slice(0, DAY_LENGTH));
      const ms = isDay ? Date.parse(match[1] === undefined ? `${text}Z` : text) : Number.NaN;
      if (Number.isNaN(ms)) return wrong();
      return match?.[1] === undefined || match[1] === 'Z' ? new WrittenDate(ms, text) : new Date(ms);
    }
    case 'base64Binary': {
      const packed = text.replace(/\s+/g, '');
      return BASE64.test(packed) ? new Uint8Array(Buffer.from(packed, 'base64')) : wrong();
    }
    default:
      throw badRequest(`Values of type '${type.name.slice(0, 50)}' are not supported in rules.`);
  }
}

/** Clients cut five characters off the type to find its name: the prefix must have four. */
const PREFIX = 'd6p1';

/** @returns the type a number was written in, if another one would be written for its value */
export function typeToKeep(element: Element, value: PropertyValue): string | undefined {
  if (typeof value !== 'bigint' && typeof value !== 'number') return undefined;
  const written = typeOf(element)?.name;
  return written === typed(value)[0] ? undefined : written;
}

/** @param writtenType of a number: the type to write, if not that of its value */
export function writeTypedValue(parent: Element, name: string, value: PropertyValue, writtenType?: string): void {
  if (value === null) {
    add(parent, name).setAttributeNS(XSI, 'i:nil', 'true');
    return;
  }
  const [type, text, namespace] = typed(value);
  const element = add(parent, name, text);
  declare(element, PREFIX, namespace ?? XSD);
  element.setAttributeNS(XSI, 'i:type', `${PREFIX}:${writtenType ?? type}`);
}

function typed(value: Exclude<PropertyValue, null>): readonly [type: string, text: string, namespace?: string] {
  switch (typeof value) {
    case 'string':
      return ['string', value];
    case 'boolean':
      return ['boolean', String(value)];
    case 'bigint': {
      // The width it came in is not kept; the vendor's JavaScript client reads no long.
      const [low, high] = INTEGERS.int!;
      return [
        value >= low && value <= high ? 'int' : value > INTEGERS.long![1] ? 'unsignedLong' : 'long',
        String(value),
      ];
    }
    case 'number':
      return [
        'double',
        value === Infinity ? 'INF' : value === -Infinity ? '-INF' : Object.is(value, -0) ? '-0' : String(value),
      ];
    default:
      if (value instanceof WrittenDate) return ['dateTime', value.text];
      if (value instanceof Date) return ['dateTime', value.toISOString().replace('.000Z', 'Z')];
      if (value instanceof Uint8Array) return ['base64Binary', Buffer.from(value).toString('base64')];
      if (value instanceof Uuid) return ['guid', value.text, SERIALIZATION];
      return ['duration', formatTimeSpan(value), SERIALIZATION];
  }
}

export const formatTimeSpan = ({ ms }: TimeSpan): string =>
  ms < 0 ? `-${formatDuration(Math.trunc(-ms))}` : formatDuration(Math.trunc(ms));
