import { SYSTEM_PROPERTIES, systemName } from './system-property.ts';
import type { Expression, Predicate, Property } from './tree.ts';

/** A value that the index finds a rule by; see `indexKey`. */
export type IndexKey = string | number | boolean;

/** A property, and a value that it must have. */
export interface RequiredValue {
  readonly scope: 'sys' | 'user';
  /** As messages are asked for it. */
  readonly name: string;
  readonly key: IndexKey;
}

/**
 * Wherever the predicate is true, one of these holds; undefined: nothing of the kind can be said, or too much. Where none of
 * them holds the predicate is not true and raises no error either, so that it need not be asked.
 */
export function requiredValues(predicate: Predicate): readonly RequiredValue[] | undefined {
  switch (predicate.kind) {
    case 'compare': {
      if (predicate.operator !== '=') return undefined;
      const { left, right } = predicate;
      if (left.kind === 'property') return valuesOf(left, [right]);
      return right.kind === 'property' ? valuesOf(right, [left]) : undefined;
    }
    case 'in':
      return predicate.negated || predicate.of.kind !== 'property'
        ? undefined
        : valuesOf(predicate.of, predicate.values);
    case 'and':
      // What stands before it is evaluated before it, and must come to a result.
      for (const part of predicate.of) {
        const values = requiredValues(part);
        if (values !== undefined) return values;
        if (mayFail(part)) return undefined;
      }
      return undefined;
    case 'or': {
      const all: RequiredValue[] = [];
      for (const part of predicate.of) {
        const values = requiredValues(part);
        if (values === undefined || all.length + values.length > MAX_VALUES) return undefined;
        all.push(...values);
      }
      return all;
    }
    default:
      return undefined;
  }
}

/** More would cost more to keep than they save. */
const MAX_VALUES = 128;

function valuesOf(property: Property, constants: readonly Expression[]): RequiredValue[] | undefined {
  if (mayFail(property)) return undefined;
  const values: RequiredValue[] = [];
  const name = property.scope === 'sys' ? systemName(property.name) : property.name.toLowerCase();
  for (const constant of constants) {
    if (constant.kind !== 'constant') return undefined;
    // Nothing is equal to NULL.
    if (constant.value === null) continue;
    const key = indexKey(constant.value);
    if (key === undefined) return undefined;
    values.push({ scope: property.scope, name, key });
  }
  return values.length > MAX_VALUES ? undefined : values;
}

/** The same for values that are equal, and seldom for others; undefined for types that are not indexed. */
export function indexKey(value: unknown): IndexKey | undefined {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value;
    case 'bigint':
      return Number(value);
    default:
      return undefined;
  }
}

/** May its evaluation raise an error? */
function mayFail(node: Predicate | Expression): boolean {
  switch (node.kind) {
    case 'constant':
    case 'newid':
      return false;
    case 'property':
      return node.scope === 'sys' && !SYSTEM_PROPERTIES.has(systemName(node.name));
    case 'named':
    case 'arithmetic':
      return true;
    case 'sign':
    case 'not':
      return mayFail(node.of);
    case 'and':
    case 'or':
      return node.of.some(mayFail);
    case 'compare':
      return mayFail(node.left) || mayFail(node.right);
    case 'null':
    case 'exists':
      return mayFail(node.property);
    case 'in':
      return mayFail(node.of) || node.values.some(mayFail);
    case 'like':
      return (
        mayFail(node.of) || node.pattern.kind !== 'constant' || (node.escapedBy ?? node.pattern).kind !== 'constant'
      );
  }
}
