import { type FilterEvent, toFilterValue } from './attribute-value.ts';
import { toBoolean, toInteger } from './cast.ts';
import type { FilterValue } from './tree.ts';

// What an event holds under a name, as a value of the language. Texts and small integers, which nearly all are, come first.

/** Undefined: absent. */
export function valueIn(raw: unknown): FilterValue | undefined {
  if (typeof raw === 'string' || typeof raw === 'boolean' || isInteger(raw)) return raw;
  return raw === undefined || raw === null ? undefined : strange(raw);
}

/** Cast to a text. Undefined: absent. */
export function textIn(raw: unknown): string | undefined {
  if (typeof raw === 'string') return raw;
  const value = valueIn(raw);
  return value === undefined ? undefined : String(value);
}

/** Cast to an integer. Undefined: absent, or cannot be cast. */
export function integerIn(raw: unknown): number | undefined {
  if (isInteger(raw)) return raw;
  const value = valueIn(raw);
  return value === undefined ? undefined : toInteger(value);
}

/** Cast to a boolean. Undefined: absent, or cannot be cast. */
export function flagIn(raw: unknown): boolean | undefined {
  const value = valueIn(raw);
  return value === undefined ? undefined : toBoolean(value);
}

/** A whole number within 32 bits. */
export function isInteger(raw: unknown): raw is number {
  return typeof raw === 'number' && (raw | 0) === raw;
}

function strange(raw: unknown): FilterValue | undefined {
  try {
    return toFilterValue(raw, AN_EVENT);
  } catch {
    // A date that is none; a proxy.
    return undefined;
  }
}

/** What is read here was a property of an object. */
const AN_EVENT = {};

/** What can be read of an event whose getters throw. */
export function readableCopy(event: FilterEvent): FilterEvent {
  const copy: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const name of namesOf(event)) {
    try {
      copy[name] = event[name];
    } catch {
      // As good as absent.
    }
  }
  return copy;
}

function namesOf(event: FilterEvent): string[] {
  try {
    const names = Object.getOwnPropertyNames(event);
    for (const name in event) names.push(name);
    return names;
  } catch {
    return [];
  }
}
