import { divideLease, type Lease, type Settlement } from '@polycast/core/adapter';
import { expect, it } from 'vitest';

function heldOnce(more: Partial<Lease> = {}) {
  const settled: Settlement[] = [];
  const lease: Lease = {
    attempt: 3,
    ageMs: 7,
    position: '42',
    settle: (settlement) => void settled.push(settlement),
    ...more,
  };
  return { lease, settled };
}

const ACCEPT: Settlement = { kind: 'accept' };

it('is settled once, with the last share', () => {
  const { lease, settled } = heldOnce();
  const shares = divideLease(lease, 3);
  shares[2]?.settle(ACCEPT);
  shares[0]?.settle(ACCEPT);
  expect(settled).toEqual([]);
  shares[1]?.settle(ACCEPT);
  expect(settled).toEqual([ACCEPT]);
});

it.each<[string, Settlement[], Settlement]>([
  ['set aside if one is', [{ kind: 'dead-letter', reason: 'burnt' }, ACCEPT], { kind: 'dead-letter', reason: 'burnt' }],
  [
    'comes again if one is to, and is not set aside then',
    [
      { kind: 'release', delayMs: 5, attempts: 2 },
      { kind: 'dead-letter', reason: 'burnt' },
    ],
    { kind: 'release', delayMs: 5, attempts: 2 },
  ],
  [
    'comes again after the longest delay, with the greatest number of attempts',
    [
      { kind: 'release', delayMs: 5, attempts: 2 },
      { kind: 'release', delayMs: 9, attempts: 1 },
    ],
    { kind: 'release', delayMs: 9, attempts: 2 },
  ],
  [
    'says nothing of attempts if no share does',
    [
      { kind: 'release', delayMs: 0 },
      { kind: 'release', delayMs: 1 },
    ],
    { kind: 'release', delayMs: 1 },
  ],
])('%s', (_, settlements, outcome) => {
  for (const order of [settlements, [...settlements].reverse()]) {
    const { lease, settled } = heldOnce();
    const shares = divideLease(lease, order.length);
    for (const [at, settlement] of order.entries()) shares[at]?.settle(settlement);
    expect(settled).toEqual([outcome]);
  }
});

it('what the service did not take is said again when the share that was refused asks again', async () => {
  const said: Settlement['kind'][] = [];
  const { lease } = heldOnce({
    async settle({ kind }) {
      said.push(kind);
      if (said.length === 1) throw new Error('not heard');
    },
  });
  const [one, other] = divideLease(lease, 2) as [Lease, Lease];
  await one.settle(ACCEPT);
  const setAside = async () => other.settle({ kind: 'dead-letter', reason: 'burnt' });
  await expect(setAside()).rejects.toThrow('not heard');
  await setAside();
  expect(said).toEqual(['dead-letter', 'dead-letter']);
});

it('has the attempt and the age of the whole, and its position with the last share alone: what follows it follows the message', () => {
  const shares = divideLease(heldOnce({ lockedForMs: 9 }).lease, 2);
  expect(shares.map(({ attempt, ageMs, lockedForMs, position }) => [attempt, ageMs, lockedForMs, position])).toEqual([
    [3, 7, 9, undefined],
    [3, 7, 9, '42'],
  ]);
  expect(shares[0]?.renew).toBeUndefined();
});

it('renewals that are asked for at once are one', async () => {
  let renewals = 0;
  const { lease } = heldOnce({
    async renew() {
      renewals++;
    },
  });
  const shares = divideLease(lease, 3);
  await Promise.all(shares.map((share) => share.renew?.()));
  expect(renewals).toBe(1);
  await shares[1]?.renew?.();
  expect(renewals).toBe(2);
});
