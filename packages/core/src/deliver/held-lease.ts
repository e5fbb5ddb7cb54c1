import type { Lease } from '../contract/transport.ts';

/** A lease as a subscription holds it. */
export interface HeldLease extends Lease {
  /** The event is for this instance, too: what fails is tried again here, since no other member of the group may take our place. */
  readonly isOurs?: boolean;
  /** The copy for this instance came without a lease: nothing brings it again. */
  readonly isOnce?: boolean;
  /** Others hold it too: the service cannot set the event aside for one of them. Core publishes it to the dead-letter topic. */
  readonly isShared?: boolean;
  /** The service's own lease, where several subscriptions share it. */
  readonly whole?: Lease;
}
