/** One change of the text of a module of core. */
export interface Patch {
  /** Path below `packages/core/src`. */
  readonly module: string;
  /** Found exactly once. */
  readonly from: string;
  readonly to: string;
}

export interface CoreMutant {
  readonly name: string;
  /** What it does wrong, in one sentence. */
  readonly wrong: string;
  /** Rules of which at least one must be broken. */
  readonly caughtBy: readonly string[];
  readonly patches: readonly Patch[];
  /** Where the search begins: the first of those from 1 that finds it. As histories are made otherwise, another is: then it takes longer. */
  readonly seed: number;
}

export const MUTANTS: readonly CoreMutant[];
