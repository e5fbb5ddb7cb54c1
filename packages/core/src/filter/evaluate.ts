import { type OptionNames, optionsOf } from '../contract/checked-option.ts';
import { PolycastError } from '../contract/error.ts';
import { type FilterEvent, readAttribute } from './attribute-value.ts';
import { FunctionFailure } from './built-in-functions.ts';
import { toBoolean, toInteger, toText } from './cast.ts';
import { checkFunctions, missingFunction, resolveFunction, zeroOf } from './functions.ts';
import { compileLike } from './like.ts';
import { type FilterInput, parseFilter } from './parse.ts';
import { quote } from './syntax-error.ts';
import {
  type ArithmeticNode,
  type CallNode,
  type CompareNode,
  type FilterFunctions,
  type FilterTree,
  type FilterType,
  type FilterValue,
  type InNode,
  type LikeNode,
  type LogicNode,
  MAX_INTEGER,
  MIN_INTEGER,
  REQUIRED_ATTRIBUTES,
} from './tree.ts';

/** What can go wrong, in the words of CESQL 1.0, section 3.3. */
export type FilterErrorCode =
  | 'parse'
  | 'math'
  | 'cast'
  | 'missingAttribute'
  | 'missingFunction'
  | 'functionEvaluation'
  | 'generic';

/** What an expression says of an event: always a value, and the first error that occurred. */
export interface FilterEvaluation {
  readonly value: FilterValue;
  readonly error?: { readonly code: FilterErrorCode; readonly message: string };
}

const EVALUATE_OPTIONS: OptionNames<EvaluateOptions> = { functions: 1 };

export interface EvaluateOptions {
  /** Functions besides those that CESQL defines. */
  readonly functions?: FilterFunctions | undefined;
}

/**
 * Evaluates an expression as CESQL 1.0 says, in its fail-fast mode: the first error ends the evaluation, and the value is
 * then the zero value of the expression's type. An expression that cannot be read gives false and a `parse` error. An event
 * passes a filter if the value is the boolean true and there is no error.
 *
 * Reads the expression each time; for many events, `compileFilter` it once.
 * @throws TypeError only, for `functions` that break the rules of CESQL 1.0, section 3.5, and for options that do not exist.
 */
export function evaluateFilter(
  expression: FilterInput,
  event: FilterEvent,
  options: EvaluateOptions = {},
): FilterEvaluation {
  optionsOf('evaluateFilter', options, EVALUATE_OPTIONS);
  const { functions } = options;
  if (functions !== undefined) checkFunctions(functions);
  let tree: FilterTree;
  try {
    tree = parseFilter(expression);
  } catch (thrown) {
    return { value: false, error: { code: 'parse', message: PolycastError.from(thrown).message } };
  }
  return evaluateTree(tree, event, functions);
}

/** The same for a tree that `parseFilter` gave. Never throws. */
export function evaluateTree(tree: FilterTree, event: FilterEvent, functions?: FilterFunctions): FilterEvaluation {
  const run: Run = { event, functions, error: undefined };
  const value = evaluate(tree, run);
  return run.error === undefined ? { value } : { value, error: run.error };
}

/** One evaluation. An operand has failed when `error` is set; its own value is of no interest then. */
interface Run {
  readonly event: FilterEvent;
  readonly functions: FilterFunctions | undefined;
  error: FilterEvaluation['error'];
}

function evaluate(tree: FilterTree, run: Run): FilterValue {
  switch (tree.kind) {
    case 'literal':
      return tree.value;
    case 'attribute': {
      const value = readAttribute(run.event, tree.name);
      return value ?? fail(run, 'missingAttribute', `the event has no attribute ${tree.name}`, false);
    }
    case 'exists':
      return REQUIRED_ATTRIBUTES.has(tree.name) || readAttribute(run.event, tree.name) !== undefined;
    case 'not':
      return !evaluateBoolean(tree.of, run) && run.error === undefined;
    case 'negate': {
      const value = evaluateInteger(tree.of, run);
      return run.error === undefined ? checkRange(run, -value, 'the negative of', value) : 0;
    }
    case 'and':
    case 'or':
      return evaluateLogic(tree, run);
    case 'xor': {
      const left = evaluateBoolean(tree.left, run);
      return run.error === undefined && evaluateBoolean(tree.right, run) !== left && run.error === undefined;
    }
    case 'compare':
      return evaluateCompare(tree, run);
    case 'arithmetic':
      return evaluateArithmetic(tree, run);
    case 'like': {
      const value = evaluate(tree.of, run);
      return run.error === undefined && likeOf(tree)(toText(value));
    }
    case 'in':
      return evaluateIn(tree, run);
    case 'call':
      return evaluateCall(tree, run);
    case 'passes': {
      const value = evaluate(tree.of, run);
      if (run.error === undefined) return value === true;
      run.error = undefined;
      return false;
    }
  }
}

function evaluateLogic({ kind, of }: LogicNode, run: Run): boolean {
  const decisive = kind === 'or';
  for (const operand of of) {
    const value = evaluateBoolean(operand, run);
    if (run.error !== undefined) return false;
    if (value === decisive) return decisive;
  }
  return !decisive;
}

