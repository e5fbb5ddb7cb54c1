import { afterEach, expect, test, vi } from 'vitest';
import { PolycastError } from '../src/adapter.ts';
import { type Broadcaster, connect } from '../src/index.ts';
import { BroadcastEvent, LoopTransport } from './loop-transport.ts';

/** Who is there, where core asks over the topic. */

const openOnes: Broadcaster[] = [];

async function pair(maxAttempts = 5) {
  const transport = new LoopTransport({ members: 'emulated' });
  const join = async (role: string) => {
    const one = await connect({ transport, topic: 't', self: { role }, retry: { maxAttempts } });
    openOnes.push(one);
    return one;
  };
  const [me, other] = [await join('asking'), await join('there')];
  await other.subscribe(() => {});
  return { transport, me };
}

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

test('all who ask at once get the same answer', async () => {
  const { transport, me } = await pair();
  transport.onPublish = () => new Promise((resolve) => setTimeout(resolve, 20));
  const answers = await Promise.all([me.members({ timeoutMs: 50 }), me.members({ timeoutMs: 50 })]);
  expect(answers.map((all) => all.map(({ role }) => role))).toEqual([['there'], ['there']]);
});

test('a call that could not be sent has asked nobody: the next one asks', async () => {
  const { transport, me } = await pair(1);
  transport.loops = false;
  transport.onPublish = async () => {
    throw new PolycastError('throttled', 'as the test says');
  };
  await expect(me.members()).rejects.toMatchObject({ code: 'throttled' });
  transport.loops = true;
  transport.onPublish = () => {};
  expect(await me.members({ timeoutMs: 20 })).toHaveLength(1);
});

test('each waits for answers as long as it says', async () => {
  const { transport, me } = await pair();
  transport.loops = false;
  const first = me.members({ timeoutMs: 60_000 });
  await vi.waitFor(() => expect(transport.sent).toHaveLength(1));
  expect(await me.members({ timeoutMs: 10 })).toEqual([]);
  await me.close({ drainMs: 0 });
  void first;
});

test('who subscribed after the first call is told by one made 5 s later', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'performance', 'Date'] });
  try {
    const transport = new LoopTransport({ members: 'emulated' });
    const me = await connect({ transport, topic: 't', self: { role: 'asking' } });
    const late = await connect({ transport, topic: 't', self: { role: 'late' } });
    openOnes.push(me, late);
    const members = async () => {
      const asked = me.members();
      await vi.advanceTimersByTimeAsync(600);
      return (await asked).map(({ role }) => role);
    };
    expect(await members()).toEqual([]);
    await late.subscribe(() => {});
    expect(await members()).toEqual([]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await members()).toEqual(['late']);
  } finally {
    vi.useRealTimers();
  }
});

test('a call that comes while the broadcaster closes is not answered', async () => {
  const { transport } = await pair();
  const [caller, late] = [openOnes[0]!, openOnes[1]!];
  const { sink } = transport.sinks[0]!;
  await caller.members({ timeoutMs: 1 });
  const { type, source, data } = transport.sent.flat().find(({ event }) => event.type === 'polycast.roll-call')!.event;
  transport.onPublish = ([first]) => {
    if (first?.event.type !== 'polycast.goodbye') return;
    // Its source has not stopped yet.
    sink.deliver(new BroadcastEvent({ type, source, id: 'another', data }));
  };
  await late.close();
  const types = transport.sent.flat().map(({ event }) => event.type);
  expect(types.slice(types.indexOf('polycast.goodbye'))).toEqual(['polycast.goodbye']);
});
