import type { Lease } from '../contract/transport.ts';
import type { BroadcastEvent } from '../envelope/event.ts';
import type { Pair } from '../receive/source-receiver.ts';
import type { LiveDelivery } from './delivery.ts';
import type { HeldLease } from './held-lease.ts';
import { SharedLease } from './shared-lease.ts';

/**
 * The delivery that is at the event already, given the further lease that came with it.
 * @param pair makes one lease of both. @default one that settles both alike
 * @returns undefined if none is at it
 */
export function deliveryOf(
  event: BroadcastEvent,
  held: Iterable<LiveDelivery>,
  lease: Lease | undefined,
  pair: Pair | undefined,
): LiveDelivery | undefined {
  for (const delivery of held) {
    const { lease: before, lockEndsMs } = delivery;
    if ((before ?? pair) === undefined || delivery.abandoned || delivery.settled) continue;
    if (delivery.event.id !== event.id || delivery.event.source !== event.source) continue;
    // Published twice under one id: it lives as long as the one that lives longer.
    if (event.expiresAtMs > delivery.event.expiresAtMs) delivery.event = event;
    delivery.lease = pair ? pair(before, lockEndsMs) : SharedLease.of(before as Lease, lease as Lease);
    return delivery;
  }
  return undefined;
}

/** Those of the deliveries that have one of these leases, or a part of one. */
export function deliveriesWith(leases: ReadonlySet<Lease>, held: Iterable<LiveDelivery>): readonly LiveDelivery[] {
  return [...held].filter((delivery) => {
    const { lease } = delivery as { lease: HeldLease | undefined };
    return lease !== undefined && leases.has(lease.whole ?? lease);
  });
}
