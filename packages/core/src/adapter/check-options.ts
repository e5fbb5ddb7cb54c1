import { suggestion } from '../configuration/nearest.ts';
import { PolycastError } from '../contract/error.ts';
import type { Option } from './option.ts';

/**
 * For each option of an options type its kind: one that is missing, is not an option, or has another type does not compile.
 * `const TABLE = { port: option.integer({ min: 1, max: 65_535 }), … } satisfies OptionTable<MyOptions>`.
 */
export type OptionTable<Options> = {
  readonly [Name in keyof Options]-?: Option<Exclude<Options[Name], undefined>>;
};

/** What `checkOptions` makes of options: every name is there, and what has a default is never undefined. */
export type SettingsOf<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer Value, infer Default>
    ? Value | Extract<Default, undefined>
    : never;
};

/** Tables of other functions or URLs of the package, by what these are called: a name that is one of theirs is said to belong there. */
export type Siblings = Readonly<Record<string, object>>;

export interface CheckOptions {
  /** By function: `{ 'television()': TELEVISION_OPTIONS }`. */
  readonly siblings?: Siblings;
}

/**
 * Checks options against their table and fills in the defaults. An option that is `undefined` or `null` is not given.
 * @param call starts each message: the name of the function that was called
 * @throws PolycastError `invalid-configuration` for what is not an object, an unknown name, and a value that is not of the kind. No message
 * repeats a value
 */
export function checkOptions<Table extends object>(
  call: string,
  table: Table,
  given: unknown,
  { siblings = {} }: CheckOptions = {},
): SettingsOf<Table> {
  if (typeof given !== 'object' || given === null) throw invalidConfiguration(`${call} takes its options as an object`);
  for (const name in given) {
    // What a page has added to every object is not the caller's.
    if (Object.hasOwn(table, name) || (name in Object.prototype && !Object.hasOwn(given, name))) continue;
    throw unknownName(`${call}: unknown option`, name, Object.keys(table), siblings);
  }
  const settings: Record<string, unknown> = {};
  for (const [name, { default: fallback, expected, is }] of Object.entries<Option<unknown>>(table as never)) {
    const value = (given as Record<string, unknown>)[name] ?? fallback;
    if (value !== fallback && !is(value)) throw invalidConfiguration(`${call}: ${name} must be ${expected}`);
    settings[name] = value;
  }
  return settings as SettingsOf<Table>;
}

/**
 * The error for a name that is in no table. What does not look like a name may be part of a secret that was not encoded: it is not repeated.
 * @param start `radio: unknown option`
 */
export function unknownName(start: string, name: string, known: readonly string[], siblings: Siblings): PolycastError {
  if (!/^\w{1,40}$/.test(name)) {
    return invalidConfiguration(`${start}; available: ${known.map((other) => `"${other}"`).join(', ')}`);
  }
  const sibling = Object.keys(siblings).find((other) => Object.hasOwn(siblings[other] as object, name));
  const end = sibling === undefined ? suggestion(name, known) : `; it belongs to ${sibling}`;
  return invalidConfiguration(`${start} "${name}"${end}`);
}

/** The error for options, a URL or a configuration that cannot be used. Write no value into the message: it may be a secret. */
export function invalidConfiguration(message: string): PolycastError {
  return new PolycastError('invalid-configuration', message);
}
