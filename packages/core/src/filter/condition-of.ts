import { toInteger, toText } from './cast.ts';
import type { Condition } from './condition.ts';
import {
  elementOutcome,
  existsOutcome,
  flagOutcome,
  integerOutcome,
  likeOutcome,
  literalOutcome,
  type Outcome,
  textOutcome,
} from './condition-leaf.ts';
import { ALWAYS, allOf, anyOf, implies, NEVER } from './condition-merge.ts';
import { resolveFunction } from './functions.ts';
import type {
  CompareNode,
  CompareOperator,
  FilterFunctions,
  FilterTree,
  FilterValue,
  InNode,
  LogicNode,
  XorNode,
} from './tree.ts';

/**
 * When an event passes: exactly where the tree evaluates to the boolean true without an error. Parts whose condition would
 * be much larger than themselves stay expressions, so it takes time and room in the order of the tree.
 */
export function conditionOf(tree: FilterTree, functions?: FilterFunctions): Condition {
  return new ConditionMaker(functions).root(tree);
}

/** Distinct guards of one AND or OR that are written side by side, before they are nested. */
const MAX_GUARDS = 8;
/** How often they are nested, before the rest of the operands stays an expression. */
const MAX_NESTING = 16;
/** A condition up to this size is never too large. */
const FREE_SIZE = 64;
const MAX_DEPTH = 400;

class ConditionMaker {
  readonly #functions: FilterFunctions | undefined;
  /** An operand is asked for several outcomes, each of which asks its own operands: without this, exponentially often. */
  #known: Map<FilterTree, Partial<Record<Outcome, Condition>>> | undefined;

  readonly #sizes = new Map<FilterTree, number>();

  constructor(functions: FilterFunctions | undefined) {
    this.#functions = functions;
  }

  /** No cast here: the value itself must be the boolean true. */
  root(tree: FilterTree): Condition {
    switch (tree.kind) {
      case 'literal':
        return tree.value === true ? ALWAYS : NEVER;
      case 'arithmetic':
      case 'negate':
        return NEVER;
      case 'attribute':
      case 'call':
        return { kind: 'expression', of: tree, result: true, functions: this.#functions };
      case 'and':
      case 'or':
        // What most filters are; nobody asks for it again, so it is not kept.
        return this.#bounded(tree, 'true', this.#make(tree, 'true'));
      default:
        return this.#when(tree, 'true');
    }
  }

  /** Where the tree, cast to a boolean, has that outcome. */
  #when(tree: FilterTree, outcome: Outcome): Condition {
    switch (tree.kind) {
      case 'literal':
        return literalOutcome(tree.value, outcome);
      case 'attribute':
        return flagOutcome(tree.name, outcome);
      case 'exists':
        return existsOutcome(tree.name, outcome);
      case 'not':
        return this.#when(tree.of, opposite(outcome));
      case 'compare':
        return this.#comparison(tree, outcome);
      case 'like': {
        const attribute = this.#attribute(tree.of, 'STRING');
        return attribute === undefined
          ? this.#expression(tree, outcome)
          : likeOutcome(attribute, tree.pattern, outcome);
      }
      case 'in':
        return this.#membership(tree, outcome);
      case 'and':
      case 'or':
      case 'xor':
      case 'passes':
        return this.#compound(tree, outcome);
      default:
        return this.#expression(tree, outcome);
    }
  }

