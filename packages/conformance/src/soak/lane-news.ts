import type { Violation, ViolationKind } from '../history/judge/violation.ts';
import type { FaultKind } from './plan.ts';
import type { Failure } from './report.ts';
import type { FaultCounts } from './tally.ts';

/** What a lane is told. A number answers what it asked: a seed, or whether to shrink (1) or not (0). */
export type LaneOrder =
  | {
      readonly begin: {
        /** Module that exports `harness`. */
        readonly harness: string;
        readonly url: string;
        readonly local: boolean;
        readonly mutant?: string;
        readonly shrinkMs: number;
        readonly recordTo?: string;
      };
    }
  | { readonly seed: number }
  | { readonly stop: true };

/** One history. */
export interface Played {
  readonly seed: number;
  readonly faults: FaultCounts;
  readonly published: number;
  readonly lost: number;
  readonly unannounced: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly falseSignals: number;
  readonly residue: number;
  readonly longestRecoveryMs: number;
  readonly violations: readonly Violation[];
}

/** What a lane says. */
export type LaneNews =
  | { readonly ready: { readonly transport: string; readonly untried: readonly FaultKind[] } }
  | { readonly wants: true }
  | { readonly played: Played }
  | { readonly failed: readonly ViolationKind[] }
  | { readonly failure: Failure }
  /** What processes had left behind when the last history was over. */
  | { readonly left: { readonly seed: number; readonly violations: readonly Violation[] } }
  | { readonly over: true }
  | { readonly broken: { readonly code: string; readonly message: string; readonly stack: string } };
