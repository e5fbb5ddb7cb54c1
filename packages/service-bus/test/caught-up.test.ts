import type { Address, BroadcastEvent, Lease, Sink, SourceRequest } from '@polycast/core/adapter';
import { serviceBus } from '@polycast/service-bus';
import { describe, expect, it, vi } from 'vitest';
import { freshTopic, isPublic, useService } from './service.ts';

const service = useService();

/** A sink with room for so many, which are taken one by one when `settleOne` is called. */
function sinkOf(capacity: number) {
  const taken: { event: BroadcastEvent; lease: Lease }[] = [];
  let open = 0;
  let ready = () => {};
  const sink: Sink = {
    get capacity() {
      return capacity - open;
    },
    ready: () =>
      new Promise((resolve) => {
        ready = resolve;
      }),
    deliver(event, lease) {
      open++;
      taken.push({ event, lease: lease as Lease });
      return true;
    },
    signal: () => {},
    corrupt: () => {},
    failed: () => {},
  };
  return {
    sink,
    taken,
    async settleOne(at: number) {
      await taken[at]?.lease.settle({ kind: 'accept' });
      open--;
      ready();
    },
  };
}

const request = (more: Partial<SourceRequest> = {}): SourceRequest => ({
  addresses: ['*'] as Address[],
  group: undefined,
  durable: undefined,
  startFrom: 'new',
  filter: undefined,
  lockMs: 60_000,
  pollTimeoutMs: 1_000,
  maxDeliveries: 100,
  maxUnsettled: 10,
  ...more,
});

async function listen(topic: string, more: Partial<SourceRequest>, capacity: number) {
  const transport = serviceBus({ connectionString: service.service.connectionString, closeTimeoutMs: 500 });
  const context = { topic, self: { role: 'k', instance: 'k1' }, signal: () => {}, meter: vi.fn() };
  const link = await transport.open(context as never);
  const parts = sinkOf(capacity);
  const source = await link.subscribe(request(more), parts.sink);
  return { ...parts, link, source, meter: context.meter };
}

/** On the public face of the SDK the service can only be asked what it has: as it is opened, and until it has no more. */
const PUBLIC_LOOKS = 10;

describe('a source catches up', () => {
  it.each([
    ['at once where there is nothing', 0],
    ['with what was published before', 30],
  ])('%s, and little is billed for asking', async (_, count) => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const { source, link, taken, meter } = await listen(topic, { maxUnsettled: 100 }, 100);
    await Promise.all(Array.from({ length: count }, (_, data) => desk.publish({ type: 'x', data })));
    await source.caughtUp?.();
    expect(taken.length).toBe(count);
    const asked = isPublic ? PUBLIC_LOOKS : 0;
    expect(meter.mock.calls.filter(([, operations]) => operations > 0).length).toBeLessThanOrEqual(count + 3 + asked);
    // And goes on afterwards.
    await desk.publish({ type: 'x', data: 'later' });
    await vi.waitFor(() => expect(taken.length).toBe(count + 1));
    await source.close();
    await link.close();
  });

  it('as there is room: handlers take all that the service had', async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const { source, link, taken, settleOne } = await listen(topic, { maxUnsettled: 2 }, 2);
    await Promise.all(Array.from({ length: 9 }, (_, data) => desk.publish({ type: 'x', data })));
    let isOver = false;
    const caughtUp = source.caughtUp?.().then(() => {
      isOver = true;
    });
    for (let at = 0; at < 9; at++) {
      await vi.waitFor(() => expect(taken.length).toBeGreaterThan(at), 5_000);
      expect(isOver && taken.length < 9).toBe(false);
      await settleOne(at);
    }
    await caughtUp;
    expect(taken.map(({ event }) => event.data)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    await source.close();
    await link.close();
  });

  it('to nothing where it is durable, and ends with its connection', async () => {
    const topic = freshTopic();
    const durable = await listen(topic, { durable: 'd' }, 0);
    await durable.source.caughtUp?.();
    const dynamic = await listen(topic, {}, 1);
    service.service.freeze();
    const caughtUp = dynamic.source.caughtUp?.();
    service.service.cut();
    service.service.thaw();
    await caughtUp;
    for (const { source, link } of [durable, dynamic]) {
      await source.close();
      await link.close();
    }
  });

  it('and a subscription that closes before the service answers leaves the connection alone', async () => {
    const topic = freshTopic();
    const one = await service.join(topic, 'one', { operationTimeoutMs: 2_000 });
    const closes = await one.subscribe(() => {});
    await one.subscribe(() => {});
    service.service.freeze();
    const closing = closes.close({ drainMs: 10 });
    // Longer than closing waits.
    setTimeout(() => service.service.thaw(), 700);
    await closing;
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    expect(one.signals).toEqual([]);
  });
});
