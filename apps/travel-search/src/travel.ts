import { type Address, type Broadcaster, connect, type SignalListener, type SubscribeOptions } from '@polycast/core';
import { isOffers, isService, type Offer, SERVICES, type Service } from './offers.ts';
import { type Search, searchSchema } from './search.ts';

/** What each process of the example does, with as many instances as you like. */
export const ROLES = ['web', 'aggregator', ...SERVICES] as const;
export type Role = (typeof ROLES)[number];

/** Web tier to one aggregator: find me a trip. Answered by several replies: see {@link Progress}. */
export const TRIP_ASKED = 'travel.trip-asked';
/** Aggregator to one instance of each service: what have you got? Answered by one reply, a list of offers. */
export const OFFERS_ASKED = 'travel.offers-asked';

export type Travel = Broadcaster<{ [TRIP_ASKED]: Search; [OFFERS_ASKED]: Search }>;

/** What the aggregator replies: each part as soon as it is there, then the last word. */
export type Progress =
  | { readonly kind: 'part'; readonly service: Service; readonly from: string; readonly offers: readonly Offer[] }
  | { readonly kind: 'done'; readonly missing: readonly Service[]; readonly totalEur: number };

/** Is it what an aggregator replies? It came off a wire. */
export function isProgress(data: unknown): data is Progress {
  const { kind, service, from, offers, missing, totalEur } = (data ?? {}) as Record<string, unknown>;
  if (kind === 'part') return isService(service) && typeof from === 'string' && isOffers(offers);
  return kind === 'done' && Array.isArray(missing) && missing.every(isService) && Number.isFinite(totalEur);
}

/** A reply that is this late interests nobody. Questions live until their deadline. */
const REPLY_TTL_MS = 30_000;
/**
 * How soon another instance takes over after a crash. Locks are renewed while a handler runs, so this need not be longer than
 * a search. Services with a longer shortest lock use theirs.
 */
const LOCK_MS = 1_000;
/** Searches one instance works on at once. */
const CONCURRENCY = 16;

export interface Place {
  readonly url: string;
  readonly topic: string;
  readonly onSignal?: SignalListener;
}

/** One more instance of a role, with an id of its own. */
export function join({ url, topic, onSignal }: Place, role: Role): Promise<Travel> {
  return connect({
    url,
    topic,
    self: { role },
    ttlMs: REPLY_TTL_MS,
    schemas: { [TRIP_ASKED]: searchSchema, [OFFERS_ASKED]: searchSchema },
    ...(onSignal && { onSignal }),
  });
}

/** One instance of the role takes each question, and another one should it crash. */
export function competing(travel: Travel): SubscribeOptions {
  return {
    // Where the transport has no groups, `oneOf` has chosen the instance.
    ...(hasGroups(travel) && { group: travel.self.role }),
    concurrency: CONCURRENCY,
    lockMs: LOCK_MS,
    // Nobody comes back to a search that failed.
    deadLetter: 'drop',
  };
}

/**
 * Whom to ask when one instance of a role should answer: the role, because its instances are a group. Where the transport has no
 * groups: any of the instances that are there now.
 */
export async function oneOf(travel: Travel, role: Role): Promise<Address> {
  if (hasGroups(travel)) return `role:${role}`;
  const members = await travel.members({ role });
  const { instance } = members[Math.floor(Math.random() * members.length)] ?? {};
  return instance === undefined ? `role:${role}` : `instance:${instance}`;
}

function hasGroups({ manifest }: Travel): boolean {
  return manifest.capabilities.groups.level !== 'none';
}
