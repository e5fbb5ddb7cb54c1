import { suggestion } from '../configuration/nearest.ts';

/** The names of an options type, which the compiler holds against it: an option that is added to the type is missing here. */
export type OptionNames<Options> = { readonly [Name in keyof Options]-?: 1 };

/** @throws TypeError */
export function count(name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw new TypeError(`${name} must be an integer of at least ${least}`);
}

/** @throws TypeError */
export function oneOf<Value extends string>(name: string, value: Value, values: readonly Value[]): Value {
  if (values.includes(value)) return value;
  throw new TypeError(`${name} must be one of ${values.join(', ')}`);
}

/** A time that may be none, ms. @throws TypeError */
export function duration(name: string, value: number): number {
  if (Number.isFinite(value) && value >= 0) return value;
  throw new TypeError(`${name} must be a finite number of at least 0`);
}

/**
 * Options, if there are any.
 * @param refuse makes the error. @default a TypeError
 * @throws TypeError for what is not an object, and for a name that is not an option: either would be ignored
 */
export function optionsOf<Options extends object>(
  call: string,
  options: Options | undefined,
  names: OptionNames<Options>,
  refuse: (message: string) => Error = TypeError,
): Options | undefined {
  if (options === undefined) return options;
  if (typeof options !== 'object' || options === null) throw refuse(`${call} takes its options as an object`);
  const unknown = unknownOption(options, names);
  if (unknown === undefined) return options;
  throw refuse(`${call}: ${unknown}`);
}

/** `unknown option "filtre"; did you mean "filter"?`, of the first name that is not in the table. */
export function unknownOption(options: object, names: object): string | undefined {
  // Not `hasOwn`: what a page has added to every object is not the caller's.
  for (const name in options) {
    if (!(name in names))
      return `unknown option "${name.slice(0, 40)}"${suggestion(name.slice(0, 40), Object.keys(names))}`;
  }
  return undefined;
}

/** A number above 0, Infinity included. @throws TypeError */
export function aboveZero(name: string, value: number): number {
  if (typeof value === 'number' && value > 0) return value;
  throw new TypeError(`${name} must be a number above 0`);
}