  #compound(tree: FilterTree, outcome: Outcome): Condition {
    const known = this.#known?.get(tree);
    const before = known?.[outcome];
    if (before !== undefined) return before;
    const made = this.#bounded(tree, outcome, this.#make(tree, outcome));
    if (known !== undefined) known[outcome] = made;
    else {
      this.#known ??= new Map();
      this.#known.set(tree, { [outcome]: made });
    }
    return made;
  }

  #make(tree: FilterTree, outcome: Outcome): Condition {
    if (tree.kind === 'xor') return this.#exclusive(tree, outcome);
    if (tree.kind === 'passes') {
      if (outcome === 'either') return ALWAYS;
      const passes = this.root(tree.of);
      return outcome === 'true' ? passes : (negationOf(passes) ?? this.#expression(tree, 'false'));
    }
    const { kind, of } = tree as LogicNode;
    const stopsAt: Outcome = kind === 'or' ? 'true' : 'false';
    if (outcome === stopsAt) return this.#firstOf(tree as LogicNode, stopsAt, MAX_NESTING);
    if (outcome === 'either') return this.#anyEnd(tree as LogicNode, stopsAt);
    return allOf(of.map((operand) => this.#when(operand, outcome)));
  }

  /**
   * One operand has the outcome that ends the evaluation, and those before it gave no error:
   * T(a OR b) = T(a) ∨ (C(a) ∧ T(b)), F(a AND b) = F(a) ∨ (C(a) ∧ F(b)).
   */
  #firstOf({ kind, of: operands }: LogicNode, stopsAt: Outcome, nesting: number): Condition {
    const cases: Condition[] = [];
    const guards: Condition[] = [];
    /** Operands behind the same guards, which are written once for all of them. */
    let behind: { readonly guards: readonly Condition[]; readonly cases: Condition[] } | undefined;
    const flush = () => {
      if (behind !== undefined) cases.push(allOf([...behind.guards, anyOf(behind.cases)]));
      behind = undefined;
    };
    for (let at = 0; at < operands.length; at++) {
      if (guards.length > MAX_GUARDS) {
        flush();
        const rest: LogicNode = { kind, of: operands.slice(at) };
        const last = nesting === 0 ? this.#expression(rest, stopsAt) : this.#firstOf(rest, stopsAt, nesting - 1);
        return anyOf([...cases, allOf([...guards, last])]);
      }
      const operand = operands[at]!;
      const stops = this.#when(operand, stopsAt);
      const needed = guards.filter((guard) => !implies(stops, guard));
      if (needed.length === 0) cases.push(stops);
      else {
        if (behind !== undefined && !sameList(behind.guards, needed)) flush();
        behind ??= { guards: needed, cases: [] };
        behind.cases.push(stops);
      }
      if (at === operands.length - 1) break;
      const goesOn = this.#when(operand, 'either');
      // It always stops or fails: nothing behind it is ever evaluated.
      if (goesOn.kind === 'never') break;
      if (!guards.some((guard) => implies(guard, goesOn))) guards.push(goesOn);
    }
    flush();
    return anyOf(cases);
  }

  /** No error: each operand gives none, or one before it ended the evaluation. */
  #anyEnd(tree: LogicNode, stopsAt: Outcome): Condition {
    const first = this.#when(tree.of[0]!, 'either');
    const parts = [first];
    const stops: Condition[] = [];
    for (let at = 1; at < tree.of.length; at++) {
      stops.push(this.#when(tree.of[at - 1]!, stopsAt));
      const ends = this.#when(tree.of[at]!, 'either');
      if (implies(first, ends)) continue;
      if (parts.length > MAX_GUARDS) return this.#expression(tree, 'either');
      parts.push(anyOf([...stops, ends]));
    }
    return allOf(parts);
  }

  #exclusive({ left, right }: XorNode, outcome: Outcome): Condition {
    if (outcome === 'either') return allOf([this.#when(left, 'either'), this.#when(right, 'either')]);
    const both = (one: Outcome, other: Outcome) => allOf([this.#when(left, one), this.#when(right, other)]);
    return outcome === 'true'
      ? anyOf([both('true', 'false'), both('false', 'true')])
      : anyOf([both('true', 'true'), both('false', 'false')]);
  }

  #comparison(tree: CompareNode, outcome: Outcome): Condition {
    const { operator, left, right } = tree;
    const isEquality = operator === '=' || operator === '!=';
    if (right.kind === 'literal') {
      const { value } = right;
      if (!isEquality) {
        const number = toInteger(value);
        if (number === undefined) return NEVER;
        const attribute = this.#attribute(left, 'INT');
        if (attribute !== undefined) return integerOutcome(attribute, operator, number, outcome);
      } else if (typeof value === 'boolean') {
        return this.#when(left, (operator === '=') === value ? outcome : opposite(outcome));
      } else {
        const attribute = this.#attribute(left, typeof value === 'number' ? 'INT' : 'STRING');
        if (attribute !== undefined) return equality(attribute, operator, value, outcome);
      }
    } else if (left.kind === 'literal' && right.kind === 'attribute') {
      if (isEquality) {
        return elementOutcome(right.name, [left.value], operator === '=' ? outcome : opposite(outcome));
      }
      const number = toInteger(left.value);
      return number === undefined ? NEVER : integerOutcome(right.name, MIRRORED[operator], number, outcome);
    }
    return this.#expression(tree, outcome);
  }

  #membership(tree: InNode, outcome: Outcome): Condition {
    const { of, values } = tree;
    if (of.kind !== 'attribute') return this.#expression(tree, outcome);
    const elements: FilterValue[] = [];
    for (const value of values) {
      if (value.kind !== 'literal') return this.#expression(tree, outcome);
      elements.push(value.value);
    }
    return elementOutcome(of.name, elements, outcome);
  }

  /** The name of an attribute, bare or in the function that does the cast which is done to it anyway. */
  #attribute(tree: FilterTree, cast: 'INT' | 'STRING'): string | undefined {
    if (tree.kind === 'attribute') return tree.name;
    if (tree.kind !== 'call' || tree.name !== cast || tree.args.length !== 1) return undefined;
    const [only] = tree.args;
    return only?.kind === 'attribute' ? only.name : undefined;
  }

  #expression(tree: FilterTree, outcome: Outcome): Condition {
    if (outcome === 'either') return anyOf([this.#expression(tree, 'true'), this.#expression(tree, 'false')]);
    const functions = this.#functions;
    if (this.#isBoolean(tree)) return { kind: 'expression', of: tree, result: outcome === 'true', functions };
    // NOT does the cast to a boolean that an operand gets.
    return { kind: 'expression', of: { kind: 'not', of: tree }, result: outcome === 'false', functions };
  }

  #isBoolean(tree: FilterTree): boolean {
    if (tree.kind !== 'call') return !NOT_BOOLEAN.has(tree.kind);
    return resolveFunction(tree.name, tree.args.length, this.#functions)?.gives === 'boolean';
  }

  #bounded(tree: FilterTree, outcome: Outcome, made: Condition): Condition {
    if (this.#fits(made, FREE_SIZE, MAX_DEPTH) >= 0) return made;
    return this.#fits(made, 4 * this.#sizeOf(tree), MAX_DEPTH) >= 0 ? made : this.#expression(tree, outcome);
  }

  /** What is left of `room` when the condition has taken its size; below 0 if it does not fit, or is deeper than `depth`. */
  #fits(condition: Condition, room: number, depth: number): number {
    if (condition.kind === 'expression') return room - this.#sizeOf(condition.of);
    let left = room - 1;
    if (condition.kind !== 'all' && condition.kind !== 'any') return left;
    if (depth === 0) return -1;
    for (const part of condition.of) {
      if (left < 0) return left;
      left = this.#fits(part, left, depth - 1);
    }
    return left;
  }

  /** How many tests there are in a tree, and what joins them. */
  #sizeOf(tree: FilterTree): number {
    const known = this.#sizes.get(tree);
    if (known !== undefined) return known;
    const size = operandsOf(tree).reduce((sum, operand) => sum + this.#sizeOf(operand), 1);
    this.#sizes.set(tree, size);
    return size;
  }
}

function equality(attribute: string, operator: CompareOperator, value: string | number, outcome: Outcome): Condition {
  if (typeof value === 'number') return integerOutcome(attribute, operator, value, outcome);
  return textOutcome(attribute, toText(value), operator === '=' ? outcome : opposite(outcome));
}

const MIRRORED: Readonly<Record<CompareOperator, CompareOperator>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

function opposite(outcome: Outcome): Outcome {
  return outcome === 'either' ? outcome : outcome === 'true' ? 'false' : 'true';
}

/** Where the condition does not hold; undefined where that takes more than tests can say. */
function negationOf(condition: Condition): Condition | undefined {
  switch (condition.kind) {
    case 'always':
      return NEVER;
    case 'never':
      return ALWAYS;
    case 'present':
      return { ...condition, negated: !condition.negated };
    case 'text':
    case 'like':
      // Every value is a text or becomes one: only absence is left.
      return anyOf([
        { kind: 'present', attribute: condition.attribute, negated: true },
        { ...condition, negated: !condition.negated },
      ]);
    case 'all':
    case 'any': {
      const parts: Condition[] = [];
      for (const part of condition.of) {
        const negation = negationOf(part);
        if (negation === undefined) return undefined;
        parts.push(negation);
      }
      return condition.kind === 'all' ? anyOf(parts) : allOf(parts);
    }
    default:
      return undefined;
  }
}

/** Of these, the value is of another type, or of any. */
const NOT_BOOLEAN: ReadonlySet<FilterTree['kind']> = new Set(['literal', 'attribute', 'negate', 'arithmetic']);

function sameList(some: readonly Condition[], others: readonly Condition[]): boolean {
  return some.length === others.length && some.every((item, at) => item === others[at]);
}

function operandsOf(tree: FilterTree): readonly FilterTree[] {
  switch (tree.kind) {
    case 'and':
    case 'or':
      return tree.of;
    case 'xor':
      return [tree.left, tree.right];
    case 'not':
    case 'passes':
      return [tree.of];
    default:
      return [];
  }
}
