export { type Judgement, judge } from '../history/judge/judge.ts';
export { VIOLATIONS, type Violation, type ViolationKind } from '../history/judge/violation.ts';
export { type Entry, type Promises, promisesOf } from '../history/record.ts';
export { MUTANTS, type SoakMutant } from './mutants.ts';
export { FAULTS, type FaultKind, type Plan, planOf, type Step } from './plan.ts';
export { endured, type Failure, type SoakReport } from './report.ts';
export { DEFAULT_SHRINK_MS, runSoak, type SoakOptions } from './soak.ts';
export type { FaultCounts } from './tally.ts';
