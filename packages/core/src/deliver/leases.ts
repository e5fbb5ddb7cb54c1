/** What is done with leases beyond settling them. Loaded where the service settles, or with the first group. */

export { GivenAttempts } from './given-attempts.ts';
export { divideLease } from './lease-shares.ts';
export { LockRenewal } from './lock-renewal.ts';
export { PairedLease } from './paired-lease.ts';
export { SharedLease } from './shared-lease.ts';
