import { expect, test } from 'vitest';
import { connect, type SubscribeOptions } from '../src/index.ts';
import { LoopTransport, leaseOf, stranger } from './loop-transport.ts';

const TO_BOTH = { to: 'role:r,instance:me' };

async function listen(options: SubscribeOptions) {
  const transport = new LoopTransport({ settlement: 'native', groups: 'native' });
  const me = await connect({ transport, topic: 't', self: { role: 'r', instance: 'me' } });
  const got: unknown[] = [];
  await me.subscribe((event) => void got.push(event.data), options);
  return { transport, me, got };
}

/** As Polycast writes it: the id says who made it, and which it is. */
const own = (data: string, attributes: Record<string, string> = {}) =>
  stranger(data, { id: `mgq2h0x91a2b3c.${data}`, sequence: `mgq2h0x91a2b3c.1${data}`, ...attributes });

test.each([{ group: 'g' }, {}])('an event that comes by two of our addresses is handled once: %j', async (options) => {
  const { transport, me, got } = await listen(options);
  const leases = [leaseOf(), leaseOf(), leaseOf(2)];
  for (const lease of leases) transport.receive(own('1', TO_BOTH), lease);
  transport.receive(own('2', TO_BOTH), leaseOf());
  await me.close();
  // The third comes again although it was accepted.
  expect(got).toEqual(['1', '2']);
  expect(leases.map(({ settled }) => settled)).toEqual([['accept'], ['accept'], ['accept']]);
});

test('a member of a group handles an event once that was published twice', async () => {
  const { transport, me, got } = await listen({ group: 'g' });
  const leases = [leaseOf(), leaseOf()];
  for (const lease of leases) transport.receive(own('1'), lease);
  await me.close();
  expect(got).toEqual(['1']);
  expect(leases.map(({ settled }) => settled)).toEqual([['accept'], ['accept']]);
});
