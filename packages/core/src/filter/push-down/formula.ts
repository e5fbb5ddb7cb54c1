import type { Condition, Test } from '../condition.ts';
import type { PushReason } from '../target.ts';
import type { Share } from './split.ts';

/** A filter of a broker that takes any AND and OR of its tests. Never a NOT: with a third truth value it is not the opposite. */
export type Formula<Atom> =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'atom'; readonly atom: Atom }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Formula<Atom>[] };

/** What a broker can say of one test; `true` says nothing. */
export interface Loosened<Atom> {
  readonly formula: Formula<Atom>;
  /** Why the formula holds for more than the test; undefined if it does not. */
  readonly reason?: PushReason | undefined;
}

/**
 * The strongest formula that holds wherever the condition does, when `loosen` gives it for each test: AND and OR only grow
 * with their operands, so each may be loosened on its own.
 */
export function formulaOf<Atom>(condition: Condition, loosen: (test: Test) => Loosened<Atom>): Share<Formula<Atom>> {
  const reasons: PushReason[] = [];
  const formula = grow(condition, (test) => {
    const { formula, reason } = loosen(test);
    if (reason !== undefined) reasons.push(reason);
    return formula;
  });
  const says = !(formula.kind === 'constant' && formula.value);
  return { native: says ? formula : undefined, exact: reasons.length === 0, reasons };
}

function grow<Atom>(condition: Condition, loosen: (test: Test) => Formula<Atom>): Formula<Atom> {
  switch (condition.kind) {
    case 'always':
    case 'never':
      return constantFormula(condition.kind === 'always');
    case 'all':
    case 'any':
      return joinFormulas(
        condition.kind === 'all' ? 'and' : 'or',
        condition.of.map((part) => grow(part, loosen)),
      );
    default:
      return loosen(condition);
  }
}

export function constantFormula(value: boolean): Formula<never> {
  return { kind: 'constant', value };
}

export function atomFormula<Atom>(atom: Atom): Formula<Atom> {
  return { kind: 'atom', atom };
}

/** AND or OR, flat, without constants, nothing twice, and without what another part says already: `a OR (a AND b)` is `a`. */
export function joinFormulas<Atom>(kind: 'and' | 'or', parts: readonly Formula<Atom>[]): Formula<Atom> {
  const distinct = new Map<string, Formula<Atom>>();
  for (const part of parts) {
    if (part.kind === 'constant' && part.value === (kind === 'or')) return part;
    if (part.kind === 'constant') continue;
    for (const inner of part.kind === kind ? part.of : [part]) distinct.set(JSON.stringify(inner), inner);
  }
  const of = [...distinct.values()].filter(
    (part) => !('of' in part) || !part.of.some((inner) => distinct.has(JSON.stringify(inner))),
  );
  if (of.length === 0) return constantFormula(kind === 'and');
  return of.length === 1 ? of[0]! : { kind, of };
}

/** @param print writes one test */
export function printFormula<Atom>(
  formula: Formula<Atom>,
  words: { readonly and: string; readonly or: string; readonly true: string; readonly false: string },
  print: (atom: Atom) => string,
): string {
  switch (formula.kind) {
    case 'constant':
      return formula.value ? words.true : words.false;
    case 'atom':
      return print(formula.atom);
    default:
      return formula.of
        .map((part) => {
          const text = printFormula(part, words, print);
          return part.kind === 'and' || part.kind === 'or' ? `(${text})` : text;
        })
        .join(words[formula.kind]);
  }
}
