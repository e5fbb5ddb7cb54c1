import { InvalidArgumentError } from 'commander';

/** Reads an option's number. Commander names the option in what the user is told. */
export function number({
  min,
  max = Number.POSITIVE_INFINITY,
  whole = false,
}: {
  min: number;
  max?: number;
  whole?: boolean;
}) {
  return (text: string): number => {
    const value = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN;
    const fits = Number.isFinite(value) && value >= min && value <= max && (!whole || Number.isInteger(value));
    if (fits) return value;
    const kind = whole ? 'a whole number' : 'a number';
    throw new InvalidArgumentError(
      `Must be ${kind} ${max === Number.POSITIVE_INFINITY ? `of at least ${min}` : `from ${min} to ${max}`}.`,
    );
  };
}

/** Collects an option that may be given several times. */
export function several(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A hundred years: dates after that can no longer be reckoned with. */
const MAX_DURATION_MS = 36_525 * 86_400_000;

/** Reads `500ms`, `30s`, `10m`, `2h` or `forever`, in ms. */
export function duration(text: string): number {
  if (text === 'forever') return Number.POSITIVE_INFINITY;
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const ms = amount === undefined ? 0 : Number(amount) * UNITS[unit!]!;
  if (ms > 0 && ms <= MAX_DURATION_MS) return ms;
  throw new InvalidArgumentError('Write a time with its unit, such as 500ms, 30s, 10m or 2h, or forever.');
}

/** Collects `name=value` pairs. */
export function attributes(text: string, before: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write it as name=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
