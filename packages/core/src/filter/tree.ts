/**
 * A filter as a tree: what CESQL 1.0 text, the JSON dialects of the CloudEvents Subscriptions API, and the builder all
 * become. Plain frozen-in-spirit data: it can be compared, printed ({@link printFilter}) and sent.
 *
 * @see https://github.com/cloudevents/spec/blob/main/cesql/spec.md
 */
export type FilterTree =
  | LiteralNode
  | AttributeNode
  | ExistsNode
  | NotNode
  | NegateNode
  | LogicNode
  | XorNode
  | CompareNode
  | ArithmeticNode
  | LikeNode
  | InNode
  | CallNode
  | PassesNode;

/** A value of the language: a string, a signed 32-bit integer, or a boolean. */
export type FilterValue = string | number | boolean;

/** `'text'`, `5`, `TRUE`. Integers are whole and within 32 bits. */
export interface LiteralNode {
  readonly kind: 'literal';
  readonly value: FilterValue;
}

/** The value of a context attribute. Its name is lower case. */
export interface AttributeNode {
  readonly kind: 'attribute';
  readonly name: string;
}

/** `EXISTS name` */
export interface ExistsNode {
  readonly kind: 'exists';
  readonly name: string;
}

/** `NOT of` */
export interface NotNode {
  readonly kind: 'not';
  readonly of: FilterTree;
}

/** `-of` */
export interface NegateNode {
  readonly kind: 'negate';
  readonly of: FilterTree;
}

/** `a AND b AND c`, `a OR b`: two operands or more, evaluated from the left until the result is certain. */
export interface LogicNode {
  readonly kind: 'and' | 'or';
  readonly of: readonly FilterTree[];
}

/** `left XOR right` */
export interface XorNode {
  readonly kind: 'xor';
  readonly left: FilterTree;
  readonly right: FilterTree;
}

export type CompareOperator = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** `left = right` and the other comparisons; `<>` is `!=`. */
export interface CompareNode {
  readonly kind: 'compare';
  readonly operator: CompareOperator;
  readonly left: FilterTree;
  readonly right: FilterTree;
}

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';

/** `left + right` and the other sums, on integers. */
export interface ArithmeticNode {
  readonly kind: 'arithmetic';
  readonly operator: ArithmeticOperator;
  readonly left: FilterTree;
  readonly right: FilterTree;
}

/** `of LIKE 'pattern'`: `%` any characters, `_` one character, `\%` and `\_` themselves. `NOT LIKE` is a `not` around it. */
export interface LikeNode {
  readonly kind: 'like';
  readonly of: FilterTree;
  readonly pattern: string;
}

/** `of IN (a, b, …)`, at least one. `NOT IN` is a `not` around it. */
export interface InNode {
  readonly kind: 'in';
  readonly of: FilterTree;
  readonly values: readonly FilterTree[];
}

/** `NAME(a, b, …)`. Its name is upper case. */
export interface CallNode {
  readonly kind: 'call';
  readonly name: string;
  readonly args: readonly FilterTree[];
}

/**
 * True where `of` gives the boolean true without an error, else false: a `sql` dialect inside another dialect. CESQL has
 * no words for it, so a tree that holds one prints as JSON.
 */
export interface PassesNode {
  readonly kind: 'passes';
  readonly of: FilterTree;
}

/** The smallest and the largest integer of the language. */
export const MIN_INTEGER = -2_147_483_648;
export const MAX_INTEGER = 2_147_483_647;
/** Maximum length of a filter, in UTF-16 code units; longer ones are rejected with `invalid-filter`. */
export const MAX_FILTER_LENGTH = 131_072;
/** Deepest nesting of a tree; deeper ones are refused with `invalid-filter`. */
export const MAX_FILTER_DEPTH = 200;
/** Maximum number of nodes of a tree; larger ones are rejected with `invalid-filter`. */
export const MAX_FILTER_NODES = 50_000;

/** Attributes that every valid CloudEvent has, so that `EXISTS` on them is always true. */
export const REQUIRED_ATTRIBUTES: ReadonlySet<string> = new Set(['specversion', 'id', 'source', 'type']);
/** Attributes that are strings in every valid CloudEvent; an extension attribute may be a string, an integer or a boolean. */
export const TEXT_ATTRIBUTES: ReadonlySet<string> = new Set([
  ...REQUIRED_ATTRIBUTES,
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
]);

/** The types of the language, as functions declare them; `any` takes a value as it is. */
export type FilterType = 'text' | 'integer' | 'boolean' | 'any';

/** A function that users register. Arguments are cast to `takes`; more arguments than that are cast to `more`, if it is given. */
export interface FilterFunction {
  readonly takes: readonly FilterType[];
  /** Set for a function of any number of arguments: the type of those beyond `takes`. */
  readonly more?: FilterType;
  /** `any`: what the value is decides, and false stands for none. */
  readonly gives: FilterType;
  /** Must be pure. Throwing, or returning a value of another type, is a functionEvaluation error with the zero value. */
  evaluate(...args: readonly FilterValue[]): FilterValue;
}

/**
 * By name (letters and `_`, without case); several for one name must differ in their number of arguments. A plain function
 * takes its arguments as they are, as many as it names or more, and gives `any`.
 */
export type FilterFunctions = Readonly<
  Record<string, FilterFunction['evaluate'] | FilterFunction | readonly FilterFunction[]>
>;
