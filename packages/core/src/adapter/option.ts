/** The kinds of options that a table of options is made of: `option.integer({ min: 1, unit: 'ms' })`. */

/** What an option may be, what it is if it is left out, and how a URL parameter sets it. Made by the functions of `option`. */
export interface Option<Value, Default extends Value | undefined = Value | undefined> {
  /** Ends the sentence `<name> must be …`. */
  readonly expected: string;
  /** Used where the option is not given. */
  readonly default: Default;
  is(value: unknown): boolean;
  /** Makes a value of a URL parameter; undefined of one that cannot be read. Left out: no parameter sets the option. */
  readonly read: ((text: string, url: URL) => unknown) | undefined;
  /** Never there. Lets the compiler hold the kind against the type of the option, both ways. */
  readonly value?: (value: Value) => Value;
}

/** Of each kind. */
export interface OptionInit<Default> {
  /** Must itself be valid: it is not checked. @default undefined, the option stays out */
  readonly default?: Default;
  /** May a URL parameter of the same name set it? @default false */
  readonly inUrl?: boolean;
}

export interface StringInit<Default> extends OptionInit<Default> {
  /** The string must match it; write `^` and `$`. @default any string but the empty one */
  readonly pattern?: RegExp;
  /** The pattern in words, after "must be". */
  readonly expected?: string;
}

/** A string. */
export function string<const Default extends string | undefined = undefined>(
  init: StringInit<Default> = {},
): Option<string, Default> {
  const { pattern = /./s, expected = 'a non-empty string' } = init;
  return make<string, Default>(init, {
    expected,
    is: (value) => typeof value === 'string' && pattern.test(value),
    read: (text) => text || undefined,
  });
}

export interface IntegerInit<Default> extends OptionInit<Default> {
  readonly min: number;
  /** @default Number.MAX_SAFE_INTEGER */
  readonly max?: number;
  /** For messages: `ms`, `bytes`. */
  readonly unit?: string;
  /** Is 0 allowed below `min`, as "never" or "none"? @default false */
  readonly orZero?: boolean;
}

/** A whole number, in a unit of your choice. */
export function integer<const Default extends number | undefined = undefined>(
  init: IntegerInit<Default>,
): Option<number, Default> {
  const { min, max = Number.MAX_SAFE_INTEGER, unit, orZero = false } = init;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return make<number, Default>(init, {
    expected: `an integer ${range}${unit === undefined ? '' : ` (${unit})`}${orZero ? ', or 0' : ''}`,
    is: (value) =>
      Number.isSafeInteger(value) && ((min <= Number(value) && Number(value) <= max) || (orZero && value === 0)),
    read: (text) => (/^-?\d{1,16}$/.test(text) ? Number(text) : undefined),
  });
}

/** The longest time that a timer takes, ms: one that is set to more goes off at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/** A time that a timer is set to, ms. Where it is multiplied, or added to another, its maximum must leave room for that. */
export function duration<const Default extends number | undefined = undefined>(
  init: Omit<IntegerInit<Default>, 'unit'>,
): Option<number, Default> {
  return integer({ max: MAX_TIMER_MS, ...init, unit: 'ms' });
}

/** `true` or `false`; in a URL these very words. */
export function boolean<const Default extends boolean | undefined = undefined>(
  init: OptionInit<Default> = {},
): Option<boolean, Default> {
  return make<boolean, Default>(init, {
    expected: 'true or false',
    is: (value) => typeof value === 'boolean',
    read: (text) => ({ true: true, false: false })[text],
  });
}

/** Strings, or `true` and `false`: a URL parameter says them as they are. */
export function oneOf<const Value extends string | boolean, const Default extends Value | undefined = undefined>(
  values: readonly Value[],
  init: OptionInit<Default> = {},
): Option<Value, Default> {
  const words = values.map((value) => JSON.stringify(value));
  return make<Value, Default>(init, {
    expected: `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
    is: (value) => values.includes(value as Value),
    read: (text) => values.find((value) => String(value) === text),
  });
}

/** An object of somebody else's making, such as options for a driver. What is in it is not looked at. */
export function object<Value extends object>(): Option<Value, undefined> {
  return make<Value, undefined>(
    {},
    { expected: 'an object', is: (value) => typeof value === 'object' && value !== null && !Array.isArray(value) },
  );
}

export interface CustomInit<Value, Default> extends OptionInit<Default> {
  /** Ends the sentence `<name> must be …`. */
  readonly expected: string;
  /** Is this such a value? Called with anything but undefined and null. */
  is(value: unknown): boolean;
  /** Makes a value of a URL parameter, which may be empty; undefined of one that cannot be read. */
  read?(text: string, url: URL): Value | undefined;
}

/** Any other kind. A URL parameter sets it if it has `read`. */
export function custom<Value, const Default extends Value | undefined = undefined>(
  init: CustomInit<Value, Default>,
): Option<Value, Default> {
  return make<Value, Default>({ ...init, inUrl: init.read !== undefined }, init);
}

function make<Value, Default extends Value | undefined>(
  init: OptionInit<Default>,
  { expected, is, read }: CustomInit<unknown, unknown>,
): Option<Value, Default> {
  return { expected, is, read: init.inUrl ? read : undefined, default: init.default as Default };
}
