import { PolycastError } from '@polycast/core';

/** What a traveller asks for. */
export interface Search {
  readonly from: string;
  readonly to: string;
  /** Day of departure, `2026-11-21`. */
  readonly day: string;
  readonly nights: number;
  readonly people: number;
}

/** Letters of any script with spaces, dots, hyphens and apostrophes between them. */
const PLACE = /^\p{L}[\p{L}\p{M} .'’-]{0,39}$/u;
const DAY = /^\d{4}-\d\d-\d\d$/;
const MAX_NIGHTS = 30;
const MAX_PEOPLE = 9;

/** A [Standard Schema](https://standardschema.dev) by hand; a library such as zod gives the same with less to write. */
export const searchSchema = {
  '~standard': {
    version: 1,
    vendor: 'travel-search',
    types: undefined as { readonly input: Search; readonly output: Search } | undefined,
    validate(value: unknown) {
      const issues = faultsOf(value);
      return issues.length === 0 ? { value: value as Search } : { issues };
    },
  },
} as const;

/** The search of a query string. @throws PolycastError `schema-mismatch` naming what is wrong */
export function readSearch(query: URLSearchParams): Search {
  const search = {
    from: query.get('from')?.trim() ?? '',
    to: query.get('to')?.trim() ?? '',
    day: query.get('day') ?? '',
    nights: Number(query.get('nights') ?? 1),
    people: Number(query.get('people') ?? 1),
  };
  const faults = faultsOf(search);
  if (faults.length === 0) return search;
  throw new PolycastError('schema-mismatch', faults.map(({ message }) => message).join('; '));
}

function faultsOf(value: unknown): { message: string; path: [string] }[] {
  const { from, to, day, nights, people } = (value ?? {}) as Record<keyof Search, unknown>;
  const isPlace = (place: unknown) => typeof place === 'string' && PLACE.test(place);
  const isDay = typeof day === 'string' && DAY.test(day) && !Number.isNaN(Date.parse(day));
  return [
    ...(isPlace(from) ? [] : [fault('from', 'must be a place name of 1-40 letters')]),
    ...(isPlace(to) ? [] : [fault('to', 'must be a place name of 1-40 letters')]),
    ...(isDay ? [] : [fault('day', 'must be a day, such as 2026-11-21')]),
    ...(isCount(nights, MAX_NIGHTS) ? [] : [fault('nights', `must be a whole number from 1 to ${MAX_NIGHTS}`)]),
    ...(isCount(people, MAX_PEOPLE) ? [] : [fault('people', `must be a whole number from 1 to ${MAX_PEOPLE}`)]),
  ];
}

function fault(name: keyof Search, must: string): { message: string; path: [string] } {
  return { message: `${name} ${must}`, path: [name] };
}

function isCount(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;
}
