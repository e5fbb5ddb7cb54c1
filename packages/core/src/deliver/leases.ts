/** What a subscription needs where deliveries come with leases: loaded when the first of them is made. */

export { GivenAttempts } from './given-attempts.ts';
export { divideLease } from './lease-shares.ts';
export { LockWatch } from './lock-watch.ts';
export { PairedLease } from './paired-lease.ts';
export { SharedLease } from './shared-lease.ts';
