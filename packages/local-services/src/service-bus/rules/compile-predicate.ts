import { equal, orderOf } from './compare.ts';
import { compileExpression, compileProperty, type Read } from './compile-expression.ts';
import { compileLike } from './like.ts';
import { MAX_TEXT } from './parse-expression.ts';
import { FilterEvaluationError, RuleError } from './rule-error.ts';
import type { RuleMessage } from './rule-message.ts';
import type { CompareOperator, Expression, Predicate, Property, Truth, Value } from './tree.ts';

/** @throws FilterEvaluationError */
export type Test = (message: RuleMessage) => Truth;

/** @throws RuleError for an escape that is not one character */
export function compilePredicate(predicate: Predicate): Test {
  switch (predicate.kind) {
    case 'not':
      return not(compilePredicate(predicate.of));
    case 'and':
      return compileList(predicate.of.map(compilePredicate), false);
    case 'or':
      return compileList(predicate.of.map(compilePredicate), true);
    case 'compare':
      return compileCompare(predicate.operator, predicate.left, predicate.right);
    case 'null': {
      const { negated } = predicate;
      const read = compileProperty(predicate.property.scope, predicate.property.name);
      return (message) => (read(message) === undefined) !== negated;
    }
    case 'exists':
      return compileExists(predicate.property);
    case 'in': {
      const isIn = compileIn(compileExpression(predicate.of), predicate.values);
      return predicate.negated ? not(isIn) : isIn;
    }
    case 'like': {
      const fits = compileLikeTest(predicate);
      return predicate.negated ? not(fits) : fits;
    }
  }
}

/** Unknown and false is false, unknown or true is true: the decisive value ends it, from the left. */
function compileList(tests: readonly Test[], decisive: boolean): Test {
  return (message) => {
    let truth: Truth = !decisive;
    for (const test of tests) {
      const value = test(message);
      if (value === decisive) return decisive;
      if (value === undefined) truth = undefined;
    }
    return truth;
  };
}

function not(test: Test): Test {
  return (message) => {
    const value = test(message);
    return value === undefined ? undefined : !value;
  };
}

function compileCompare(operator: CompareOperator, left: Expression, right: Expression): Test {
  const first = compileExpression(left);
  if (operator === '=' && right.kind === 'constant' && typeof right.value === 'string') {
    const { value } = right;
    // By far the commonest rule.
    return (message) => {
      const read = first(message);
      return typeof read === 'string' ? read === value : undefined;
    };
  }
  const second = compileExpression(right);
  switch (operator) {
    case '=':
      return (message) => equal(first(message), second(message));
    case '<>':
      return not((message) => equal(first(message), second(message)));
    default: {
      const holds = ORDERED[operator];
      return (message) => {
        const one = first(message);
        const other = second(message);
        if (one === undefined || other === undefined) return undefined;
        const order = orderOf(one, other);
        return order === undefined ? undefined : holds(order);
      };
    }
  }
}

const ORDERED: Readonly<Record<'<' | '<=' | '>' | '>=', (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** A user property that is NULL exists; a system property does when it is set. Never unknown. */
function compileExists({ scope, name: written }: Property): Test {
  if (scope === 'sys') {
    const read = compileProperty(scope, written);
    return (message) => read(message) !== undefined;
  }
  const name = written.toLowerCase();
  return (message) => message.user(name) !== undefined;
}

function compileIn(of: Read, values: readonly Expression[]): Test {
  const texts = values.map((value) => (value.kind === 'constant' ? value.value : undefined));
  if (texts.every((text) => typeof text === 'string')) {
    const set = new Set(texts);
    return (message) => {
      const value = of(message);
      return typeof value === 'string' ? set.has(value) : undefined;
    };
  }
  const reads = values.map(compileExpression);
  return (message) => {
    const value = of(message);
    if (value === undefined) return undefined;
    let truth: Truth = false;
    for (const read of reads) {
      const same = equal(value, read(message));
      if (same === true) return true;
      if (same === undefined) truth = undefined;
    }
    return truth;
  };
}

function compileLikeTest({ of, pattern, escapedBy }: Extract<Predicate, { kind: 'like' }>): Test {
  const text = compileExpression(of);
  if (pattern.kind === 'constant' && (escapedBy === undefined || escapedBy.kind === 'constant')) {
    const by = escapedBy?.value;
    if (by !== undefined && !isEscape(by)) {
      throw new RuleError('com.microsoft:argument-error', 'The ESCAPE value must be a string of one character.');
    }
    // NULL, or no text at all.
    if (typeof pattern.value !== 'string') return () => undefined;
    const fits = compileLike(pattern.value, by);
    return (message) => {
      const value = text(message);
      return typeof value === 'string' ? fits(value) : undefined;
    };
  }
  const readPattern = compileExpression(pattern);
  const readEscape = escapedBy === undefined ? undefined : compileExpression(escapedBy);
  return (message) => {
    const value = text(message);
    const wanted = readPattern(message);
    const by = readEscape?.(message);
    if (readEscape !== undefined && by === undefined) return undefined;
    if (typeof value !== 'string' || typeof wanted !== 'string') return undefined;
    if (by !== undefined && !isEscape(by)) {
      throw new FilterEvaluationError('The ESCAPE value is not a string of one character.');
    }
    if (wanted.length > MAX_TEXT) throw new FilterEvaluationError(`A pattern exceeds ${MAX_TEXT} characters.`);
    return compileLike(wanted, by)(value);
  };
}

function isEscape(value: Value | null): value is string {
  return typeof value === 'string' && value.length === 1;
}
