import type { EventGridFilter, TextOperator } from './event-grid-filter.ts';
import { NO_EVENT, presence } from './event-grid-test.ts';

export interface MergedBranches {
  /** They match wherever all filters of one branch do. */
  readonly filters: readonly EventGridFilter[];
  /** Do they match nowhere else? */
  readonly exact: boolean;
}

/**
 * OR, for a service that has it only among the values of one filter: a filter of the first branch is kept when each other
 * branch has one for the same key to join it with.
 */
export function mergeBranches(all: readonly (readonly EventGridFilter[])[]): MergedBranches {
  const branches = all.filter((filters) => !filters.includes(NO_EVENT));
  if (branches.length === 0) return { filters: [NO_EVENT], exact: true };
  const unlessThere = missingOrNot(branches);
  if (unlessThere !== undefined) return { filters: [unlessThere], exact: true };
  const [first = [], ...others] = branches;
  const filters: EventGridFilter[] = [];
  let exact = branches.every(({ length }) => length === 1);
  for (const filter of first) {
    let merged: EventGridFilter | undefined = filter;
    for (const branch of others) {
      const joined: Joined | undefined = merged && bestJoin(merged, branch);
      merged = joined?.filter;
      if (joined === undefined || !joined.exact) exact = false;
    }
    if (merged !== undefined) filters.push(merged);
  }
  // A branch without filters matches everything.
  if (branches.some(({ length }) => length === 0)) return { filters: [], exact: false };
  return { filters: filters.filter(saysSomething), exact };
}

/** The key is missing, or there and not some value: just what a negated filter says alone. */
function missingOrNot(branches: readonly (readonly EventGridFilter[])[]): EventGridFilter | undefined {
  if (branches.length !== 2) return undefined;
  const [one, other] = [...branches].sort((a, b) => a.length - b.length);
  if (one?.length !== 1 || other?.length !== 2) return undefined;
  const [missing, [there, negated]] = [one[0]!, other as [EventGridFilter, EventGridFilter]];
  const isSo =
    missing.operatorType === 'IsNullOrUndefined' &&
    there.operatorType === 'IsNotNull' &&
    isNegated(negated) &&
    there.key === missing.key &&
    negated.key === missing.key;
  return isSo ? negated : undefined;
}

interface Joined {
  readonly filter: EventGridFilter;
  readonly exact: boolean;
}

/** With an exact partner if there is one, else with one of which at least something remains. */
function bestJoin(filter: EventGridFilter, branch: readonly EventGridFilter[]): Joined | undefined {
  let best: Joined | undefined;
  for (const other of branch) {
    const joined = joinFormulas(filter, other);
    if (joined?.exact) return joined;
    if (joined !== undefined && (best === undefined || best.filter.operatorType === 'IsNotNull')) best = joined;
  }
  return best;
}

const TEXT_OPERATORS: readonly string[] = ['StringIn', 'StringBeginsWith', 'StringEndsWith', 'StringContains'];

function joinFormulas(some: EventGridFilter, other: EventGridFilter): Joined | undefined {
  const { key } = some;
  if (key !== other.key) return undefined;
  if (JSON.stringify(some) === JSON.stringify(other)) return { filter: some, exact: true };
  if (isText(some) && isText(other)) {
    const values = [...new Set([...some.values, ...other.values])];
    const operatorType = widest(some.operatorType, other.operatorType);
    return { filter: { operatorType, key, values }, exact: some.operatorType === other.operatorType };
  }
  if (some.operatorType === 'NumberIn' && other.operatorType === 'NumberIn') {
    return { filter: { ...some, values: [...new Set([...some.values, ...other.values])] }, exact: true };
  }
  if (some.operatorType === 'NumberInRange' && other.operatorType === 'NumberInRange') {
    return { filter: { ...some, values: [...some.values, ...other.values] }, exact: true };
  }
  const asksForKey = needsKey(some) && needsKey(other);
  return asksForKey ? { filter: { operatorType: 'IsNotNull', key }, exact: false } : undefined;
}

function isText(filter: EventGridFilter): filter is Extract<EventGridFilter, { values: readonly string[] }> & {
  operatorType: TextOperator;
} {
  return TEXT_OPERATORS.includes(filter.operatorType);
}

/** A text that is equal begins and ends so, and one that begins or ends so contains it. */
function widest(some: TextOperator, other: TextOperator): TextOperator {
  if (some === other || other === 'StringIn') return some;
  return some === 'StringIn' ? other : 'StringContains';
}

/** Where the key is missing, the negated operators match. */
function needsKey(filter: EventGridFilter): boolean {
  return filter.operatorType !== 'IsNullOrUndefined' && !isNegated(filter);
}

function isNegated({ operatorType }: EventGridFilter): boolean {
  return operatorType !== 'IsNotNull' && operatorType.includes('Not');
}

function saysSomething(filter: EventGridFilter): boolean {
  return filter.operatorType !== 'IsNotNull' || presence(filter.key).length > 0;
}
