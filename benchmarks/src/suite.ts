import type { Goal, Table } from './measurement/table.ts';

export interface SuiteOptions {
  /** Fewer rounds and shorter ones: a rough picture in some minutes. */
  readonly quick: boolean;
  /** Only contenders whose name contains one of these; the reference and ours always run. Empty: all. */
  readonly only: readonly string[];
  /** @default as the workload says */
  readonly rounds: number | undefined;
  /** Tells people what goes on; overwritten by the next. */
  progress(text: string): void;
}

export interface SuiteResult {
  readonly tables: readonly Table[];
  readonly goals: readonly Goal[];
  /** Everything measured, for those who want to compute something else. */
  readonly raw: unknown;
}

export type Suite = (options: SuiteOptions) => Promise<SuiteResult>;
