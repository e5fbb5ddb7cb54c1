import { suggestion } from '../configuration/nearest.ts';
import { BUILT_IN_FUNCTIONS, type BuiltInFunction, FunctionFailure } from './built-in-functions.ts';
import { isFunctionName } from './names.ts';
import { quote } from './syntax-error.ts';
import { type FilterFunction, type FilterFunctions, type FilterValue, MAX_INTEGER, MIN_INTEGER } from './tree.ts';

/** A function that a call leads to; `call` takes arguments that are cast already, and never throws. */
export interface ResolvedFunction {
  readonly takes: FilterFunction['takes'];
  readonly more?: FilterFunction['more'] | undefined;
  readonly gives: FilterFunction['gives'];
  call(args: readonly FilterValue[]): FilterValue | FunctionFailure;
}

/** The function for that name and number of arguments; undefined where there is none. Names are upper case. */
export function resolveFunction(
  name: string,
  count: number,
  functions: FilterFunctions | undefined,
): ResolvedFunction | undefined {
  const overloads = BUILT_IN.get(name) ?? (functions && checkFunctions(functions).get(name));
  return overloads?.find(({ takes, more }) => (more === undefined ? takes.length === count : takes.length <= count));
}

/** Why no function was found, and what was perhaps meant. */
export function missingFunction(name: string, count: number, functions: FilterFunctions | undefined): string {
  const own = functions && checkFunctions(functions);
  const overloads = BUILT_IN.get(name) ?? own?.get(name);
  if (overloads === undefined) {
    return `unknown function ${name}${suggestion(name, [...BUILT_IN.keys(), ...(own?.keys() ?? [])])}`;
  }
  const counts = overloads.map(({ takes, more }) => `${takes.length}${more === undefined ? '' : ' or more'}`);
  return `${name} takes ${counts.join(' or ')} argument${counts.join() === '1' ? '' : 's'}, not ${count}`;
}

export function zeroOf(type: FilterFunction['gives']): FilterValue {
  return type === 'text' ? '' : type === 'integer' ? 0 : false;
}

type Overloads = ReadonlyMap<string, readonly ResolvedFunction[]>;

const BUILT_IN: Overloads = new Map(
  [...BUILT_IN_FUNCTIONS].map(([name, overloads]) => [name, overloads.map(resolvedBuiltIn)]),
);

function resolvedBuiltIn(own: BuiltInFunction): ResolvedFunction {
  return { ...own, call: (args) => own.evaluate(args as readonly never[]) };
}

const checked = new WeakMap<FilterFunctions, Overloads>();

/**
 * What users registered, looked at once: later changes of the object count for nothing.
 * @throws TypeError for what breaks the rules of CESQL 1.0, section 3.5.
 */
export function checkFunctions(functions: FilterFunctions): Overloads {
  const known = checked.get(functions);
  if (known !== undefined) return known;
  if (typeof functions !== 'object' || functions === null) throw new TypeError('functions must be an object');
  const all = new Map<string, FilterFunction[]>();
  for (const [name, given] of Object.entries(functions)) {
    if (!isFunctionName(name))
      throw new TypeError(`${quote(name)} is not a function name: use letters and "_", starting with a letter`);
    const upper = name.toUpperCase();
    if (BUILT_IN.has(upper)) throw new TypeError(`function ${upper} is built in and cannot be replaced`);
    const overloads = all.get(upper) ?? [];
    if (typeof given === 'function') overloads.push(plainFunction(given));
    else for (const own of Array.isArray(given) ? given : [given]) overloads.push(checkFunction(upper, own));
    all.set(upper, overloads);
  }
  const resolved = new Map([...all].map(([name, own]) => [name, checkOverloads(name, own).map(resolvedOwn(name))]));
  checked.set(functions, resolved);
  return resolved;
}

function plainFunction(evaluate: FilterFunction['evaluate']): FilterFunction {
  return { takes: Array.from({ length: evaluate.length }, () => 'any' as const), more: 'any', gives: 'any', evaluate };
}

const TYPES: ReadonlySet<unknown> = new Set(['text', 'integer', 'boolean', 'any']);

function checkFunction(name: string, own: FilterFunction): FilterFunction {
  if (typeof own !== 'object' || own === null || typeof own.evaluate !== 'function' || !Object.hasOwn(own, 'takes')) {
    throw new TypeError(`function ${name} must be a function, or an object with takes, gives and evaluate`);
  }
  const { takes, more, gives } = own;
  if (!Array.isArray(takes) || !takes.every((type) => TYPES.has(type))) {
    throw new TypeError(`function ${name}: takes must be a list of text, integer, boolean or any`);
  }
  if (more !== undefined && !TYPES.has(more)) {
    throw new TypeError(`function ${name}: more must be text, integer, boolean or any`);
  }
  if (!TYPES.has(gives)) {
    throw new TypeError(`function ${name}: gives must be text, integer, boolean or any`);
  }
  const copy = { takes: [...takes], gives, evaluate: (...args: readonly FilterValue[]) => own.evaluate(...args) };
  return more === undefined ? copy : { ...copy, more };
}

/** One of any number of arguments at most, and it must take more than every other. */
function checkOverloads(name: string, overloads: readonly FilterFunction[]): readonly FilterFunction[] {
  const counts = overloads.filter(({ more }) => more === undefined).map(({ takes }) => takes.length);
  if (new Set(counts).size < counts.length) {
    throw new TypeError(`function ${name} is defined twice with the same number of arguments`);
  }
  const [open, another] = overloads.filter(({ more }) => more !== undefined);
  if (another !== undefined)
    throw new TypeError(`function ${name} is defined twice with a variable number of arguments`);
  if (open !== undefined && counts.some((count) => count >= open.takes.length)) {
    throw new TypeError(
      `function ${name} with a variable number of arguments must take more arguments than its other definitions`,
    );
  }
  return overloads;
}

function resolvedOwn(name: string): (own: FilterFunction) => ResolvedFunction {
  return (own) => ({
    takes: own.takes,
    more: own.more,
    gives: own.gives,
    call(args) {
      const zero = zeroOf(own.gives);
      let value: unknown;
      try {
        value = own.evaluate(...args);
      } catch (thrown) {
        return new FunctionFailure('functionEvaluation', `${name}: ${reasonOf(thrown)}`, zero);
      }
      const { gives } = own;
      if (typeof value === 'string' && (gives === 'text' || gives === 'any')) return value;
      if (typeof value === 'boolean' && (gives === 'boolean' || gives === 'any')) return value;
      if (Number.isInteger(value) && (gives === 'integer' || gives === 'any')) {
        const number = value as number;
        if (number >= MIN_INTEGER && number <= MAX_INTEGER) return number | 0;
      }
      const wanted = gives === 'any' ? 'a string, a boolean or a 32-bit integer' : gives;
      return new FunctionFailure('functionEvaluation', `${name} must return ${wanted}`, zero);
    },
  });
}

/** Anything can be thrown, even what cannot be made a text. */
function reasonOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return 'it threw';
  }
}
