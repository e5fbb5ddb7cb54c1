import { BroadcastEvent, type Lease, type Manifest, type Settlement, type Transport } from '@polycast/core/adapter';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Broadcaster, connect, type Delivery } from '../src/index.ts';
import { LoopTransport } from './loop-transport.ts';

const opened: Broadcaster[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close({ drainMs: 0 })));
});

async function open(transport: Transport): Promise<Broadcaster> {
  const one = await connect({ transport, topic: 'orders', onSignal: () => {} });
  opened.push(one);
  return one;
}

describe('a transport whose only receivers are groups', () => {
  const transport = () =>
    Object.assign(new LoopTransport({ fanOut: 'none', members: 'none', request: 'none', groups: 'native' }), {
      offeredBy: () => ({ fanOut: ['loop', 'log', 'table'] }),
    });

  test('refuses a subscription without a group, and names transports that offer it', async () => {
    const one = await open(transport());
    const refusals = [one.subscribe(() => {}), one.subscribe(), one.on('order', () => {})];
    for (const { status, reason } of (await Promise.allSettled<unknown>(refusals)) as PromiseRejectedResult[]) {
      expect([status, reason.code]).toEqual(['rejected', 'unsupported']);
      expect(reason.message).toMatch(
        /a subscription without a group \(capability fanOut[^)]*\); available on: log, table$/,
      );
    }
  });

  test('takes one in a group, and opens no other source', async () => {
    const loop = transport();
    const one = await open(loop);
    await one.subscribe(() => {}, { group: 'g' });
    expect(loop.sinks.map(({ request }) => request.group)).toEqual(['default/g']);
  });
});

describe('a service that knows certain delays only', () => {
  const delayMs = [0, 10_000, 60_000, 600_000, 3_600_000];
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** What the service is told, and when, ms, of an event whose handler does as it is told. */
  async function settled(act: (delivery: Delivery) => unknown, forMs = 8_000_000) {
    const loop = new LoopTransport({ settlement: 'native', redelivery: 'native', groups: 'native', lock: 'native' });
    const { capabilities } = loop.manifest;
    const delayedRelease = { level: 'native', steps: { delayMs } } as const;
    const manifest: Manifest = {
      ...loop.manifest,
      guarantee: 'at-least-once',
      capabilities: { ...capabilities, delayedRelease },
    };
    const one = await open(Object.assign(loop, { manifest }));
    let said: unknown;
    await one.subscribe(
      (_, delivery) => {
        said = act(delivery);
      },
      { group: 'g', retry: { baseMs: 100 } },
    );
    const settlements: [number, Settlement][] = [];
    const atMs = performance.now();
    const lease: Lease = {
      attempt: 1,
      settle: (settlement) => void settlements.push([Math.round(performance.now() - atMs), settlement]),
      renew: async () => {},
    };
    const event = new BroadcastEvent({ type: 'order', source: '/x/1', id: '1', data: 1 });
    loop.sinks.find(({ request }) => request.group === 'default/g')?.sink.deliver(event, lease);
    await vi.advanceTimersByTimeAsync(forMs);
    expect(settlements).toHaveLength(1);
    const [[afterMs, settlement]] = settlements as [[number, Settlement]];
    return { afterMs, settlement, said };
  }

  test.each([
    [0, 0],
    [1, 10_000],
    [10_000, 10_000],
    [10_001, 60_000],
    [3_600_000, 3_600_000],
  ])('is asked for the next one where a handler asks for %i ms, who is told', async (asked, step) => {
    const { afterMs, settlement, said } = await settled((delivery) => delivery.release({ delayMs: asked }));
    expect(settlement).toMatchObject({ kind: 'release', delayMs: step });
    expect([afterMs, said]).toEqual([0, step]);
  });

  test('waits here for what is beyond the longest, and asks for that', async () => {
    const { afterMs, settlement, said } = await settled((delivery) => delivery.release({ delayMs: 7_200_000 }));
    expect(settlement).toMatchObject({ kind: 'release', delayMs: 3_600_000 });
    expect([afterMs, said]).toEqual([3_600_000, 7_200_000]);
  });

  test('is not asked to wait ten seconds where the back-off is a tenth of one', async () => {
    const { afterMs, settlement } = await settled(() => {
      throw new Error('no');
    });
    expect(settlement).toMatchObject({ kind: 'release', delayMs: 0 });
    expect(afterMs).toBeLessThanOrEqual(100);
  });

  test('an earlier word stands, and says so', async () => {
    const { settlement, said } = await settled((delivery) => {
      delivery.release({ delayMs: 20_000 });
      return delivery.release({ delayMs: 1 });
    });
    expect([settlement, said]).toMatchObject([{ delayMs: 60_000 }, undefined]);
  });
});
