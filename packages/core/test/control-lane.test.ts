import { afterEach, expect, test, vi } from 'vitest';
import type { Outgoing } from '../src/adapter.ts';
import { type Broadcaster, connect } from '../src/index.ts';
import { BroadcastEvent, LoopTransport, stranger } from './loop-transport.ts';

const EVERYWHERE = ['*', 'role:r', 'instance:me'];
const CONTROL = 'role:~control';

const openOnes: Broadcaster[] = [];

async function open(levels: ConstructorParameters<typeof LoopTransport>[0] = {}) {
  const transport = new LoopTransport(levels);
  const me = await connect({ transport, topic: 't', self: { role: 'r', instance: 'me' } });
  openOnes.push(me);
  const sources = () => transport.sinks.map(({ request }) => request.addresses);
  return { transport, me, sources };
}

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

test('a member of a group reads each event once: roll calls and replies come through a source of their own', async () => {
  const { transport, me, sources } = await open({ settlement: 'native', groups: 'native' });
  await me.subscribe(() => {}, { group: 'g' });
  expect(sources()).toEqual([EVERYWHERE, [CONTROL, 'instance:me']]);

  transport.loops = false;
  transport.sinks[1]?.sink.deliver(event('polycast.roll-call', { instance: 'other', role: 'r', forMs: 60_000 }));
  await vi.waitFor(() => expect(transport.sent.flat().map(({ event, to }) => [event.type, to])).toEqual([HEARTBEAT]));
});

test('a subscription that gets everything hears control itself', async () => {
  for (const settlement of ['native', 'emulated'] as const) {
    const { me, sources } = await open({ settlement });
    await me.subscribe(() => {});
    await me.subscribe(() => {}, { concurrency: 2 });
    const all = [...EVERYWHERE, CONTROL];
    expect(sources()).toEqual(settlement === 'native' ? [all, all] : [all]);
  }
});

test('who only asks reads replies and heartbeats, and no events', async () => {
  const { transport, me, sources } = await open();
  const asked = me.request({ type: 'who' }, { expect: 1 });
  await vi.waitFor(() => expect(transport.sent.flat()).toHaveLength(1));
  expect(sources()).toEqual([[CONTROL, 'instance:me']]);
  const { correlationid, replyto } = (transport.sent.flat()[0] as Outgoing).event;
  expect(replyto).toBe('instance:me');
  transport.receive(stranger('here', { type: 'polycast.reply', correlationid: correlationid as string }));
  expect((await asked).map(({ data }) => data)).toEqual(['here']);

  // Later subscriptions have a source that brings events too.
  const got: unknown[] = [];
  await me.subscribe((told) => void got.push(told.data));
  expect(sources()).toEqual([
    [CONTROL, 'instance:me'],
    [...EVERYWHERE, CONTROL],
  ]);
  transport.sinks[1]?.sink.deliver(event('told', 1));
  expect(got).toEqual([1]);
});

test('nobody can take the name of the control lane, or publish there', async () => {
  const { transport, me } = await open();
  await expect(me.publish({ type: 'x' }, { to: CONTROL })).rejects.toMatchObject({ code: 'invalid-address' });
  await me.members({ timeoutMs: 0 });
  await expect(me.publish({ type: 'x' }, { to: CONTROL })).rejects.toMatchObject({ code: 'invalid-address' });
  await expect(connect({ transport, topic: 't', self: { role: '~control' } })).rejects.toMatchObject({
    code: 'invalid-address',
  });
});

const HEARTBEAT = ['polycast.heartbeat', [CONTROL]];

function event(type: string, data: unknown): BroadcastEvent {
  return new BroadcastEvent({ type, source: '/r/other', id: crypto.randomUUID(), data });
}
