import { afterEach, expect, test } from 'vitest';
import { type Broadcaster, connect, type Signal, type SubscribeOptions } from '../src/index.ts';
import { LoopTransport, leaseOf, stranger } from './loop-transport.ts';

const openOnes: Broadcaster[] = [];
afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

/** A transport that brings everything to everyone, whatever was asked for. */
async function listen(options: SubscribeOptions = {}) {
  const transport = new LoopTransport({ settlement: 'native', groups: 'native' });
  const me = await connect({ transport, topic: 't', self: { role: 'kitchen', instance: 'k1' } });
  openOnes.push(me);
  const seen: unknown[] = [];
  const signals: Signal[] = [];
  me.onSignal((signal) => signals.push(signal));
  await me.subscribe(({ data }) => void seen.push(data), options);
  return { transport, me, seen, signals };
}

test.each([
  ['everyone', undefined, true],
  ['everyone, by name', '*', true],
  ['the role', 'role:kitchen', true],
  ['the instance', 'instance:k1', true],
  ['several, one of them ours', 'instance:b1,role:kitchen', true],
  ['another role', 'role:bar', false],
  ['a role whose name begins alike', 'role:kitchen2', false],
  ['another instance', 'instance:k2', false],
  ['several, none of them ours', 'instance:k2,role:bar', false],
  ['what is not an address: another program has another use for the attribute', 'someone@example.com', true],
])('an event for %s: %j', async (_, to, isOurs) => {
  const { transport, me, seen, signals } = await listen();
  const lease = leaseOf();
  transport.receive(stranger('event', to === undefined ? {} : { to }), lease);
  expect(seen).toEqual(isOurs ? ['event'] : []);
  expect(lease.settled).toEqual(['accept']);
  expect(signals).toEqual([]);
  expect(me.dropped).toEqual({ expired: 0, duplicates: 0, overflow: 0, corrupt: 0 });
});

test('what is for others leaves no holes in what is ours', async () => {
  const { transport, seen, signals } = await listen();
  const numbered = (number: number, to?: string) =>
    stranger(number, { source: '/till/t1', sequence: `epoch.1${number}`, ...(to !== undefined && { to }) });
  for (const [number, to] of [[1], [1, 'role:bar'], [5, 'role:bar'], [2]] as [number, string?][]) {
    transport.receive(numbered(number, to), leaseOf());
  }
  expect([seen, signals]).toEqual([[1, 2], []]);
});

test('a group gets what is for everyone and its role; what is for the instance comes past it', async () => {
  const { transport, seen } = await listen({ group: 'g' });
  const [group, direct] = transport.sinks.map(({ sink }) => sink);
  const deliver = (to: string | undefined, data: string, sink: typeof group) => {
    const only = transport.sinks.findIndex((one) => one.sink === sink);
    const [one] = transport.sinks.splice(only, 1);
    transport.sinks.unshift(one!);
    transport.receive(stranger(data, to === undefined ? {} : { to }), leaseOf());
  };
  deliver(undefined, 'everyone', group);
  deliver('role:kitchen', 'role', group);
  deliver('instance:k1', 'instance, by the group', group);
  deliver('instance:k1', 'instance', direct);
  deliver(undefined, 'everyone, again', direct);
  expect(seen).toEqual(['everyone', 'role', 'instance']);
});

test('a dead letter comes to whoever listens where it is kept, with the addresses that it had', async () => {
  const { transport, seen } = await listen();
  transport.receive(stranger('letter', { to: 'role:bar', deadletterreason: 'burnt' }), leaseOf());
  expect(seen).toEqual(['letter']);
});
