import type { Address, BroadcastEvent, SourceRequest } from '@polycast/core/adapter';

/**
 * The addresses to listen to: of those asked for, the ones that the pushed part of the filter leaves, as `redisChannel`
 * wrote it. All of them where it leaves none: a source must have something to listen to, and core drops what does not fit.
 */
export function wantedAddresses({ addresses, filter }: SourceRequest): readonly Address[] {
  if (filter === undefined) return addresses;
  const wanted = addresses.filter((address) => (filter as readonly Address[]).includes(address));
  return wanted.length === 0 ? addresses : wanted;
}

/**
 * Does an event that came for one of the addresses listened to come for another one, too, that is listened to before it? Of the copies
 * of an event only the first counts. A dead letter, which says to whom it once was sent, is for everyone.
 */
export function comesByAnother({ to }: BroadcastEvent, address: Address, listened: readonly Address[]): boolean {
  if (typeof to !== 'string' || !to.includes(',')) return false;
  const all = to.split(',');
  return all.includes(address) && listened.find((own) => all.includes(own)) !== address;
}
