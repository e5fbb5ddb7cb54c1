import type { Search } from './search.ts';

/** Roles that each answer their part of a search. */
export const SERVICES = ['flights', 'hotels', 'cars', 'deals'] as const;
export type Service = (typeof SERVICES)[number];

export function isService(name: unknown): name is Service {
  return SERVICES.includes(name as Service);
}

export interface Offer {
  readonly title: string;
  readonly detail: string;
  /** For all people and nights. Below 0: a rebate. */
  readonly priceEur: number;
}

/** Most offers one service may give. */
const MAX_OFFERS = 20;

/** Made up, and the same for the same search. */
export function makeOffers(service: Service, search: Search): readonly Offer[] {
  const random = seeded(`${service} ${Object.values(search).join(' ')}`);
  const between = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const nameAt = (at: number) => NAMES[service][at % NAMES[service].length]!;
  const first = between(0, NAMES[service].length - 1);
  return Array.from({ length: 3 }, (_, at) => MAKE[service](nameAt(first + at), search, between)).sort(
    (left, right) => left.priceEur - right.priceEur,
  );
}

/** How long a service takes for a search: some are quick, some are not, none is always the same. */
export function latencyMsOf(service: Service, search: Search): number {
  return Math.round(LATENCY_MS[service] * (0.7 + 0.6 * seeded(JSON.stringify([service, search]))()));
}

/** The sum of the cheapest of each part. */
export function cheapestEur(parts: Iterable<readonly Offer[]>): number {
  let sum = 0;
  for (const offers of parts) sum += Math.min(...offers.map(({ priceEur }) => priceEur));
  return sum;
}

/** Is it what a service replies? It came off a wire. */
export function isOffers(data: unknown): data is readonly Offer[] {
  return (
    Array.isArray(data) &&
    data.length > 0 &&
    data.length <= MAX_OFFERS &&
    data.every((offer: Partial<Offer> | null) => {
      const { title, detail, priceEur } = offer ?? {};
      return typeof title === 'string' && typeof detail === 'string' && Number.isFinite(priceEur);
    })
  );
}

type Between = (low: number, high: number) => number;

const LATENCY_MS: Readonly<Record<Service, number>> = { flights: 900, hotels: 600, cars: 350, deals: 1_200 };

const NAMES: Readonly<Record<Service, readonly string[]>> = {
  flights: ['Aerolinea Sol', 'Nordwind', 'Blue Heron', 'Alpenflug', 'Petrel Air'],
  hotels: ['Hotel Miramar', 'The Lantern', 'Casa Verde', 'Pension Anker', 'Grand Meridian'],
  cars: ['City car', 'Estate', 'Convertible', 'Camper', 'Electric'],
  deals: ['Early bird', 'Last seats', 'Stay three, pay two', 'Museum pass', 'Family day'],
};

const MAKE: Readonly<Record<Service, (name: string, search: Search, between: Between) => Offer>> = {
  flights: (name, { from, to, people }, between) => {
    const [hour, minutes] = [between(6, 20), between(0, 11) * 5];
    const departure = `${String(hour).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
    const stops = ['direct', 'direct', 'one stop'][between(0, 2)]!;
    return { title: name, detail: `${from} ${departure} → ${to}, ${stops}`, priceEur: between(60, 320) * people };
  },
  hotels: (name, { nights, people }, between) => ({
    title: name,
    detail: `${between(3, 5)} stars, ${nights} ${nights === 1 ? 'night' : 'nights'}`,
    priceEur: between(55, 240) * nights * Math.ceil(people / 2),
  }),
  cars: (name, { nights, people }, between) => ({
    title: name,
    detail: `${Math.max(4, people)} seats, ${nights} ${nights === 1 ? 'day' : 'days'}`,
    priceEur: between(28, 95) * nights,
  }),
  deals: (name, { to, people }, between) => ({
    title: name,
    detail: `off a trip to ${to}`,
    priceEur: -between(8, 30) * people,
  }),
};

/** Numbers from 0 to 1, the same for the same text (FNV-1a, then mulberry32). */
function seeded(text: string): () => number {
  let state = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
