/** `type = T AND region IN (A, B) AND priority > N AND subject LIKE 'p%'`, as data for every contender to write. */
export interface FilterSpec {
  readonly type: string;
  readonly regions: readonly [string, string];
  readonly above: number;
  readonly prefix: string;
}

/** Eight attributes. */
export interface PlainEvent {
  readonly [attribute: string]: unknown;
  readonly specversion: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly region: string;
  readonly priority: number;
}

/** The same sequence in every process, between 0 and 1. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

export function cesqlOf({ type, regions, above, prefix }: FilterSpec): string {
  return `type = '${type}' AND region IN ('${regions[0]}', '${regions[1]}') AND priority > ${above} AND subject LIKE '${prefix}%'`;
}

export const EXAMPLE: FilterSpec = {
  type: 'order.moved',
  regions: ['north', 'west'],
  above: 4,
  prefix: 'table-1',
};

/** Distinct filters, as many programs would have them. */
export function makeSpec(at: number): FilterSpec {
  return {
    type: `order.moved${at % 50}`,
    regions: [`north${at % 7}`, `west${at % 11}`],
    above: at % 9,
    prefix: `table-${at}`,
  };
}

const TYPES = ['order.moved', 'order.paid', 'order.cancelled', 'table.cleared'];
const REGIONS = ['north', 'east', 'south', 'west'];

/** Events of all kinds: of four types and regions, ten priorities, and forty tables. */
export function makeEvents(count: number): PlainEvent[] {
  const random = seeded(7);
  const one = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)]!;
  return Array.from({ length: count }, (_, at) => ({
    specversion: '1.0',
    id: `event-${at}`,
    source: '/till/1',
    type: one(TYPES),
    subject: `table-${Math.floor(random() * 40)}`,
    time: '2026-11-21T07:00:00.000Z',
    region: one(REGIONS),
    priority: Math.floor(random() * 10),
  }));
}

/** Every one of them passes {@link EXAMPLE}, so every clause is looked at. */
export function makePassingEvents(count: number): PlainEvent[] {
  return makeEvents(count).map((event, at) => ({
    ...event,
    type: EXAMPLE.type,
    region: EXAMPLE.regions[at % 2]!,
    priority: 5 + (at % 5),
    subject: `table-1${at % 10}`,
  }));
}
