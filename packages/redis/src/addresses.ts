import type { Address, SourceRequest } from '@polycast/core/adapter';

/**
 * The addresses to listen to: of those asked for, the ones that the pushed part of the filter leaves, as `redisChannel`
 * wrote it. All of them where it leaves none: a source must have something to listen to, and core drops what does not fit.
 */
export function wantedAddresses({ addresses, filter }: SourceRequest): readonly Address[] {
  if (filter === undefined) return addresses;
  const wanted = addresses.filter((address) => (filter as readonly Address[]).includes(address));
  return wanted.length === 0 ? addresses : wanted;
}
