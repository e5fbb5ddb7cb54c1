import { mayFail } from './may-fail.ts';
import { systemName } from './system-property.ts';
import type { Expression, Predicate, Property, Scope } from './tree.ts';

/** A value that the index finds a rule by; see `indexKey`. */
export type IndexKey = string | number | boolean;

/** A property, and a value that it must have. */
export interface RequiredValue {
  readonly scope: Scope;
  /** As messages are asked for it. */
  readonly name: string;
  readonly key: IndexKey;
}

/**
 * Wherever the predicate is true, one of these holds; undefined: nothing of the kind can be said, or too much. Where none of
 * them holds the predicate is not true and raises no error either, so that it need not be asked: an AND goes on after what
 * is unknown, so there is nothing in it that could fail.
 */
export function requiredValues(predicate: Predicate): readonly RequiredValue[] | undefined {
  return mayFail(predicate) ? undefined : valuesOfPredicate(predicate);
}

function valuesOfPredicate(predicate: Predicate): readonly RequiredValue[] | undefined {
  switch (predicate.kind) {
    case 'compare': {
      if (predicate.operator !== '=') return undefined;
      const { left, right } = predicate;
      if (left.kind === 'property') return valuesOf(left, [right]);
      return right.kind === 'property' ? valuesOf(right, [left]) : undefined;
    }
    case 'in':
      if (predicate.negated || predicate.of.kind !== 'property') return undefined;
      return valuesOf(predicate.of, predicate.values);
    case 'and':
      for (const part of predicate.of) {
        const values = valuesOfPredicate(part);
        if (values !== undefined) return values;
      }
      return undefined;
    case 'or': {
      const all: RequiredValue[] = [];
      for (const part of predicate.of) {
        const values = valuesOfPredicate(part);
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
