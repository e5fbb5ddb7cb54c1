/** For simulations: a whole broadcaster on a clock, timers and dice of the simulation's own. Not for applications. */

export { connectOn } from './connection/connect.ts';
export type { Runtime } from './timing/runtime.ts';
export type { Timer } from './timing/timer.ts';
