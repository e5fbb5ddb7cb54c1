import type { Address } from '@polycast/core';
import * as fc from 'fast-check';

/** Participants a history plays with: two of each role. A slot that is not joined ignores its steps. */
export const SLOTS = [
  { role: 'a', instance: 'p0' },
  { role: 'a', instance: 'p1' },
  { role: 'b', instance: 'p2' },
  { role: 'b', instance: 'p3' },
] as const;

/** One step of a history. A step that makes no sense where it stands does nothing, so that any part of a history is one. */
export type Step =
  | { readonly kind: 'join' | 'leave'; readonly slot: number }
  | { readonly kind: 'subscribe'; readonly slot: number; readonly group: boolean }
  /** `pick` chooses among the subscriptions that are open. */
  | { readonly kind: 'close' | 'pause' | 'resume'; readonly pick: number }
  | {
      readonly kind: 'publish';
      readonly slot: number;
      readonly to: readonly Address[];
      readonly carbonCopy: boolean;
      readonly brief: boolean;
    }
  /** Lets the clock pass the expiry of everything brief. */
  | { readonly kind: 'clock' }
  | { readonly kind: 'cut' };

/** What may occur in a history. */
export interface Ingredients {
  readonly groups: boolean;
  readonly expiry: boolean;
  readonly addresses: boolean;
  readonly carbonCopy: boolean;
  readonly cut: boolean;
}

const ADDRESSES: readonly (readonly Address[])[] = [
  ['*'],
  ['*'],
  ['role:a'],
  ['role:b'],
  ['instance:p1'],
  ['instance:p3'],
  ['role:a', 'instance:p1'],
  ['role:b', 'instance:p0'],
  ['*', 'role:a'],
  ['role:nobody'],
];

/** Histories of up to forty steps. */
export function histories(allowed: Ingredients): fc.Arbitrary<readonly Step[]> {
  const slot = fc.nat(SLOTS.length - 1);
  const pick = fc.nat(7);
  const steps: fc.WeightedArbitrary<Step>[] = [
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('join' as const), slot }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), slot }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('subscribe' as const),
        slot,
        group: allowed.groups ? fc.boolean() : fc.constant(false),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constantFrom('close' as const, 'pause' as const, 'resume' as const), pick }),
    },
    {
      weight: 12,
      arbitrary: fc.record({
        kind: fc.constant('publish' as const),
        slot,
        to: allowed.addresses ? fc.constantFrom(...ADDRESSES) : fc.constant(['*'] as const),
        carbonCopy: allowed.carbonCopy ? fc.boolean() : fc.constant(false),
        brief: allowed.expiry ? fc.boolean() : fc.constant(false),
      }),
    },
  ];
  if (allowed.expiry) steps.push({ weight: 1, arbitrary: fc.constant({ kind: 'clock' } as const) });
  if (allowed.cut) steps.push({ weight: 1, arbitrary: fc.constant({ kind: 'cut' } as const) });
  return fc.array(fc.oneof(...steps), { maxLength: 40 });
}
