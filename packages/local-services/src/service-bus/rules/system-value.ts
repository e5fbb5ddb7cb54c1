import { FilterEvaluationError } from './rule-error.ts';
import type { RuleMessage } from './rule-message.ts';
import { SYSTEM_PROPERTIES } from './system-property.ts';
import type { Value } from './tree.ts';
import { type Known, type PropertyValue, TICKS_PER_MS, TimeSpan, Uuid } from './value.ts';

/**
 * What a system property takes when an action sets it to the value, converted where that is possible.
 *
 * @throws FilterEvaluationError when the service has no such property, nobody may set it, or the value does not convert
 */
export function systemValue(message: RuleMessage, name: string, value: Value): PropertyValue {
  const type = SYSTEM_PROPERTIES.get(name);
  if (type === undefined && message.system(name) === undefined) {
    throw new FilterEvaluationError(`There is no system property '${name.slice(0, 64)}'.`);
  }
  if (type === undefined || type === 'read-only') {
    throw new FilterEvaluationError(`The system property '${name.slice(0, 64)}' cannot be set.`);
  }
  if (value === undefined) return null;
  const converted = CONVERSIONS[type](value);
  if (converted === undefined) throw new FilterEvaluationError(`The value does not fit the system property '${name}'.`);
  return converted;
}

const CONVERSIONS = { text: textOf, time: timeOf, span: spanOf } as const;

/** As .NET writes them, but for dates, which its writing depends on a culture for: these are ISO 8601. */
function textOf(value: Known): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  if (value instanceof Uuid) return value.text;
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : undefined;
}

function timeOf(value: Known): Date | undefined {
  const date = typeof value === 'string' && ISO_DATE.test(value) ? new Date(value) : value;
  return date instanceof Date && !Number.isNaN(date.getTime()) ? date : undefined;
}

/** As `TimeSpan.Parse` reads it. */
function spanOf(value: Known): TimeSpan | undefined {
  if (value instanceof TimeSpan) return value.ticks > 0n ? value : undefined;
  const parts = typeof value === 'string' ? TIME_SPAN.exec(value) : null;
  if (parts === null) return undefined;
  const [, days = '0', hours = '0', minutes = '0', seconds = '0', fraction = ''] = parts;
  const wholeSeconds = ((BigInt(days) * 24n + BigInt(hours)) * 60n + BigInt(minutes)) * 60n + BigInt(seconds);
  const ticks = wholeSeconds * 1_000n * TICKS_PER_MS + BigInt(fraction.padEnd(7, '0'));
  return ticks > 0n ? new TimeSpan(ticks) : undefined;
}

const ISO_DATE = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;
/** `[d.]hh:mm[:ss[.fffffff]]` */
const TIME_SPAN = /^(?:(\d{1,7})\.)?([01]?\d|2[0-3]):([0-5]?\d)(?::([0-5]?\d)(?:\.(\d{1,7}))?)?$/;
