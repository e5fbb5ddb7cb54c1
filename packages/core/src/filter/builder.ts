import { PolycastError } from '../contract/error.ts';
import { startsWith } from './dialects.ts';
import { endsInBackslash, escapeLike } from './like.ts';
import { checkAttribute, isFunctionName } from './names.ts';
import { printFilter } from './print.ts';
import { quote } from './syntax-error.ts';
import {
  type ArithmeticOperator,
  type CompareOperator,
  type FilterTree,
  type FilterValue,
  MAX_INTEGER,
  MIN_INTEGER,
} from './tree.ts';

/** A value, or an expression that gives one. */
export type FilterOperand = FilterValue | FilterExpression;

/**
 * A filter in the making, as {@link attr}, {@link call}, {@link literal} and their methods give it. Never changes; every
 * method gives a new one. `subscribe({ filter })` and all functions on filters take it as it is.
 */
export class FilterExpression {
  /** What CESQL text of the same meaning is read as. */
  readonly tree: FilterTree;

  constructor(tree: FilterTree) {
    this.tree = tree;
  }

  /** `this AND others`, read from the left: what stands after an operand that is false is not looked at. */
  and(...others: readonly [FilterExpression, ...FilterExpression[]]): FilterExpression {
    return and(this, ...others);
  }

  /** `this OR others`. An attribute that is missing on the left is an error, and the event does not pass: see `exists()`. */
  or(...others: readonly [FilterExpression, ...FilterExpression[]]): FilterExpression {
    return or(this, ...others);
  }

  xor(other: FilterExpression): FilterExpression {
    return new FilterExpression(frozen({ kind: 'xor', left: this.tree, right: other.tree }));
  }

  not(): FilterExpression {
    return not(this);
  }

  /** As CESQL text. */
  toString(): string {
    return printFilter(this.tree);
  }
}

/** An expression whose value can be compared and calculated with. */
export class ValueExpression extends FilterExpression {
  /** `this = other`: the type of `other` decides, so 7 fits the text `'7'`, and `'7'` the integer 7. */
  eq(other: FilterOperand): FilterExpression {
    return this.#compare('=', other);
  }

  /** `this != other`. A missing attribute is not unequal but an error: the event does not pass. */
  ne(other: FilterOperand): FilterExpression {
    return this.#compare('!=', other);
  }

  /** `this < other`, as integers; so are the next three. */
  lt(other: FilterOperand): FilterExpression {
    return this.#compare('<', other);
  }

  lte(other: FilterOperand): FilterExpression {
    return this.#compare('<=', other);
  }

  gt(other: FilterOperand): FilterExpression {
    return this.#compare('>', other);
  }

  gte(other: FilterOperand): FilterExpression {
    return this.#compare('>=', other);
  }

