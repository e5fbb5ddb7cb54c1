import type { FaultKind } from './plan.ts';

/** How many faults of each kind were done. */
export type FaultCounts = Partial<Record<FaultKind, number>>;

export function addCounts(into: FaultCounts, more: FaultCounts): void {
  for (const [kind, count] of Object.entries(more)) {
    into[kind as FaultKind] = (into[kind as FaultKind] ?? 0) + count;
  }
}

export function total(counts: FaultCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
