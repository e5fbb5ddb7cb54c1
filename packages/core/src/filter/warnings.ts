import { conditionOf } from './condition-of.ts';
import { hasMixedLogic } from './mixed-logic.ts';
import { operandsOf } from './operands.ts';
import { printFilter } from './print.ts';
import { acceptedTypes, acceptedValues } from './push-down/accepted-values.ts';
import type { PushOptions } from './target.ts';
import type { FilterFunctions, FilterTree } from './tree.ts';

export interface WarningOptions extends PushOptions {
  readonly functions?: FilterFunctions | undefined;
  /** Extension attributes that are known to be right, besides those of CloudEvents and of Polycast. */
  readonly attributes?: Iterable<string> | undefined;
}

/** Maximum length of an attribute name recommended by CloudEvents 1.0. */
const LONGEST_NAME = 20;

/** Attributes of CloudEvents, of its registered extensions that Polycast writes, and of tracing. */
const KNOWN = [
  ...['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema'],
  ...['to', 'partitionkey', 'sequence', 'expirytime', 'replyto', 'correlationid', 'carboncopy'],
  ...['traceparent', 'tracestate', 'dataref'],
];

/**
 * What is likely not meant: a misspelt attribute, a NOT or an OR that is read in another order than in SQL, a comparison
 * that fails whatever the event, a filter that passes all events or none. Sentences for people; empty when nothing is odd.
 * @param text the filter as written, if it is CESQL
 */
export function filterWarnings(tree: FilterTree, text: string | undefined, options: WarningOptions = {}): string[] {
  const warnings: string[] = [];
  visit(tree, (node) => {
    const warning = warnsOfNot(node) ?? warnsOfFailure(node, options);
    if (warning !== undefined) warnings.push(warning);
  });
  if (text !== undefined && hasMixedLogic(text)) {
    warnings.push(
      `AND and OR have the same precedence in CESQL, so this is evaluated from left to right, as ${printFilter(tree)}: add parentheses`,
    );
  }
  warnings.push(...warnsOfNames(attributesOf(tree), options));
  const { kind } = conditionOf(tree, options.functions);
  if (kind === 'never') warnings.push('this filter matches no event, whatever its attributes');
  if (kind === 'always') warnings.push('this filter matches every event');
  return [...new Set(warnings)];
}

/** The names of all attributes that the filter mentions. */
export function attributesOf(tree: FilterTree): ReadonlySet<string> {
  const names = new Set<string>();
  visit(tree, (node) => {
    if (node.kind === 'attribute' || node.kind === 'exists') names.add(node.name);
  });
  return names;
}

function visit(tree: FilterTree, look: (node: FilterTree) => void): void {
  look(tree);
  for (const operand of operandsOf(tree)) visit(operand, look);
}

/** `NOT a = 'x'` negates `a`, of which few are booleans. */
function warnsOfNot(node: FilterTree): string | undefined {
  const [negated, meant] = negatedOperand(node) ?? [];
  if (negated === undefined || meant === undefined) return undefined;
  return `NOT binds tighter than comparisons, LIKE and IN: ${printFilter(node)} negates only ${printFilter(negated)}; write ${printFilter(meant)}`;
}

/** What a NOT on the left negates, and the filter with the NOT around it all. */
function negatedOperand(node: FilterTree): readonly [FilterTree, FilterTree] | undefined {
  if (node.kind === 'compare') {
    const { left, right } = node;
    if (left.kind !== 'not' || (right.kind === 'literal' && typeof right.value === 'boolean')) return undefined;
    return [left.of, { kind: 'not', of: { ...node, left: left.of } }];
  }
  if ((node.kind !== 'like' && node.kind !== 'in') || node.of.kind !== 'not') return undefined;
  return [node.of.of, { kind: 'not', of: { ...node, of: node.of.of } }];
}

function warnsOfFailure(node: FilterTree, options: WarningOptions): string | undefined {
  if (node.kind !== 'compare' && node.kind !== 'like' && node.kind !== 'in') return undefined;
  if (!operandsOf(node).some(({ kind }) => kind === 'attribute')) return undefined;
  const condition = conditionOf(node, options.functions);
  if (condition.kind === 'never') {
    const negation = conditionOf({ kind: 'not', of: node }, options.functions);
    const how =
      negation.kind === 'never' ? 'always fails, as its values are of types that cannot be compared' : 'is never true';
    return `${printFilter(node)} ${how}`;
  }
  if ('attribute' in condition && condition.kind !== 'present') {
    const sets = acceptedValues(condition, options);
    if (acceptedTypes(sets).length === 0) {
      return `${printFilter(node)} is never true: ${condition.attribute} is declared to be of type ${sets.types.join()}`;
    }
  }
  return undefined;
}

function warnsOfNames(names: ReadonlySet<string>, { attributes = [], types = {} }: WarningOptions): string[] {
  const known = new Set([...KNOWN, ...attributes, ...Object.keys(types)]);
  return [...names].flatMap((name) => {
    if (known.has(name)) return [];
    const warnings: string[] = [];
    const near = [...known].find((other) => other.length >= SHORTEST_NEAR && isNear(name, other));
    if (near !== undefined) warnings.push(`unknown attribute "${name}"; did you mean "${near}"?`);
    if (name.length > LONGEST_NAME) {
      warnings.push(
        `${name} is longer than the ${LONGEST_NAME} characters that CloudEvents allows: Polycast publishes no event with it`,
      );
    }
    return warnings;
  });
}

/** Names shorter than this are near to everything. */
const SHORTEST_NEAR = 4;

/** One letter too many, too few, another, or two swapped. */
function isNear(one: string, other: string): boolean {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  const [left, right] = [one.slice(at), other.slice(at)];
  if (left.slice(1) === right.slice(1) || left.slice(1) === right || left === right.slice(1)) return true;
  return left[0] === right[1] && left[1] === right[0] && left.slice(2) === right.slice(2);
}
