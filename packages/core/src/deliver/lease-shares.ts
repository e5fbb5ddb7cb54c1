import { divideLease } from '../adapter/divide-lease.ts';
import type { Lease } from '../contract/transport.ts';
import type { HeldLease } from './held-lease.ts';

/**
 * Divides one hold of the service among several subscriptions, each of which has the whole event. Only one that has it to itself can have it
 * set aside (see `HeldLease.isShared`).
 */
export function shareLease(lease: Lease, count: number): HeldLease[] {
  const position = lease.position === undefined ? {} : { position: lease.position };
  const own = { isOurs: true, isShared: count > 1, whole: lease, ...position };
  return divideLease(lease, count).map((share) => ({ ...share, ...own }));
}
