import type { Transport } from '@polycast/core';

/** A transport with one defect, put on purpose around a correct one: the suite must notice it. */
export interface Mutant {
  readonly name: string;
  /** What it does wrong, in one sentence. */
  readonly wrong: string;
  /** Prefixes of the ids of cases of which at least one must fail. */
  readonly caughtBy: readonly string[];
  /**
   * Makes a maker of broken transports out of a maker of correct ones. State shared between the participants of a run
   * (a counter, a list of topics) lives in one call.
   */
  breed(make: () => Transport): () => Transport;
}
