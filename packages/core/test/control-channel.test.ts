import { afterEach, expect, test, vi } from 'vitest';
import { type Outgoing, PolycastError } from '../src/adapter.ts';
import { type Broadcaster, connect, type Signal } from '../src/index.ts';
import { BroadcastEvent, LoopTransport, stranger } from './loop-transport.ts';

const EVERYWHERE = ['*', 'role:r', 'instance:me'];
const GROUP = ['*', 'role:r'];
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
  expect(sources()).toEqual([GROUP, [CONTROL, 'instance:me']]);

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
  const asked = me.request({ type: 'who' }, { maxReplies: 1 });
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

const OWN = [CONTROL, 'instance:me'];
const SETTLES = ['native', 'emulated'] as const;

function rollCall(transport: LoopTransport): void {
  transport.loops = false;
  for (const { sink, request } of transport.sinks) {
    if (!request.addresses.includes(CONTROL)) continue;
    sink.deliver(event('polycast.roll-call', { instance: 'other', role: 'r', forMs: 60_000 }));
  }
}

test.each(SETTLES)(
  'the one that hears control closes, a member of a group stays: settlement %s',
  async (settlement) => {
    const { transport, me, sources } = await open({ settlement, groups: 'native' });
    const plain = await me.subscribe(() => {});
    await me.subscribe(() => {}, { group: 'g' });
    await plain.close();
    expect(sources()).toEqual([GROUP, OWN]);
    rollCall(transport);
    await vi.waitFor(() => expect(transport.sent.flat().map(({ event, to }) => [event.type, to])).toEqual([HEARTBEAT]));
  },
);

const ALL = [...EVERYWHERE, CONTROL];

test('who pauses hears roll calls through a source of their own from then on, once each', async () => {
  const { transport, me, sources } = await open({ settlement: 'native' });
  const one = await me.subscribe(() => {});
  expect(sources()).toEqual([ALL]);
  one.pause();
  await vi.waitFor(() => expect(sources()).toEqual([ALL, OWN]));
  transport.loops = false;
  const call = event('polycast.roll-call', { instance: 'other', role: 'r', forMs: 60_000 });
  transport.sinks[1]?.sink.deliver(call);
  await vi.waitFor(() => expect(transport.sent.flat().map(({ event, to }) => [event.type, to])).toEqual([HEARTBEAT]));
  one.resume();
  transport.sinks[0]?.sink.deliver(call);
  await pass();
  expect(transport.sent.flat()).toHaveLength(1);
});

test('where what comes is shared out here, who pauses holds up nothing and opens nothing', async () => {
  const { me, sources } = await open({ settlement: 'emulated' });
  (await me.subscribe(() => {})).pause();
  await pass();
  expect(sources()).toEqual([ALL]);
});

test.each([
  ['request', (me: Broadcaster) => me.request({ type: 'who' }, { maxReplies: 1, timeoutMs: 60_000 })],
  ['members', (me: Broadcaster) => me.members({ timeoutMs: 60_000 })],
])('who asks while events may hold up its subscription hears the answers beside it: %s', async (_, ask) => {
  const { transport, me, sources } = await open({ settlement: 'native' });
  transport.loops = false;
  await me.subscribe(() => {});
  Promise.resolve(ask(me)).catch(() => {});
  await vi.waitFor(() => expect(transport.sent.flat()).toHaveLength(1));
  expect(sources()).toEqual([ALL, OWN]);
});

test('the one that hears control closes, and the other is paused: roll calls do not wait behind it', async () => {
  const { me, sources } = await open({ settlement: 'native' });
  const one = await me.subscribe(() => {});
  (await me.subscribe(() => {})).pause();
  await one.close();
  expect(sources()).toEqual([[...EVERYWHERE, CONTROL], OWN]);
});

