/** For simulations: a whole broadcaster on a clock, timers and dice of the simulation's own. Not for applications. */

export { connectOn } from './connect.ts';
export type { Runtime } from './runtime.ts';
export type { Timer } from './timer.ts';
