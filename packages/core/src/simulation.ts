/** For simulations: a whole broadcaster on a clock, timers and dice of the simulation's own. Not for applications. */

export { connectOn } from './connection/connect.ts';
export type { Runtime } from './timing/runtime.ts';
export type { Timer } from './timing/timer.ts';

/**
 * Loads what a broadcaster loads when it first needs it. Loading takes real time, of which a simulation knows nothing: the first history
 * would be played otherwise than the same one later.
 */
export async function loadAll(): Promise<void> {
  await Promise.all([
    import('./connection/unheard.ts'),
    import('./connection/wrapping.ts'),
    import('./contract/unsupported.ts'),
    import('./control/control-channel.ts'),
    import('./control/presence.ts'),
    import('./deliver/delivery-stream.ts'),
    import('./deliver/leases.ts'),
    import('./filter/subscription-filter.ts'),
    import('./receive/group-receiver.ts'),
  ]);
}
