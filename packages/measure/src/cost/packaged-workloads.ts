import { makeWorkload } from './check-workload.ts';
import { WORKLOAD_FILES } from './data.generated.ts';
import type { Workload } from './workload.ts';

/** The workloads in `workloads/`, by file name without its ending. */
export const WORKLOADS: Readonly<Record<string, Workload>> = Object.fromEntries(
  Object.entries(WORKLOAD_FILES).map(([name, input]) => [name, makeWorkload(input)]),
);

/** What is priced when nobody says otherwise: the order-tracking workload. */
export const DEFAULT_WORKLOAD: Workload = WORKLOADS['order-tracking']!;
