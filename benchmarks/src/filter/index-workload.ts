import { type PlainEvent, seeded } from './filters.ts';

/** Filters of four clauses each, of which a given share passes an event. */
export interface IndexWorkload {
  readonly title: string;
  filterAt(at: number): string;
  eventAt(at: number): PlainEvent;
}

export const INDEX_WORKLOADS = ['equality', 'range', 'prefix'] as const;
export type IndexWorkloadName = (typeof INDEX_WORKLOADS)[number];

const LEVELS = 2 ** 30;

export function indexWorkload(name: IndexWorkloadName, share: number): IndexWorkload {
  switch (name) {
    case 'equality':
      return equality(share);
    case 'range':
      return range(share);
    case 'prefix':
      return prefix(share);
  }
}

/** `type` and two of several regions say most, as in section 2 of the performance notes. */
function equality(share: number): IndexWorkload {
  const random = seeded(1);
  // An event passes 2 in `regions` times 1 in `types` times 45 in 100.
  const regions = share < 0.001 ? 90 : 10;
  const types = Math.round(0.9 / (regions * share));
  return {
    title: `type = T AND region IN (A, B) AND priority > N AND subject LIKE 'p%'`,
    filterAt() {
      const region = whole(random, regions);
      const other = (region + 1 + whole(random, regions - 1)) % regions;
      return `type = 'order.t${whole(random, types)}' AND region IN ('r${region}', 'r${other}') AND priority > ${whole(random, 10)} AND subject LIKE 'table-%'`;
    },
    eventAt: (at) =>
      event(at, {
        type: `order.t${whole(random, types)}`,
        region: `r${whole(random, regions)}`,
        priority: whole(random, 10),
      }),
  };
}

/** Half of them say a range with two ends, half a threshold: events are mostly low, so they are beyond few of them. */
function range(share: number): IndexWorkload {
  const random = seeded(2);
  const width = Math.round(LEVELS * share * 2);
  return {
    title: `level >= L AND level <= H AND weight > W AND type LIKE 'order.%'; price > P AND type LIKE 'order.%' AND region != R AND EXISTS subject`,
    filterAt(at) {
      const level = whole(random, LEVELS);
      if (at % 2 === 0) {
        const low = whole(random, LEVELS - width);
        return `level >= ${low} AND level <= ${low + width} AND weight > ${level} AND type LIKE 'order.%'`;
      }
      return `price > ${level} AND type LIKE 'order.%' AND region != 'nowhere' AND EXISTS subject`;
    },
    eventAt: (at) =>
      event(at, { level: whole(random, LEVELS), weight: whole(random, LEVELS), price: whole(random, width) }),
  };
}

/** Half of them say how a text begins, a quarter how it ends, a quarter what is in it. */
function prefix(share: number): IndexWorkload {
  const random = seeded(3);
  const count = Math.round(1 / share);
  const halls = Math.max(1, Math.round(count / 50));
  const hall = () => `site-${whole(random, 50)}/hall-${whole(random, halls)}/`;
  return {
    title: `subject LIKE 'p%' (half), '%s' or '%i%' (a quarter each) AND type LIKE 'order.%' AND region != R AND priority >= 1`,
    filterAt(at) {
      const pattern =
        at % 4 < 2 ? `${hall()}%` : at % 4 === 2 ? `%/seat-${whole(random, count)}` : `%(${whole(random, count)})%`;
      return `subject LIKE '${pattern}' AND type LIKE 'order.%' AND region != 'nowhere' AND priority >= 1`;
    },
    eventAt: (at) =>
      event(at, {
        subject: `${hall()}(${whole(random, count)})/seat-${whole(random, count)}`,
        priority: 1 + whole(random, 9),
      }),
  };
}

function whole(random: () => number, below: number): number {
  return Math.floor(random() * below);
}

function event(at: number, more: Record<string, unknown>): PlainEvent {
  return {
    specversion: '1.0',
    id: `event-${at}`,
    source: '/till/1',
    type: 'order.moved',
    subject: 'table-7',
    time: '2026-11-21T07:00:00.000Z',
    region: 'r1',
    priority: 5,
    ...more,
  };
}
