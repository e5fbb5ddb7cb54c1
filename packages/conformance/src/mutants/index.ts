import { deliveryMutants } from './delivery.ts';
import type { Mutant } from './mutant.ts';
import { publishMutants } from './publish.ts';
import { subscriptionMutants } from './subscription.ts';

export type { Mutant } from './mutant.ts';

/** Every mutant. Each must be caught by the cases it names. */
export const MUTANTS: readonly Mutant[] = [...deliveryMutants, ...publishMutants, ...subscriptionMutants];
