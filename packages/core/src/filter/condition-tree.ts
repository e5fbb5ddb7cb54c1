import type { Condition, ExpressionTest, IntegerTest, PresentTest, Test, TextTest } from './condition.ts';
import { implies } from './condition-merge.ts';
import {
  type CompareOperator,
  type FilterFunction,
  type FilterTree,
  type FilterValue,
  type LogicNode,
  MAX_INTEGER,
  MIN_INTEGER,
  REQUIRED_ATTRIBUTES,
  TEXT_ATTRIBUTES,
} from './tree.ts';

/**
 * A condition as a filter again, to print what is left of one after push-down. It passes exactly the events, valid
 * CloudEvents, for which the condition holds.
 *
 * A condition's tests do not fail; the expressions of CESQL do, and what fails on the left of an OR keeps the right from
 * being looked at. So a test there becomes `EXISTS a AND a = 'x'`, unless the branches after it ask for `a` anyway, as
 * those of `a = 'x' OR b = 'y'` do; and where a cast may fail, which CESQL has no words to ask for, the node `passes`.
 */
export function treeOf(condition: Condition): FilterTree {
  return failing(condition);
}

/**
 * The condition's tests as CESQL writes them, for people: shorter than {@link treeOf}, and the same where nothing fails, as
 * nothing guards the left side of an OR.
 */
export function sketchOf(condition: Condition): FilterTree {
  if (condition.kind === 'all' || condition.kind === 'any') {
    return logic(condition.kind === 'all' ? 'and' : 'or', condition.of.map(sketchOf));
  }
  return failing(condition);
}

/** A tree that may fail where the condition does not hold: for the outermost filter, and where nothing comes after. */
function failing(condition: Condition): FilterTree {
  switch (condition.kind) {
    case 'always':
    case 'never':
      return literal(condition.kind === 'always');
    case 'all':
      return logic(
        'and',
        condition.of.map((part) => asOperand(part, failing)),
      );
    case 'any':
      return logic('or', alternatives(condition.of));
    default:
      return treeOfTest(condition);
  }
}

/** A tree that evaluates to a boolean without an error, whatever the event. */
function safe(condition: Condition): FilterTree {
  switch (condition.kind) {
    case 'always':
    case 'never':
      return literal(condition.kind === 'always');
    case 'all':
    case 'any':
      return logic(condition.kind === 'all' ? 'and' : 'or', condition.of.map(safe));
    case 'present':
      return treeOfTest(condition);
    case 'text':
    case 'like':
      return guarded(condition.attribute, treeOfTest(condition));
    default:
      return passes(treeOfTest(condition));
  }
}

/** The branches of an OR, of which the last may fail, and an earlier one where all later ones need it not to. */
function alternatives(branches: readonly Condition[]): readonly FilterTree[] {
  const trees: FilterTree[] = [];
  let rest = branches;
  while (rest.length > 1) {
    const [first, ...later] = rest as [Condition, ...Condition[]];
    const guard = guardOf(first);
    if (guard !== undefined && later.every((branch) => implies(branch, guard))) {
      trees.push(treeOfTest(first as Test));
      rest = later.map((branch) => without(branch, guard));
    } else {
      trees.push(safe(first));
      rest = later;
    }
  }
  trees.push(asOperand(rest[0]!, failing));
  return trees;
}

/** Where the test gives no error; undefined if that is more than one test. */
function guardOf(condition: Condition): PresentTest | IntegerTest | undefined {
  switch (condition.kind) {
    case 'text':
    case 'like':
      return { kind: 'present', attribute: condition.attribute, negated: false };
    case 'integer':
      return { ...condition, low: MIN_INTEGER, high: MAX_INTEGER, negated: false };
    default:
      return undefined;
  }
}

/** A branch of which the guard need not be said again: what comes before it has failed where the guard does not hold. */
function without(branch: Condition, guard: PresentTest | IntegerTest): Condition {
  if (branch.kind !== 'all') return branch;
  const of = branch.of.filter((part) => !(part.kind === guard.kind && implies(part, guard) && implies(guard, part)));
  if (of.length === 0) return branch;
  return of.length === 1 ? of[0]! : { kind: 'all', of };
}

/** AND and OR cast their operands: what does so alone need not, and a text `'true'` would pass that does not pass alone. */
function asOperand(condition: Condition, write: (condition: Condition) => FilterTree): FilterTree {
  const tree = write(condition);
  if (condition.kind !== 'expression') return tree;
  if (tree.kind === 'not' && tree.of.kind === 'not') return tree.of.of;
  return givesBoolean(tree, condition) ? tree : passes(tree);
}