test('but where no further source may be opened the paused one has to do', async () => {
  const { transport, me, sources } = await open({ settlement: 'native' });
  const one = await me.subscribe(() => {});
  (await me.subscribe(() => {})).pause();
  transport.onSubscribe = () => Promise.reject(new PolycastError('not-found', 'nothing may be created here'));
  const signals: Signal[] = [];
  me.onSignal((signal) => signals.push(signal));
  await one.close();
  expect([sources(), signals]).toEqual([[[...EVERYWHERE, CONTROL]], []]);
});

test.each(SETTLES)('one closes that hears control, and another subscribes: settlement %s', async (settlement) => {
  const { transport, me, sources } = await open({ settlement });
  await (await me.subscribe(() => {})).close();
  expect(sources()).toEqual([]);
  await me.subscribe(() => {});
  rollCall(transport);
  await vi.waitFor(() => expect(transport.sent.flat().map(({ event, to }) => [event.type, to])).toEqual([HEARTBEAT]));
});

test.each(SETTLES)('replies come, once each, although the subscription closes: settlement %s', async (settlement) => {
  const { transport, me } = await open({ settlement });
  transport.loops = false;
  const plain = await me.subscribe(() => {});
  const asked = me.request({ type: 'who' }, { maxReplies: 3 });
  await vi.waitFor(() => expect(transport.sent.flat()).toHaveLength(1));
  const { correlationid } = (transport.sent.flat()[0] as Outgoing).event as { correlationid?: string };
  const reply = (data: string) =>
    transport.receive(stranger(data, { type: 'polycast.reply', correlationid: correlationid! }));
  reply('before');
  let settle!: () => void;
  transport.onSubscribe = () => new Promise((resolve) => (settle = resolve));
  const closing = plain.close();
  await pass();
  reply('meanwhile');
  settle?.();
  await pass();
  // By both, if the one has not ended yet.
  reply('after');
  await closing;
  expect((await asked).map(({ data }) => data)).toEqual(['before', 'meanwhile', 'after']);
});

test('closing the broadcaster opens nothing, whatever is expected', async () => {
  const { transport, me } = await open({ settlement: 'native', groups: 'native' });
  transport.loops = false;
  await me.subscribe(() => {});
  await me.subscribe(() => {}, { group: 'g' });
  await me.members({ timeoutMs: 0 });
  const opened = vi.fn();
  transport.onSubscribe = opened;
  await me.close();
  expect(opened).not.toHaveBeenCalled();
  expect(transport.sinks).toEqual([]);
});

test('a control source that could not be opened is tried again', async () => {
  const { transport, me, sources } = await open({ settlement: 'native', groups: 'native' });
  transport.onSubscribe = ({ addresses }) => {
    if (addresses.includes(CONTROL)) throw new PolycastError('unreachable', 'for now');
  };
  await expect(me.subscribe(() => {}, { group: 'g' })).rejects.toMatchObject({ code: 'unreachable' });
  await expect(me.members()).rejects.toMatchObject({ code: 'unreachable' });
  expect(sources()).toEqual([]);
  transport.onSubscribe = () => {};
  await me.subscribe(() => {}, { group: 'g' });
  expect(sources()).toEqual([GROUP, OWN]);
});

test('where nobody can take over, that is told', async () => {
  const { transport, me, sources } = await open({ settlement: 'native', groups: 'native', instance: 'none' });
  const plain = await me.subscribe(() => {});
  await me.subscribe(() => {}, { group: 'g' });
  const signals: Signal[] = [];
  me.onSignal((signal) => signals.push(signal));
  transport.onSubscribe = () => Promise.reject(new PolycastError('unreachable', 'for now'));
  await plain.close();
  expect(sources()).toEqual([GROUP]);
  expect(signals).toMatchObject([{ kind: 'failed', what: 'source', error: { code: 'unreachable' } }]);
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

/** Lets everything happen that waits for nothing. */
const pass = () => new Promise((resolve) => setImmediate(resolve));

function event(type: string, data: unknown): BroadcastEvent {
  return new BroadcastEvent({ type, source: '/r/other', id: crypto.randomUUID(), data });
}
