import { parseInteger, toBoolean, toInteger, toText } from '../cast.ts';
import type { ElementTest, ExpressionTest, LikeTest, Test, TextTest } from '../condition.ts';
import { compileLike, likeTokens } from '../like.ts';
import type { PushOptions } from '../target.ts';
import { type FilterValue, MAX_INTEGER, MIN_INTEGER, TEXT_ATTRIBUTES } from '../tree.ts';

export type AttributeType = 'text' | 'integer' | 'boolean';

/** A test of one attribute that looks at its value. */
export type ValueTest = Exclude<Test, { kind: 'present' | 'expression' }> | BareTest;

/** The attribute is a boolean, without a cast, and that is `value`: what an attribute alone as a filter says. */
export interface BareTest {
  readonly kind: 'bare';
  readonly attribute: string;
  readonly value: boolean;
}

/** The test of one attribute that an expression is; undefined if it is more. */
export function bareTest({ of, result }: ExpressionTest): BareTest | undefined {
  return of.kind === 'attribute' ? { kind: 'bare', attribute: of.name, value: result } : undefined;
}

/** Which texts pass a test. */
export type TextSet =
  | { readonly kind: 'none' | 'all' }
  | { readonly kind: 'in' | 'notIn'; readonly values: readonly string[] }
  | { readonly kind: 'like'; readonly pattern: string; readonly negated: boolean }
  /** Texts that can be cast to an integer: that within (negated: outside) the bounds. */
  | { readonly kind: 'number'; readonly low: number; readonly high: number; readonly negated: boolean }
  /** `true`, or `false`, in any case. */
  | { readonly kind: 'flag'; readonly value: boolean };

/** Which integers pass a test. */
export type IntegerSet =
  | { readonly kind: 'none' | 'all' }
  | { readonly kind: 'in' | 'notIn'; readonly values: readonly number[] }
  | { readonly kind: 'range'; readonly low: number; readonly high: number; readonly negated: boolean }
  /** Those whose digits fit a pattern. */
  | { readonly kind: 'like'; readonly pattern: string; readonly negated: boolean };

/**
 * What passes a test, one set for each type that the attribute may have. CESQL casts where brokers compare like with like:
 * with the casts worked out here, a target has only to say what it can of each set.
 */
export interface AcceptedValues {
  /** The types that the attribute may have. */
  readonly types: readonly AttributeType[];
  /** `none` also where the attribute cannot be a text; likewise below. */
  readonly text: TextSet;
  readonly integer: IntegerSet;
  readonly boolean: readonly boolean[];
}

const ANY_TYPE: readonly AttributeType[] = ['text', 'integer', 'boolean'];
const NONE = { kind: 'none' } as const;
const ALL = { kind: 'all' } as const;

export function typesOf(attribute: string, options: PushOptions): readonly AttributeType[] {
  if (TEXT_ATTRIBUTES.has(attribute)) return ['text'];
  const { types } = options;
  const declared = types !== undefined && Object.hasOwn(types, attribute) ? types[attribute] : undefined;
  return declared === undefined ? ANY_TYPE : [declared];
}

export function acceptedValues(test: ValueTest, options: PushOptions): AcceptedValues {
  const types = typesOf(test.attribute, options);
  return {
    types,
    text: types.includes('text') ? textsOf(test) : NONE,
    integer: types.includes('integer') ? integersOf(test) : NONE,
    boolean: types.includes('boolean') ? [true, false].filter((flag) => passesAsBoolean(test, flag)) : [],
  };
}

/** Does every value of every type pass? Then the test only asks for the attribute to be there. */
export function acceptsEverything({ types, text, integer, boolean }: AcceptedValues): boolean {
  return types.every((type) =>
    type === 'text' ? text.kind === 'all' : type === 'integer' ? integer.kind === 'all' : boolean.length === 2,
  );
}

/** The types of which at least one value passes. */
export function acceptedTypes({ text, integer, boolean }: AcceptedValues): readonly AttributeType[] {
  const passing: AttributeType[] = [];
  if (text.kind !== 'none') passing.push('text');
  if (integer.kind !== 'none') passing.push('integer');
  if (boolean.length > 0) passing.push('boolean');
  return passing;
}

