import type { Address, Manifest } from '@polycast/core';
import { seeded } from '../random.ts';

/** What a handler does with what it is given, each a part of 1; the rest is accepted at once. */
export interface Mood {
  /** Throws, or rejects, all sorts of values. */
  readonly throws: number;
  /** `delivery.reject`. */
  readonly rejects: number;
  /** `delivery.release`. */
  readonly releases: number;
  /** Takes up to 30 ms. */
  readonly slow: number;
  /** Returns, or throws, after up to 800 ms. */
  readonly late: number;
  /** Does not return until the history ends. */
  readonly hangs: number;
}

export interface PlannedSubscription {
  readonly kind: 'plain' | 'durable' | 'group';
  readonly name?: string;
  readonly odd: boolean;
  readonly tries: number;
  readonly concurrency: number;
  readonly mood: Mood;
}

/** Faults that need nothing but the way to the service, or the participants themselves. */
export const WAY_FAULTS = ['cut', 'cut-one', 'delay', 'swallow'] as const;
export const PARTICIPANT_FAULTS = ['crash', 'freeze-participant', 'clock'] as const;
/** Faults of the service itself: a harness has them or not. */
export const SERVICE_FAULTS = [
  'cut-all',
  'freeze-service',
  'kill-service',
  'restart-service',
  'refuse',
  'forbid',
  'trim',
  'wipe',
  'demote',
] as const;
export const FAULTS = [...WAY_FAULTS, ...PARTICIPANT_FAULTS, ...SERVICE_FAULTS] as const;
export type FaultKind = (typeof FAULTS)[number];

/** One step. A step that makes no sense where it stands does nothing, so that any part of a history is one. */
export type Step = { readonly afterMs: number } & (
  | { readonly do: 'join' | 'leave'; readonly slot: number }
  | ({ readonly do: 'subscribe'; readonly slot: number } & PlannedSubscription)
  /** `pick` chooses among the open subscriptions of the slot. */
  | { readonly do: 'close' | 'pause' | 'resume'; readonly slot: number; readonly pick: number }
  | {
      readonly do: 'publish';
      readonly slot: number;
      readonly count: number;
      readonly to: readonly Address[];
      /** Keys are taken in turn; 0: none. */
      readonly keys: number;
      readonly ttlMs?: number;
      /** Characters of padding. */
      readonly size: number;
      /** Does each event get an id of its own from its publisher? Otherwise core makes it. */
      readonly ownIds: boolean;
      /** Waits for each before the next. */
      readonly oneByOne: boolean;
      readonly carbonCopy: boolean;
    }
  /** Publishes an earlier event of the slot again, unchanged. */
  | { readonly do: 'republish'; readonly slot: number; readonly pick: number }
  | {
      readonly do: 'fault';
      readonly kind: FaultKind;
      readonly slot: number;
      readonly forMs: number;
      readonly by: number;
    }
);

export interface Slot {
  readonly instance: string;
  readonly role: string;
}

export const SLOTS: readonly Slot[] = [
  { instance: 'p0', role: 'a' },
  { instance: 'p1', role: 'a' },
  { instance: 'p2', role: 'b' },
];

export interface Plan {
  readonly seed: number;
  /** How much the wall clock of each slot differs from the start, ms. */
  readonly clocksMs: readonly number[];
  readonly steps: readonly Step[];
}

const ADDRESSES: readonly (readonly Address[])[] = [
  ['*'],
  ['*'],
  ['*'],
  ['role:a'],
  ['role:b'],
  ['instance:p0'],
  ['instance:p1'],
  ['role:a', 'instance:p1'],
  ['role:b', 'instance:p1'],
];
const CALM: Mood = { throws: 0, rejects: 0, releases: 0, slow: 0, late: 0, hangs: 0 };

/**
 * The history of a seed. Each uses a part of what there is ("swarm testing"): what is never mixed with everything else
 * happens in some of them, and some have no fault at all.
 */
