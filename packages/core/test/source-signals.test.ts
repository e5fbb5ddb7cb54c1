import { afterEach, expect, test, vi } from 'vitest';
import { BroadcastEvent, type Lease, PolycastError } from '../src/adapter.ts';
import { type Broadcaster, connect, type Signal } from '../src/index.ts';
import { LoopTransport } from './loop-transport.ts';

/** What one source reports is heard by its own subscriptions, and by the broadcaster's listeners. */

const openOnes: Broadcaster[] = [];

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

async function open(levels: ConstructorParameters<typeof LoopTransport>[0] = { groups: 'native' }) {
  const transport = new LoopTransport({ ...levels, members: 'none', request: 'none' });
  const all: Signal[] = [];
  const me = await connect({ transport, topic: 't', self: { instance: 'me' }, onSignal: (signal) => all.push(signal) });
  openOnes.push(me);
  const listen = async (options: object) => {
    const signals: Signal[] = [];
    const subscription = await me.subscribe(() => {}, { ...options, onSignal: (signal) => signals.push(signal) });
    return { subscription, signals, sink: sinkOf(transport) };
  };
  return { transport, me, all, listen };
}

/** The latest that is not for the instance alone. */
const sinkOf = ({ sinks }: LoopTransport) => sinks.findLast(({ request }) => request.addresses.includes('*'))!.sink;

const GAP: Signal = { kind: 'gap', reason: 'trimmed' };

test('a gap of one source is not signalled to the others', async () => {
  const { all, listen } = await open();
  const one = await listen({ group: 'a' });
  const other = await listen({ group: 'b' });
  const shared = await listen({});
  const sharing = await listen({});
  one.sink.signal(GAP);
  expect([one, other, shared, sharing].map(({ signals }) => signals.length)).toEqual([1, 0, 0, 0]);
  shared.sink.signal(GAP);
  expect([one, other, shared, sharing].map(({ signals }) => signals.length)).toEqual([1, 0, 1, 1]);
  expect(all).toEqual([GAP, GAP]);
});

test('what concerns the whole link is signalled to all', async () => {
  const { transport, all, listen } = await open();
  const [one, other] = [await listen({ group: 'a' }), await listen({})];
  const signal: Signal = { kind: 'disconnected', error: new PolycastError('disconnected', 'gone') };
  transport.context?.signal(signal);
  expect([one.signals, other.signals, all]).toEqual([[signal], [signal], [signal]]);
});

test('a settlement that fails is signalled to the subscription that it belongs to, also while that closes', async () => {
  const { listen } = await open({ groups: 'native', settlement: 'native' });
  const [one, other] = [await listen({ group: 'a' }), await listen({ group: 'b' })];
  const lease = (): Lease => ({
    attempt: 1,
    settle: async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new PolycastError('lock-lost', 'too late');
    },
  });
  const event = (id: string) =>
    new BroadcastEvent({ type: 'x', source: 's', id, time: 0, expiresAtMs: Number.POSITIVE_INFINITY, data: 1 });
  one.sink.deliver(event('1'), lease());
  await vi.waitFor(() => expect(one.signals).toMatchObject([{ kind: 'failed', what: 'settle' }]));
  one.sink.deliver(event('2'), lease());
  await one.subscription.close();
  expect(one.signals.length).toBe(2);
  expect(other.signals).toEqual([]);
});

test('an event that expired is signalled once for each source and publisher, and once to the broadcaster', async () => {
  const { me, all, listen } = await open();
  const late = (source: string, id: string) =>
    new BroadcastEvent({ type: 'x', source, id, time: 0, expiresAtMs: 1, data: 1 });
  const [one, other] = [await listen({ group: 'a' }), await listen({ group: 'b' })];
  for (const id of ['1', '2']) one.sink.deliver(late('s', id));
  expect([one.signals.length, other.signals.length, all.length]).toEqual([1, 0, 1]);
  other.sink.deliver(late('s', '3'));
  expect([one.signals.length, other.signals.length, all.length]).toEqual([1, 1, 1]);
  one.sink.deliver(late('another', '4'));
  expect([one.signals.length, other.signals.length, all.length]).toEqual([2, 1, 2]);
  expect(me.dropped.expired).toBe(4);
});