function evaluateCompare({ operator, left: leftTree, right: rightTree }: CompareNode, run: Run): boolean {
  const left = evaluate(leftTree, run);
  if (run.error !== undefined) return false;
  const right = evaluate(rightTree, run);
  if (run.error !== undefined) return false;
  if (operator === '=' || operator === '!=') {
    // There is an `=` for each type, and the type of the right side says which is meant.
    const cast = castTo(typeOf(right), left, run);
    return run.error === undefined && (cast === right) === (operator === '=');
  }
  const low = castTo('integer', left, run);
  if (run.error !== undefined) return false;
  const high = castTo('integer', right, run);
  if (run.error !== undefined) return false;
  switch (operator) {
    case '<':
      return low < high;
    case '<=':
      return low <= high;
    case '>':
      return low > high;
    case '>=':
      return low >= high;
  }
}

function evaluateArithmetic({ operator, left: leftTree, right: rightTree }: ArithmeticNode, run: Run): number {
  const leftValue = evaluate(leftTree, run);
  if (run.error !== undefined) return 0;
  const rightValue = evaluate(rightTree, run);
  if (run.error !== undefined) return 0;
  const left = castTo('integer', leftValue, run) as number;
  if (run.error !== undefined) return 0;
  const right = castTo('integer', rightValue, run) as number;
  if (run.error !== undefined) return 0;
  if (right === 0 && (operator === '/' || operator === '%')) {
    return fail(run, 'math', `${left} ${operator} 0`, 0);
  }
  return checkRange(run, calculate(operator, left, right), left, operator, right);
}

/** Products of 32-bit integers may lose low digits, but never so many that they would seem to fit. */
function calculate(operator: ArithmeticNode['operator'], left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return Math.trunc(left / right);
    case '%':
      return left % right;
  }
}

function checkRange(run: Run, result: number, ...expression: readonly (string | number)[]): number {
  if (result >= MIN_INTEGER && result <= MAX_INTEGER) return result | 0;
  return fail(run, 'math', `${expression.join(' ')} does not fit into 32 bits`, 0);
}

/** The left side says the type; the list is read as far as the first that is equal, or fails. */
function evaluateIn({ of, values }: InNode, run: Run): boolean {
  const value = evaluate(of, run);
  if (run.error !== undefined) return false;
  const type = typeOf(value);
  for (const tree of values) {
    const element = evaluate(tree, run);
    if (run.error !== undefined) return false;
    const cast = castTo(type, element, run);
    if (run.error !== undefined) return false;
    if (cast === value) return true;
  }
  return false;
}

function evaluateCall(tree: CallNode, run: Run): FilterValue {
  const { name, args } = tree;
  const found = resolveFunction(name, args.length, run.functions);
  if (found === undefined) return fail(run, 'missingFunction', missingMessage(tree, run), false);
  const { takes, more, gives } = found;
  const values: FilterValue[] = [];
  for (const [at, argument] of args.entries()) {
    const value = evaluate(argument, run);
    if (run.error !== undefined) return zeroOf(gives);
    values.push(castTo(takes[at] ?? more ?? 'any', value, run));
    if (run.error !== undefined) return zeroOf(gives);
  }
  const result = found.call(values);
  return result instanceof FunctionFailure ? fail(run, result.code, result.message, result.value) : result;
}

const likes = new WeakMap<LikeNode, (text: string) => boolean>();

/** Patterns are compiled once a node. */
function likeOf(tree: LikeNode): (text: string) => boolean {
  let like = likes.get(tree);
  if (like === undefined) likes.set(tree, (like = compileLike(tree.pattern)));
  return like;
}

const missing = new WeakMap<CallNode, string>();

/** Looking for what was meant takes time, and the next event would ask again. */
function missingMessage(tree: CallNode, run: Run): string {
  let message = missing.get(tree);
  if (message === undefined) missing.set(tree, (message = missingFunction(tree.name, tree.args.length, run.functions)));
  return message;
}

function evaluateBoolean(tree: FilterTree, run: Run): boolean {
  const value = evaluate(tree, run);
  return run.error === undefined && (castTo('boolean', value, run) as boolean);
}

function evaluateInteger(tree: FilterTree, run: Run): number {
  const value = evaluate(tree, run);
  return run.error === undefined ? (castTo('integer', value, run) as number) : 0;
}

function typeOf(value: FilterValue): FilterType {
  return typeof value === 'string' ? 'text' : typeof value === 'number' ? 'integer' : 'boolean';
}

function castTo(type: FilterType, value: FilterValue, run: Run): FilterValue {
  switch (type) {
    case 'any':
      return value;
    case 'text':
      return toText(value);
    case 'integer':
      return toInteger(value) ?? fail(run, 'cast', `${quote(String(value))} is not an integer`, 0);
    case 'boolean':
      return toBoolean(value) ?? fail(run, 'cast', `${quote(String(value))} is not a boolean`, false);
  }
}

function fail<Value extends FilterValue>(run: Run, code: FilterErrorCode, message: string, value: Value): Value {
  run.error = { code, message };
  return value;
}
