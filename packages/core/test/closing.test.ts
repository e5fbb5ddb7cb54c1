import { afterEach, describe, expect, test, vi } from 'vitest';
import { PolycastError } from '../src/adapter.ts';
import { type Broadcaster, connect, type Delivery, type Signal } from '../src/index.ts';
import { LoopTransport, leaseOf, stranger } from './loop-transport.ts';

/** What becomes of an event that nothing will bring again, when its handler fails after closing has given up waiting for it. */

const openOnes: Broadcaster[] = [];

async function open(levels: ConstructorParameters<typeof LoopTransport>[0] = {}) {
  const transport = new LoopTransport(levels);
  transport.loops = false;
  const signals: Signal[] = [];
  const me = await connect({
    transport,
    topic: 't',
    self: { role: 'r', instance: 'me' },
    onSignal: (s) => signals.push(s),
  });
  openOnes.push(me);
  return { transport, me, signals };
}

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

const endings: Record<string, (delivery: Delivery) => void> = {
  throws: () => {
    throw new Error('too late');
  },
  rejects: (delivery) => delivery.reject('too late'),
  releases: (delivery) => delivery.release({ delayMs: 0 }),
};

describe.each(Object.entries(endings))('a handler that %s', (_, ending) => {
  async function failing({ me, transport }: Awaited<ReturnType<typeof open>>) {
    let go = () => {};
    const wait = new Promise<void>((resolve) => {
      go = resolve;
    });
    const subscription = await me.subscribe(async (_event, delivery) => {
      await wait;
      ending(delivery);
    });
    transport.receive(stranger(1));
    return { subscription, go };
  }

  test('after its subscription was closed: its event is set aside', async () => {
    const all = await open();
    const { subscription, go } = await failing(all);
    await subscription.close({ drainMs: 0 });
    go();
    await vi.waitFor(() =>
      expect(all.signals).toMatchObject([{ kind: 'dead-lettered', attempts: 1, kept: 't.dead-letter' }]),
    );
    expect(all.transport.sent.flat().map(({ topic, event }) => [topic, event.data])).toEqual([['t.dead-letter', 1]]);
  });

  test('after its broadcaster was closed: that its event is set aside nowhere is said', async () => {
    const all = await open();
    const { go } = await failing(all);
    await all.me.close({ drainMs: 0 });
    go();
    await vi.waitFor(() =>
      expect(all.signals).toMatchObject([{ kind: 'failed', what: 'settle', error: { code: 'closed' } }]),
    );
  });
});

test('a handler that returns after all was closed has handled its event: nothing is said', async () => {
  const { me, transport, signals } = await open();
  let go = () => {};
  await me.subscribe(
    () =>
      new Promise<void>((resolve) => {
        go = resolve;
      }),
  );
  transport.receive(stranger(1));
  await me.close({ drainMs: 0 });
  go();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(signals).toEqual([]);
});

describe('a dead letter that the service is about to take when its subscription closes', () => {
  async function settingAside() {
    const { transport, me, signals } = await open({ settlement: 'native', groups: 'native', deadLetter: 'native' });
    const answers: ((error?: PolycastError) => void)[] = [];
    const settled: string[] = [];
    const lease = {
      ...leaseOf(),
      settle: ({ kind }: { kind: string }) => {
        settled.push(kind);
        return new Promise<void>((resolve, reject) => {
          answers.push((error) => (error === undefined ? resolve() : reject(error)));
        });
      },
    };
    const subscription = await me.subscribe((_event, delivery) => delivery.reject('never'), { group: 'g' });
    transport.receive(stranger(1), lease);
    await vi.waitFor(() => expect(settled).toEqual(['dead-letter']));
    let isClosed = false;
    const closed = subscription.close({ drainMs: 0 }).then(() => {
      isClosed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isClosed).toBe(false);
    return { closed, answers, settled, signals };
  }

  test('is waited for', async () => {
    const { closed, answers, settled, signals } = await settingAside();
    answers[0]?.();
    await closed;
    expect([settled, signals.map(({ kind }) => kind)]).toEqual([['dead-letter'], ['dead-lettered']]);
  });

  test('goes back if it was not taken', async () => {
    const { closed, answers, settled, signals } = await settingAside();
    answers[0]?.(new PolycastError('throttled', 'not now'));
    await vi.waitFor(() => expect(settled).toEqual(['dead-letter', 'release']));
    answers[1]?.();
    await closed;
    expect(signals.map(({ kind }) => kind)).toEqual(['failed']);
  });
});
