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

/** A number above 0, Infinity included. @throws TypeError */
export function aboveZero(name: string, value: number): number {
  if (typeof value === 'number' && value > 0) return value;
  throw new TypeError(`${name} must be a number above 0`);
}
