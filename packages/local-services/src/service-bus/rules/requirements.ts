import { mayFail } from './may-fail.ts';
import { systemName } from './system-property.ts';
import type { Expression, Predicate, Property, Scope } from './tree.ts';

/** A value that the index finds a rule by; see `indexKey`. */
export type IndexKey = string | number | boolean;

/** What a property must be. */
export interface Requirement {
  readonly scope: Scope;
  /** As messages are asked for it. */
  readonly name: string;
  /** A value; a pattern that it fits; or `null`: that it is missing, or NULL. */
  readonly is: { readonly key: IndexKey } | { readonly pattern: string; readonly escapedBy?: string } | null;
}

/**
 * Wherever the predicate is true, one of these holds; undefined: nothing of the kind can be said, or too much. Where none of
 * them holds the predicate is not true and raises no error either, so that it need not be asked: an AND goes on after what
 * is unknown, so there is nothing in it that could fail.
 */
export function requirementsOf(predicate: Predicate): readonly Requirement[] | undefined {
  return mayFail(predicate) ? undefined : of(predicate);
}

function of(predicate: Predicate): readonly Requirement[] | undefined {
  switch (predicate.kind) {
    case 'compare': {
      if (predicate.operator !== '=') return undefined;
      const { left, right } = predicate;
      if (left.kind === 'property') return ofValues(left, [right]);
      return right.kind === 'property' ? ofValues(right, [left]) : undefined;
    }
    case 'in':
      if (predicate.negated || predicate.of.kind !== 'property') return undefined;
      return ofValues(predicate.of, predicate.values);
    case 'null':
      return predicate.negated ? undefined : [{ ...columnOf(predicate.property), is: null }];
    case 'like':
      return ofPattern(predicate);
    case 'and':
      return predicate.of
        .map(of)
        .filter((all) => all !== undefined)
        .reduce<readonly Requirement[] | undefined>(better, undefined);
    case 'or': {
      const all: Requirement[] = [];
      for (const part of predicate.of) {
        const own = of(part);
        if (own === undefined || all.length + own.length > MAX_REQUIREMENTS) return undefined;
        all.push(...own);
      }
      return all;
    }
    default:
      return undefined;
  }
}

/** More would cost more to keep than they save. */
const MAX_REQUIREMENTS = 128;
/** Many messages lack a property or fit a pattern, few have one value. */
const BROAD = 1_000;

function better(one: readonly Requirement[] | undefined, other: readonly Requirement[]): readonly Requirement[] {
  return one === undefined || costOf(other) < costOf(one) ? other : one;
}

function costOf(requirements: readonly Requirement[]): number {
  return requirements.reduce((sum, { is }) => sum + (is !== null && 'key' in is ? 1 : BROAD), 0);
}

function columnOf({ scope, name }: Property): { scope: Scope; name: string } {
  return { scope, name: scope === 'sys' ? systemName(name) : name.toLowerCase() };
}

function ofValues(property: Property, constants: readonly Expression[]): Requirement[] | undefined {
  const requirements: Requirement[] = [];
  for (const constant of constants) {
    if (constant.kind !== 'constant') return undefined;
    // Nothing is equal to NULL.
    if (constant.value === null) continue;
    const key = indexKey(constant.value);
    if (key === undefined) return undefined;
    requirements.push({ ...columnOf(property), is: { key } });
  }
  return requirements.length > MAX_REQUIREMENTS ? undefined : requirements;
}

function ofPattern(like: Extract<Predicate, { kind: 'like' }>): Requirement[] | undefined {
  const { of, pattern, escapedBy, negated } = like;
  if (negated || of.kind !== 'property') return undefined;
  if (pattern.kind !== 'constant' || typeof pattern.value !== 'string') return undefined;
  if (escapedBy === undefined) return [{ ...columnOf(of), is: { pattern: pattern.value } }];
  if (escapedBy.kind !== 'constant' || typeof escapedBy.value !== 'string') return undefined;
  return [{ ...columnOf(of), is: { pattern: pattern.value, escapedBy: escapedBy.value } }];
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
