import { toBoolean, toInteger, toText } from './cast.ts';
import type { ElementTest, ExpressionTest, FlagTest, IntegerTest, LikeTest, Test, TextTest } from './condition.ts';
import { acceptedBy } from './condition-leaf.ts';
import { compileLike } from './like.ts';
import { flagIn, integerIn, isInteger, textIn, valueIn } from './raw-value.ts';

/** A test of one attribute. */
export type AttributeTest = Exclude<Test, ExpressionTest>;
/** The same, on what an event holds under the attribute's name. */
export type ValueTest = (raw: unknown) => boolean;

/** Up to so many texts are compared one by one. */
export const FEW_TEXTS = 4;

export function compileValueTest(test: AttributeTest): ValueTest {
  switch (test.kind) {
    case 'present':
      return test.negated ? (raw) => valueIn(raw) === undefined : (raw) => valueIn(raw) !== undefined;
    case 'text':
      return compileText(test);
    case 'integer':
      return compileInteger(test);
    case 'like':
      return compileLikeTest(test);
    case 'element':
      return compileElement(test);
    case 'flag':
      return compileFlag(test);
  }
}

function compileText({ values, negated }: TextTest): ValueTest {
  if (values.length === 1) {
    const value = values[0]!;
    if (!negated) return (raw) => (typeof raw === 'string' ? raw : textIn(raw)) === value;
    return (raw) => {
      const text = textIn(raw);
      return text !== undefined && text !== value;
    };
  }
  const texts = new Set(values);
  return (raw) => {
    const text = textIn(raw);
    return text !== undefined && texts.has(text) !== negated;
  };
}

function compileInteger({ low, high, negated }: IntegerTest): ValueTest {
  if (!negated) return (raw) => (isInteger(raw) ? raw >= low && raw <= high : isWithin(raw, low, high));
  return (raw) => {
    const integer = integerIn(raw);
    return integer !== undefined && (integer < low || integer > high);
  };
}

/** For what is not an integer yet. */
export function isWithin(raw: unknown, low: number, high: number): boolean {
  const integer = integerIn(raw);
  return integer !== undefined && integer >= low && integer <= high;
}

function compileLikeTest({ pattern, negated }: LikeTest): ValueTest {
  const fits = compileLike(pattern);
  return (raw) => {
    const text = textIn(raw);
    return text !== undefined && fits(text) !== negated;
  };
}

function compileFlag({ value }: FlagTest): ValueTest {
  return (raw) => (typeof raw === 'boolean' ? raw : flagIn(raw)) === value;
}

function compileElement({ elements, negated }: ElementTest): ValueTest {
  const texts = new Set(elements.map(toText));
  const integers = acceptedBy(elements, toInteger);
  const flags = acceptedBy(elements, toBoolean);
  return (raw) => {
    const value = valueIn(raw);
    switch (typeof value) {
      case 'string':
        return texts.has(value) !== negated;
      case 'number':
        return negated ? !integers.failsAfter && !integers.values.has(value) : integers.values.has(value);
      case 'boolean':
        return negated ? !flags.failsAfter && !flags.values.has(value) : flags.values.has(value);
      default:
        return false;
    }
  };
}
