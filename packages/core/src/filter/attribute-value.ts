import { toBase64 } from '../envelope/base64.ts';
import { BroadcastEvent } from '../envelope/event.ts';
import { TimeWriter } from '../envelope/time.ts';
import { type FilterValue, MAX_INTEGER, MIN_INTEGER } from './tree.ts';

/** An event as filters read it: Polycast's own, or a plain object of CloudEvents attributes. */
export type FilterEvent = BroadcastEvent | Readonly<Record<string, unknown>>;

/** The value of one attribute; undefined where the event lacks it. Never throws. */
export type AttributeReader = (event: FilterEvent) => FilterValue | undefined;

/** What the event says for an attribute; null counts as absent. Never throws. */
export function readAttribute(event: FilterEvent, name: string): FilterValue | undefined {
  const special = SPECIAL.get(name);
  if (special !== undefined) return special(event);
  return HIDDEN.has(name) ? readOwn(event, name) : readProperty(event, name);
}

/** A reader for events of both kinds. */
export function attributeReader(name: string): AttributeReader {
  const special = SPECIAL.get(name);
  if (special !== undefined) return special;
  if (HIDDEN.has(name)) return (event) => readOwn(event, name);
  return (event) => readProperty(event, name);
}

function readProperty(event: FilterEvent, name: string): FilterValue | undefined {
  try {
    const value = event[name];
    return typeof value === 'string' ? value : toFilterValue(value, event);
  } catch {
    return undefined;
  }
}

/**
 * Names that mean something else on BroadcastEvent (`epoch`, `with`) or on every object (`constructor`), so that only an
 * event's real attributes count.
 */
const HIDDEN: ReadonlySet<string> = new Set(
  [...Object.getOwnPropertyNames(BroadcastEvent.prototype), ...Object.getOwnPropertyNames(Object.prototype)].filter(
    (name) => !['specversion', 'id', 'time', 'sequence'].includes(name),
  ),
);

function readOwn(event: FilterEvent, name: string): FilterValue | undefined {
  try {
    const attributes = event instanceof BroadcastEvent ? event.attributes : event;
    return attributes !== undefined && Object.hasOwn(attributes, name)
      ? toFilterValue(attributes[name], event)
      : undefined;
  } catch {
    return undefined;
  }
}

const expiryWriter = new TimeWriter();

/** BroadcastEvent keeps it as a number, and not by its name. */
function readExpiryTime(event: FilterEvent): FilterValue | undefined {
  try {
    return event instanceof BroadcastEvent && event.expiresAtMs !== Number.POSITIVE_INFINITY
      ? expiryWriter.write(event.expiresAtMs)
      : toFilterValue(event.expirytime, event);
  } catch {
    return undefined;
  }
}

/**
 * The names that filters most often have get a function of their own: reading a property by a name that stands in the
 * code is several times faster than by a name in a variable.
 */
const SPECIAL: ReadonlyMap<string, AttributeReader> = new Map<string, AttributeReader>([
  [
    'type',
    (event) => {
      try {
        const value: unknown = event.type;
        return typeof value === 'string' ? value : toFilterValue(value, event);
      } catch {
        return undefined;
      }
    },
  ],
  [
    'source',
    (event) => {
      try {
        const value: unknown = event.source;
        return typeof value === 'string' ? value : toFilterValue(value, event);
      } catch {
        return undefined;
      }
    },
  ],
  [
    'subject',
    (event) => {
      try {
        const value: unknown = event.subject;
        return typeof value === 'string' ? value : toFilterValue(value, event);
      } catch {
        return undefined;
      }
    },
  ],
  ['expirytime', readExpiryTime],
  // CESQL does not reach into the data.
  ['data', () => undefined],
]);

/** A JavaScript value as a value of the language. Timestamps, bytes and numbers beyond 32 bits are texts there. */
export function toFilterValue(value: unknown, event: unknown): FilterValue | undefined {
  // A text has a `length` too.
  if (typeof event !== 'object') return undefined;
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      // `| 0` makes -0 a plain zero.
      return Number.isInteger(value) && value >= MIN_INTEGER && value <= MAX_INTEGER ? value | 0 : String(value);
    case 'bigint':
      return value >= MIN_INTEGER && value <= MAX_INTEGER ? Number(value) : String(value);
    case 'object':
      if (value instanceof Date) return value.toISOString();
      if (value instanceof Uint8Array) return toBase64(value);
      return value instanceof URL ? value.href : undefined;
    default:
      return undefined;
  }
}
