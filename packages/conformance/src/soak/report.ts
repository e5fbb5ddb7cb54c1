import type { Violation } from '../history/judge/violation.ts';
import type { Step } from './plan.ts';
import type { FaultCounts } from './tally.ts';

/** A history that broke the contract. */
export interface Failure {
  /** `polycast conform --soak --faults 1 --seed <seed>` plays the history again. */
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** The shortest part of the history that was found to break the contract, too; the whole one if none was looked for. */
  readonly steps: readonly Step[];
  /** How many steps the whole history has. */
  readonly of: number;
  /** How often the shortest one failed in so many runs while it was looked for. */
  readonly reproduced: boolean;
}

/** What a soak came to. Plain JSON. */
export interface SoakReport {
  /** The manifest's `transport`. */
  readonly transport: string;
  /** Without secrets. */
  readonly url: string;
  /** The same seed plays the same histories, as far as machines can. */
  readonly seed: number;
  readonly histories: number;
  /** How many faults of each kind were done. */
  readonly faults: FaultCounts;
  /** Publishes that resolved. */
  readonly published: number;
  /** Events that a subscription was owed and never got, announced or not. */
  readonly lost: number;
  /** Events that a handler accepted more than once, be it that the contract allows it. */
  readonly duplicated: number;
  readonly reordered: number;
  /** Losses that were not announced. */
  readonly unannounced: number;
  /** Announcements of what did not happen. */
  readonly falseSignals: number;
  /** What was left behind on the service or in a process. */
  readonly residue: number;
  /** From the end of a fault, or from the publish if that was later, until the event was handled. */
  readonly longestRecoveryMs: number;
  /** Violations by kind: empty if the transport keeps what its manifest promises. */
  readonly violations: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
  /** Faults that this harness cannot do. */
  readonly untried: readonly string[];
  readonly durationMs: number;
  /** Ended before all faults were done. */
  readonly interrupted: boolean;
}

/** Does the transport keep what its manifest promises? */
export function endured(report: SoakReport): boolean {
  return report.failures.length === 0;
}
