import type { FilterFunctions, FilterTree, FilterValue } from './tree.ts';

/**
 * When an event passes a filter, as a boolean formula over tests that never fail: errors of the language (a missing
 * attribute, a cast) have become part of the tests, and negation has moved into them. The predicate, the push-down and
 * the index all work from this form.
 *
 * A filter passes an event only if its value is the boolean true and no error occurred on the way (CESQL 1.0, section
 * 1.2), and AND and OR stop as soon as the result is certain. So `a = 'x' OR b = 'y'` is not symmetric: without `a`, the
 * left side is an error, and the event does not pass whatever `b` is. As a condition that is
 * `a is 'x' ∨ (a is present ∧ b is 'y')`.
 */
export type Condition = ConstantCondition | GroupCondition | Test;

/** Every event passes, or none. */
export interface ConstantCondition {
  readonly kind: 'always' | 'never';
}

/** All of these hold, or any of these. At least two, none of them constant, none of the group's own kind. */
export interface GroupCondition {
  readonly kind: 'all' | 'any';
  readonly of: readonly Condition[];
}

/** One test. Each is false where the attribute is absent, but `present` with `negated`. */
export type Test = PresentTest | TextTest | ElementTest | IntegerTest | FlagTest | LikeTest | ExpressionTest;

/** The attribute is there; negated: it is not. */
export interface PresentTest {
  readonly kind: 'present';
  readonly attribute: string;
  readonly negated: boolean;
}

/** The attribute is there and, cast to a text, it is (negated: is not) one of `values`. From `a = 'x'`. */
export interface TextTest {
  readonly kind: 'text';
  readonly attribute: string;
  /** At least one, each once. */
  readonly values: readonly string[];
  readonly negated: boolean;
}

/**
 * The attribute is there and is (negated: is not) equal to one of `elements`, each cast to the type that the attribute
 * has, in order, without a cast failing on the way. From `a IN ('x', 5)` and `5 = a`, where it differs from a text test.
 */
export interface ElementTest {
  readonly kind: 'element';
  readonly attribute: string;
  readonly elements: readonly FilterValue[];
  readonly negated: boolean;
}

/** The attribute is there, can be cast to an integer, and that lies (negated: does not lie) within `low` to `high`, both included. */
export interface IntegerTest {
  readonly kind: 'integer';
  readonly attribute: string;
  readonly low: number;
  readonly high: number;
  readonly negated: boolean;
}

/** The attribute is there, can be cast to a boolean, and that is `value`. */
export interface FlagTest {
  readonly kind: 'flag';
  readonly attribute: string;
  readonly value: boolean;
}

/** The attribute is there and, cast to a text, fits (negated: does not fit) the pattern of a `LIKE`. */
export interface LikeTest {
  readonly kind: 'like';
  readonly attribute: string;
  readonly pattern: string;
  readonly negated: boolean;
}

/** Anything else: the expression evaluates, without an error, to the boolean `result`. */
export interface ExpressionTest {
  readonly kind: 'expression';
  readonly of: FilterTree;
  readonly result: boolean;
  /** What the user registered, by which `of` was compiled. */
  readonly functions?: FilterFunctions | undefined;
}
