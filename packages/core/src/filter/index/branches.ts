import type { Condition } from '../condition.ts';
import { allOf } from '../condition-merge.ts';
import type { IndexedTest, TestPool } from './indexed-test.ts';
import { MAX_TESTS } from './place.ts';

/** An OR of more than this is looked at as a whole. */
const MAX_BRANCHES = 16;

/**
 * The condition as conjunctions of tests, of which any must hold: mostly one. An OR becomes several only where each of them
 * can then be found by a test of its own.
 */
export function branchesOf(condition: Condition, pool: TestPool): readonly (readonly IndexedTest[])[] {
  if (condition.kind === 'never') return [];
  if (condition.kind === 'any') {
    const branches = separately(condition.of, pool);
    if (branches !== undefined) return branches;
  }
  const tests = conjunction(condition, pool);
  if (condition.kind === 'all' && !tests.some(isFound)) {
    for (const part of condition.of) {
      if (part.kind !== 'any') continue;
      const rest = condition.of.filter((other) => other !== part);
      const branches = separately(
        part.of.map((one) => allOf([one, ...rest])),
        pool,
      );
      if (branches !== undefined) return branches;
    }
  }
  return [tests];
}

function separately(parts: readonly Condition[], pool: TestPool): IndexedTest[][] | undefined {
  if (parts.length > MAX_BRANCHES) return undefined;
  const branches: IndexedTest[][] = [];
  for (const part of parts) {
    if (part.kind === 'never') continue;
    const tests = conjunction(part, pool);
    if (!tests.some(isFound)) return undefined;
    branches.push(tests);
  }
  return branches;
}

function isFound(test: IndexedTest): boolean {
  return test.accesses().length > 0;
}

/** Cheapest first. */
function conjunction(condition: Condition, pool: TestPool): IndexedTest[] {
  if (condition.kind === 'always') return [];
  const parts = condition.kind === 'all' ? condition.of : [condition];
  const few =
    parts.length <= MAX_TESTS
      ? parts
      : [...parts.slice(0, MAX_TESTS - 1), { kind: 'all', of: parts.slice(MAX_TESTS - 1) } as const];
  return few.map((part) => pool.testOf(part)).sort((a, b) => a.cost - b.cost);
}
