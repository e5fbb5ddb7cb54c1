import type { Address, Outgoing } from '@polycast/core/adapter';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slotOf } from '../src/client.ts';
import { channelOf, compareIds, formatPosition, parcelsOf, parsePosition, startIdOf } from '../src/wire.ts';
import { outgoing } from './link.ts';

const address = fc.constantFrom<Address>('*', 'role:a', 'role:b', 'instance:x');
const batch = fc.array(
  fc.tuple(
    fc.uniqueArray(address, { minLength: 1 }),
    fc.constantFrom('t', 't.dead-letter'),
    fc.constantFrom(undefined, undefined, 'k1', 'k2'),
  ),
  { minLength: 1, maxLength: 30 },
);

describe('parcelsOf', () => {
  it('brings every event to each of its channels once, in order, batched or not', () => {
    fc.assert(
      fc.property(batch, fc.boolean(), fc.boolean(), (events, batched, keyedAlone) => {
        const out: Outgoing[] = events.map(([to, topic, key], id) => outgoing(topic, String(id), to, id, key));
        const seen = new Map<string, string[]>();
        const isAlone = (index: number) =>
          !batched || (keyedAlone && (out[index] as Outgoing).event.partitionkey !== undefined);
        const last = new Map<string, readonly number[]>();
        for (const { channel, payload, indexes } of parcelsOf('p', out, { batched, keyedAlone })) {
          const ids = ([JSON.parse(payload)].flat() as { id: string }[]).map(({ id }) => id);
          expect(ids).toEqual(indexes.map(String));
          if (indexes.length > 1) expect(indexes.some(isAlone)).toBe(false);
          // As few as the order allows.
          const before = last.get(channel);
          if (before !== undefined) expect([...before, ...indexes].some(isAlone)).toBe(true);
          last.set(channel, indexes);
          seen.set(channel, [...(seen.get(channel) ?? []), ...ids]);
        }
        const wanted = new Map<string, string[]>();
        out.forEach(({ to, topic }, id) => {
          for (const one of to) {
            const channel = channelOf('p', topic, one);
            wanted.set(channel, [...(wanted.get(channel) ?? []), String(id)]);
          }
        });
        expect(new Map([...seen].sort())).toEqual(new Map([...wanted].sort()));
      }),
    );
  });

  it('puts an event between two of another address where it belongs', () => {
    const out = [outgoing('t', '0'), outgoing('u', '1'), outgoing('t', '2')];
    expect(
      parcelsOf('p', out, { batched: true, keyedAlone: true }).map(({ channel, indexes }) => [channel, indexes]),
    ).toEqual([
      ['p:{t}:*', [0, 2]],
      ['p:{u}:*', [1]],
    ]);
  });
});

describe('positions', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.option(fc.nat(999_999), { nil: undefined }), address, (ms, seq, index, at) => {
        const position = { id: `${ms}-${seq}`, index, address: at };
        expect(parsePosition(formatPosition(position))).toEqual(position);
      }),
    );
  });

  it.each(['', 'x', '1', '1-', '-1', '1-1.', '1-1@', '1-1@*', '1-1.2.3', '99999999999999999-1'])(
    '%j is none',
    (text) => {
      expect(parsePosition(text)).toBeUndefined();
    },
  );

  it.each([
    ['new', '*', undefined],
    ['earliest', '*', '0-0'],
    [{ timeMs: 0 }, '*', '0-0'],
    [{ timeMs: 5 }, '*', '4-18446744073709551615'],
    [{ after: '7-3' }, '*', '7-3'],
    [{ after: '7-3.1' }, '*', '7-2'],
    [{ after: '7-0.1' }, '*', '6-18446744073709551615'],
    [{ after: '7-3' }, 'role:a', '6-18446744073709551615'],
    [{ after: '7-3@role:a' }, 'role:a', '7-3'],
  ] as const)('from %j on %s is after %s', (from, at, id) => {
    expect(startIdOf(from, at)).toBe(id);
  });

  it('compare as numbers', () => {
    expect(compareIds('9-1', '10-0')).toBe(-1);
    expect(compareIds('10-10', '10-9')).toBe(1);
    expect(compareIds('1-18446744073709551615', '1-18446744073709551614')).toBe(1);
    expect(compareIds('3-3', '3-3')).toBe(0);
  });
});

describe('slotOf', () => {
  // From the cluster specification, and from CLUSTER KEYSLOT.
  it.each([
    ['123456789', 12739],
    ['foo', 12182],
    ['{foo}bar', 12182],
  ])('%s is %i', (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });
});
