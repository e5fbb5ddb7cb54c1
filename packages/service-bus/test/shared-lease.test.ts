import type { Settlement } from '@polycast/core/adapter';
import { expect, it } from 'vitest';
import { type MessageLease, SharedLease } from '../src/message-lease.ts';

it('what the service did not hear of a message with several events is said again, when it is asked for again', async () => {
  const said: Settlement['kind'][] = [];
  const lease = {
    attempt: 1,
    ageMs: undefined,
    settle: async ({ kind }: Settlement) => {
      said.push(kind);
      if (said.length === 1) throw new Error('not heard');
    },
    renew: async () => {},
  };
  const shared = new SharedLease(lease as unknown as MessageLease, 2);
  const [one, other] = [shared.part(), shared.part()];
  await one.settle({ kind: 'accept' });
  const setAside = () => other.settle({ kind: 'dead-letter', reason: 'burnt' });
  await expect(setAside()).rejects.toThrow('not heard');
  await setAside();
  expect(said).toEqual(['dead-letter', 'dead-letter']);
});