function textsOf(test: ValueTest): TextSet {
  switch (test.kind) {
    case 'text':
      return listed(test.values, test.negated);
    case 'element':
      return listed([...new Set(test.elements.map(toText))], test.negated);
    case 'integer':
      return test.low > test.high && !test.negated ? NONE : { ...bounds(test), kind: 'number', negated: test.negated };
    case 'flag':
      return { kind: 'flag', value: test.value };
    case 'like':
      return textsLike(test);
    case 'bare':
      return NONE;
  }
}

function textsLike({ pattern, negated }: LikeTest): TextSet {
  const tokens = likeTokens(pattern);
  if (tokens.length === 0) return listed([''], negated);
  if (tokens.every((token) => token === '%')) return negated ? NONE : ALL;
  const [only] = tokens;
  if (tokens.length === 1 && typeof only === 'object') return listed([only.text], negated);
  return { kind: 'like', pattern, negated };
}

function integersOf(test: ValueTest): IntegerSet {
  switch (test.kind) {
    case 'text':
      return listed(integersAmong(test.values), test.negated);
    case 'element': {
      const { cast, all } = castUntilFailure(test.elements);
      return test.negated && !all ? NONE : listed(cast, test.negated);
    }
    case 'integer':
      return range(test.low, test.high, test.negated);
    case 'flag':
      return listed([0], test.value);
    case 'like':
      return integersLike(test);
    case 'bare':
      return NONE;
  }
}

/** Equality casts to the left type one element after the other, and a cast that fails ends it. */
function castUntilFailure(elements: ElementTest['elements']): { cast: readonly number[]; all: boolean } {
  const cast = new Set<number>();
  for (const element of elements) {
    const value = toInteger(element);
    if (value === undefined) return { cast: [...cast], all: false };
    cast.add(value);
  }
  return { cast: [...cast], all: true };
}

function integersAmong(values: TextTest['values']): readonly number[] {
  const integers: number[] = [];
  for (const text of values) {
    const value = parseInteger(text);
    // '05' and '+5' are no texts that an integer is cast to.
    if (value !== undefined && String(value) === text) integers.push(value);
  }
  return integers;
}

function integersLike({ pattern, negated }: LikeTest): IntegerSet {
  const tokens = likeTokens(pattern);
  if (tokens.length > 0 && tokens.every((token) => token === '%')) return negated ? NONE : ALL;
  const literal = tokens.map((token) => (typeof token === 'object' ? token.text : '')).join('');
  if (tokens.length === 0 || !/^-?[0-9]*$/.test(literal)) return negated ? ALL : NONE;
  if (tokens.length === 1 && typeof tokens[0] === 'object') return listed(integersAmong([literal]), negated);
  return { kind: 'like', pattern, negated };
}

function range(low: number, high: number, negated: boolean): IntegerSet {
  if (low > high) return negated ? ALL : NONE;
  if (low <= MIN_INTEGER && high >= MAX_INTEGER) return negated ? NONE : ALL;
  if (low === high) return listed([low], negated);
  return { ...bounds({ low, high }), kind: 'range', negated };
}

function bounds({ low, high }: { readonly low: number; readonly high: number }) {
  return { low: Math.max(low, MIN_INTEGER), high: Math.min(high, MAX_INTEGER) };
}

function listed<Value>(values: readonly Value[], negated: boolean) {
  if (values.length === 0) return negated ? ALL : NONE;
  return { kind: negated ? ('notIn' as const) : ('in' as const), values };
}

function passesAsBoolean(test: ValueTest, flag: boolean): boolean {
  switch (test.kind) {
    case 'text':
      return test.values.includes(toText(flag)) !== test.negated;
    case 'element': {
      for (const element of test.elements) {
        const value = toBoolean(element);
        if (value === undefined) return false;
        if (value === flag) return !test.negated;
      }
      return test.negated;
    }
    case 'integer': {
      const value: FilterValue = flag ? 1 : 0;
      return (value >= test.low && value <= test.high) !== test.negated;
    }
    case 'flag':
    case 'bare':
      return flag === test.value;
    case 'like':
      return compileLike(test.pattern)(toText(flag)) !== test.negated;
  }
}
