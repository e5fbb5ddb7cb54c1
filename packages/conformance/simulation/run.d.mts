import type { Failure } from '../src/simulation/index.ts';
import type { Patch } from './mutants.d.mts';

export interface SimulationRun {
  readonly histories: number;
  readonly failures: readonly Failure[];
  /** Seeds whose history did not end. */
  readonly stuckAt: readonly number[];
}

export function runSimulation(options: {
  readonly seeds: readonly number[];
  readonly histories: number;
  readonly budgetMs: number;
  readonly only?: readonly string[] | undefined;
  readonly failures?: number;
  readonly isRace?: boolean;
  readonly patches?: readonly Patch[] | undefined;
}): Promise<SimulationRun>;