function treeOfTest(test: Test): FilterTree {
  switch (test.kind) {
    case 'present':
      return test.negated ? not({ kind: 'exists', name: test.attribute }) : { kind: 'exists', name: test.attribute };
    case 'text':
      return treeOfTexts(test);
    case 'element': {
      const tree: FilterTree = { kind: 'in', of: attribute(test.attribute), values: test.elements.map(literal) };
      return test.negated ? not(tree) : tree;
    }
    case 'integer':
      return treeOfIntegers(test);
    case 'flag':
      return compare('=', attribute(test.attribute), test.value);
    case 'like': {
      const tree: FilterTree = { kind: 'like', of: attribute(test.attribute), pattern: test.pattern };
      return test.negated ? not(tree) : tree;
    }
    case 'expression':
      if (test.result) return test.of;
      return givesBoolean(test.of, test) ? not(test.of) : compare('=', test.of, false);
  }
}

/** IN casts its elements to what the attribute is, `=` casts the attribute to a text: they agree where it is a text. */
function treeOfTexts({ attribute: name, values, negated }: TextTest): FilterTree {
  const of = attribute(name);
  if (values.length === 1) return compare(negated ? '!=' : '=', of, values[0]!);
  if (TEXT_ATTRIBUTES.has(name) || values.length > MANY_VALUES) {
    const text: FilterTree = TEXT_ATTRIBUTES.has(name) ? of : { kind: 'call', name: 'CONCAT', args: [of] };
    const tree: FilterTree = { kind: 'in', of: text, values: values.map(literal) };
    return negated ? not(tree) : tree;
  }
  const parts = values.map((value) => compare(negated ? '!=' : '=', of, value));
  return { kind: negated ? 'and' : 'or', of: parts };
}

/** Above as many values, a list is written as one, which a call of CONCAT makes possible. */
const MANY_VALUES = 4;

function treeOfIntegers({ attribute: name, low, high, negated }: IntegerTest): FilterTree {
  const of = attribute(name);
  if (low === high) return compare(negated ? '!=' : '=', of, low);
  if (low <= MIN_INTEGER) return compare(negated ? '>' : '<=', of, high);
  if (high >= MAX_INTEGER) return compare(negated ? '<' : '>=', of, low);
  return negated
    ? { kind: 'or', of: [compare('<', of, low), compare('>', of, high)] }
    : { kind: 'and', of: [compare('>=', of, low), compare('<=', of, high)] };
}

function givesBoolean(tree: FilterTree, { functions }: Pick<ExpressionTest, 'functions'>): boolean {
  switch (tree.kind) {
    case 'literal':
      return typeof tree.value === 'boolean';
    case 'attribute':
    case 'negate':
    case 'arithmetic':
      return false;
    case 'call':
      return functions !== undefined && callGivesBoolean(tree.name, functions);
    default:
      return true;
  }
}

function callGivesBoolean(name: string, functions: NonNullable<ExpressionTest['functions']>): boolean {
  const found = Object.entries(functions).filter(([key]) => key.toUpperCase() === name);
  const isSure = (one: unknown) => typeof one === 'object' && (one as FilterFunction).gives === 'boolean';
  return found.length > 0 && found.every(([, given]) => [given].flat().every(isSure));
}

function guarded(name: string, tree: FilterTree): FilterTree {
  if (REQUIRED_ATTRIBUTES.has(name)) return tree;
  return { kind: 'and', of: [{ kind: 'exists', name }, tree] };
}

/** Left to right, `a AND (b AND c)` is `a AND b AND c`. */
function logic(kind: 'and' | 'or', of: readonly FilterTree[]): FilterTree {
  return { kind, of: of.flatMap((tree) => (tree.kind === kind ? (tree as LogicNode).of : [tree])) };
}

function passes(tree: FilterTree): FilterTree {
  return { kind: 'passes', of: tree };
}

function not(of: FilterTree): FilterTree {
  return { kind: 'not', of };
}

function attribute(name: string): FilterTree {
  return { kind: 'attribute', name };
}

function literal(value: FilterValue): FilterTree {
  return { kind: 'literal', value };
}

function compare(operator: CompareOperator, left: FilterTree, right: FilterValue): FilterTree {
  return { kind: 'compare', operator, left, right: literal(right) };
}
