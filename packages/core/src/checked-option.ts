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
  if (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY) return value;
  throw new TypeError(`${name} must be a finite number`);
}

/** Options, where there are any: what is something else would be ignored. @throws TypeError */
export function optionsOf<Options extends object>(call: string, options: Options | undefined): Options | undefined {
  if (options === undefined || (typeof options === 'object' && options !== null)) return options;
  throw new TypeError(`${call} takes its options as an object`);
}

/** A number above 0, Infinity included. @throws TypeError */
export function aboveZero(name: string, value: number): number {
  if (typeof value === 'number' && value > 0) return value;
  throw new TypeError(`${name} must be a number above 0`);
}
