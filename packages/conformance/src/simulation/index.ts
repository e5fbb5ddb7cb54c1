/** The deterministic simulation of core: whole broadcasters on virtual time, over a service that may do all that its manifest allows. */

export { historyOf } from './generate.ts';
export type { Act, Deed, Fault, FaultyCall, History, PublishPlan, Step, SubscriptionPlan } from './history.ts';
export { judge, ruleOf } from './judge.ts';
export { PROFILES, type ProfileName } from './profile.ts';
export { type Failure, print, simulate, trySeed } from './simulate.ts';
export { play } from './world.ts';