  /** `this IN (values)`: the type of `this` decides. At least one value. */
  in(values: readonly FilterOperand[]): FilterExpression {
    return new FilterExpression(this.#in(values));
  }

  notIn(values: readonly FilterOperand[]): FilterExpression {
    return new FilterExpression(frozen({ kind: 'not', of: this.#in(values) }));
  }

  /** `this LIKE pattern`: `%` any characters, `_` one character, `\%` and `\_` themselves. */
  like(pattern: string): FilterExpression {
    return new FilterExpression(this.#like(pattern));
  }

  notLike(pattern: string): FilterExpression {
    return new FilterExpression(frozen({ kind: 'not', of: this.#like(pattern) }));
  }

  /** Begins with that very text. */
  startsWith(text: string): FilterExpression {
    return new FilterExpression(frozen(startsWith(this.tree, checkText(text))));
  }

  /** Ends with that very text. */
  endsWith(text: string): FilterExpression {
    return this.like(`%${escapeLike(checkText(text))}`);
  }

  /**
   * Holds that very text somewhere.
   * @throws PolycastError `invalid-filter` for a string that ends with a backslash, for which CESQL has no pattern.
   */
  contains(text: string): FilterExpression {
    if (endsInBackslash(checkText(text))) {
      throw new PolycastError(
        'invalid-filter',
        `contains(${quote(text)}): CESQL has no pattern for a string that ends with a backslash and may continue`,
      );
    }
    return this.like(`%${escapeLike(text)}%`);
  }

  plus(other: FilterOperand): ValueExpression {
    return this.#calculate('+', other);
  }

  minus(other: FilterOperand): ValueExpression {
    return this.#calculate('-', other);
  }

  times(other: FilterOperand): ValueExpression {
    return this.#calculate('*', other);
  }

  /** Rounded towards 0. */
  dividedBy(other: FilterOperand): ValueExpression {
    return this.#calculate('/', other);
  }

  /** With the sign of `this`. */
  remainder(other: FilterOperand): ValueExpression {
    return this.#calculate('%', other);
  }

  negative(): ValueExpression {
    return new ValueExpression(frozen({ kind: 'negate', of: this.tree }));
  }

  #compare(operator: CompareOperator, other: FilterOperand): FilterExpression {
    return new FilterExpression(frozen({ kind: 'compare', operator, left: this.tree, right: treeOf(other) }));
  }

  #calculate(operator: ArithmeticOperator, other: FilterOperand): ValueExpression {
    return new ValueExpression(frozen({ kind: 'arithmetic', operator, left: this.tree, right: treeOf(other) }));
  }

  #in(values: readonly FilterOperand[]): FilterTree {
    if (!Array.isArray(values) || values.length === 0) {
      throw new PolycastError('invalid-filter', 'a list needs at least one value');
    }
    return frozen({ kind: 'in', of: this.tree, values: Object.freeze(values.map(treeOf)) });
  }

  #like(pattern: string): FilterTree {
    return frozen({ kind: 'like', of: this.tree, pattern: checkText(pattern) });
  }
}

/** An attribute of the event. */
export class AttributeExpression extends ValueExpression {
  /** Is it there? Always so for `id`, `source`, `type` and `specversion`. */
  exists(): FilterExpression {
    const { name } = this.tree as { name: string };
    return new FilterExpression(frozen({ kind: 'exists', name }));
  }
}

/** A name that is written in the code is checked by the compiler: lower case, and not `data`. */
export type AttributeName<Name extends string> = string extends Name
  ? Name
  : Name extends 'data' | ''
    ? never
    : Lowercase<Name>;

/**
 * The attribute with that name: `attr('type').like('order.%').and(attr('priority').gt(3))`.
 * @throws PolycastError `invalid-filter` for what cannot be one: other characters than `a`-`z` and digits, `data`, a word of CESQL.
 */
export function attr<const Name extends string>(name: Name & AttributeName<Name>): AttributeExpression {
  return new AttributeExpression(frozen({ kind: 'attribute', name: checkAttribute(name) }));
}

/** @throws PolycastError `invalid-filter` for a number that is not a 32-bit integer. */
export function literal(value: FilterValue): ValueExpression {
  return new ValueExpression(treeOf(value));
}

/** A function of CESQL, or one that was registered. */
export function call(name: string, ...args: readonly FilterOperand[]): ValueExpression {
  if (typeof name !== 'string' || !isFunctionName(name)) {
    throw new PolycastError('invalid-filter', `${quote(String(name))} is not a function name: use letters and "_"`);
  }
  return new ValueExpression(frozen({ kind: 'call', name: name.toUpperCase(), args: Object.freeze(args.map(treeOf)) }));
}

export function not(of: FilterExpression): FilterExpression {
  return new FilterExpression(frozen({ kind: 'not', of: of.tree }));
}

/** All of them, looked at from the left. At least one. */
export function and(...all: readonly [FilterExpression, ...FilterExpression[]]): FilterExpression {
  return logic('and', all);
}

/** Any of them, looked at from the left. At least one. */
export function or(...any: readonly [FilterExpression, ...FilterExpression[]]): FilterExpression {
  return logic('or', any);
}

/** `a AND (b AND c)` is one node, as the parser makes it. */
function logic(kind: 'and' | 'or', operands: readonly FilterExpression[]): FilterExpression {
  const [first] = operands;
  if (first === undefined) throw new PolycastError('invalid-filter', `${kind}() needs at least one expression`);
  if (operands.length === 1) return first;
  const of = operands.flatMap(({ tree }) => (tree.kind === kind ? tree.of : [tree]));
  return new FilterExpression(frozen({ kind, of: Object.freeze(of) }));
}

function treeOf(operand: FilterOperand): FilterTree {
  if (operand instanceof FilterExpression) return operand.tree;
  if (typeof operand === 'number') {
    if (!Number.isInteger(operand) || operand < MIN_INTEGER || operand > MAX_INTEGER) {
      throw new PolycastError(
        'invalid-filter',
        `${operand} is not an integer between ${MIN_INTEGER} and ${MAX_INTEGER}`,
      );
    }
    return frozen({ kind: 'literal', value: operand | 0 });
  }
  if (typeof operand === 'string' || typeof operand === 'boolean') return frozen({ kind: 'literal', value: operand });
  throw new PolycastError('invalid-filter', 'a value must be a string, an integer, a boolean or an expression');
}

function checkText(text: unknown): string {
  if (typeof text !== 'string') throw new PolycastError('invalid-filter', 'expected a string');
  return text;
}

function frozen(tree: FilterTree): FilterTree {
  return Object.freeze(tree);
}
