/** What a subscription needs where deliveries come with leases: loaded when the first of them is made. */

export { deliveriesWith, deliveryOf } from './deliveries-of.ts';
export { GivenAttempts } from './given-attempts.ts';
export { shareLease } from './lease-shares.ts';
export { LockRenewal } from './lock-renewal.ts';
export { PairedLease } from './paired-lease.ts';
export { serviceDelayMs } from './service-delay.ts';