export function planOf(seed: number, manifest: Manifest, faults: ReadonlySet<FaultKind>): Plan {
  const random = seeded(seed);
  const chance = (part: number) => random() < part;
  const below = (bound: number) => Math.floor(random() * bound);
  const among = <Value>(values: readonly Value[]): Value => values[below(values.length)]!;
  const has = (name: keyof Manifest['capabilities']) => manifest.capabilities[name].level !== 'none';

  const kinds: PlannedSubscription['kind'][] = ['plain', 'plain'];
  if (has('durable') && chance(0.5)) kinds.push('durable');
  if (has('groups') && chance(0.6)) kinds.push('group', 'group');
  const usesGroups = kinds.includes('group');
  const carbonCopy = has('carbonCopy') && (usesGroups || chance(0.2));
  const addresses = has('role') && has('instance') && chance(0.5) ? ADDRESSES : [['*'] as const];
  const keys = has('partitionKey') && chance(0.6) ? 1 + below(5) : 0;
  const isBrief = has('ttl') && chance(0.25);
  const republishes = has('dedupe') && chance(0.25);
  const moody = chance(0.5);
  const mood: Mood = moody
    ? {
        throws: chance(0.6) ? 0.15 : 0,
        rejects: chance(0.3) ? 0.05 : 0,
        releases: chance(0.3) ? 0.05 : 0,
        slow: chance(0.5) ? 0.3 : 0,
        late: chance(0.3) ? 0.02 : 0,
        hangs: chance(0.15) ? 0.01 : 0,
      }
    : { ...CALM, slow: chance(0.3) ? 0.3 : 0 };
  const allowed = chance(0.08) ? [] : [...faults].filter(() => chance(0.5));
  const comesAndGoes = chance(0.6);

  const subscription = (): PlannedSubscription => {
    const kind = among(kinds);
    const odd = kind !== 'group' && chance(0.15);
    const group = chance(0.75) ? 'g' : 'h';
    return {
      kind,
      ...(kind === 'plain' ? {} : { name: kind === 'group' ? group : odd ? 'odd' : 'd' }),
      odd,
      tries: usesGroups || kind === 'durable' ? 3 : 2 + below(3),
      concurrency: keys > 0 && chance(0.3) ? 4 : 1,
      mood,
    };
  };

  const steps: Step[] = SLOTS.map((_, slot) => ({ do: 'join', slot, afterMs: 0 }) as const);
  for (const slot of [1, 2]) steps.push({ do: 'subscribe', slot, ...subscription(), afterMs: 0 });
  // Two members in one role, and a group of the same name in another.
  if (usesGroups)
    for (const slot of [0, 1, 2])
      steps.push({
        do: 'subscribe',
        slot,
        ...subscription(),
        kind: 'group',
        name: 'g',
        odd: false,
        tries: 3,
        afterMs: 0,
      });
  // Long enough to be worth the start of its processes.
  const length = 20 + below(60);
  for (let at = 0; at < length; at++) {
    const slot = below(SLOTS.length);
    const afterMs = chance(0.5) ? 0 : below(60);
    const dice = random();
    if (dice < 0.4) {
      const many = chance(0.3);
      steps.push({
        do: 'publish',
        slot: chance(0.6) ? 0 : slot,
        count: many ? 20 + below(60) : 1 + below(8),
        to: among(addresses),
        keys,
        ...(isBrief && chance(0.4) ? { ttlMs: 20 + below(300) } : {}),
        size: chance(0.15) ? 4_000 : 0,
        ownIds: chance(0.4),
        oneByOne: chance(0.3),
        carbonCopy,
        afterMs,
      });
    } else if (dice < 0.8 && allowed.length > 0) {
      const kind = among(allowed);
      steps.push({ do: 'fault', kind, slot, forMs: lengthOf(kind, random), by: random(), afterMs });
    } else if (dice < 0.86) steps.push({ do: 'subscribe', slot, ...subscription(), afterMs });
    else if (dice < 0.9) steps.push({ do: chance(0.5) ? 'pause' : 'resume', slot, pick: below(4), afterMs });
    else if (dice < 0.93) steps.push({ do: 'close', slot, pick: below(4), afterMs });
    else if (dice < 0.95 && republishes) steps.push({ do: 'republish', slot, pick: below(100), afterMs });
    else if (comesAndGoes) steps.push({ do: chance(0.4) ? 'leave' : 'join', slot, afterMs });
    else steps.push({ do: 'join', slot, afterMs });
  }
  const isSkewed = allowed.includes('clock') && chance(0.4);
  const clocksMs = SLOTS.map(() => (isSkewed && chance(0.5) ? Math.round((random() - 0.5) * 2_400_000) : 0));
  return { seed, clocksMs, steps };
}

/** How long a fault lasts, ms; 0: it is over at once. */
function lengthOf(kind: FaultKind, random: () => number): number {
  switch (kind) {
    case 'delay':
      return 100 + random() * 400;
    case 'swallow':
      return 100 + random() * 900;
    case 'freeze-service':
    case 'freeze-participant':
      return 50 + random() * 700;
    case 'kill-service':
    case 'forbid':
      return 20 + random() * 400;
    case 'refuse':
      return 1 + random() * 60;
    case 'demote':
      return 50 + random() * 300;
    default:
      return 0;
  }
}
