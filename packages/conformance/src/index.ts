export { ConformanceFailure } from './assert.ts';
export { type ConformanceCase, type Requirements, ruledOut } from './case.ts';
export { CASES } from './cases/index.ts';
export type { Chapter, Clause, Grade } from './clause.ts';
export { CHAPTERS, CLAUSES, gradeOf } from './clauses/index.ts';
export { CaseContext, type JoinOptions, type Patience } from './context.ts';
export { type Coverage, clausesDocument, coverage, leftOpen } from './coverage.ts';
export type { Harness, HarnessOptions } from './harness.ts';
export { FENCE, Inbox, type Reaction, type Received } from './inbox.ts';
export {
  type CaseResult,
  type CaseStatus,
  type ConformanceReport,
  conforms,
  type Finding,
  summarize,
  withoutSecrets,
} from './report.ts';
export {
  DEFAULT_CASE_TIMEOUT_MS,
  DEFAULT_CONCURRENCY,
  DEFAULT_PATIENCE_MS,
  DEFAULT_QUIET_MS,
  type RunOptions,
  runConformance,
} from './runner.ts';
export { type ConformanceTarget, type Faults, missing, NEEDS, type Need, type Remote } from './target.ts';
export { confirmedManifest } from './verdict.ts';
