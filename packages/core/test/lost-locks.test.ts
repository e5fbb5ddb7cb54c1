import { afterEach, expect, test, vi } from 'vitest';
import { PolycastError } from '../src/adapter.ts';
import { type Broadcaster, connect, type Signal } from '../src/index.ts';
import { LoopTransport, leaseOf, stranger } from './loop-transport.ts';

/** What becomes of a subscription when the service gives what it holds to somebody else. */

const openOnes: Broadcaster[] = [];

async function open() {
  const transport = new LoopTransport({ settlement: 'native', durable: 'native', deadLetter: 'native' });
  const signals: Signal[] = [];
  const me = await connect({ transport, topic: 't', self: { role: 'r' }, onSignal: (signal) => signals.push(signal) });
  openOnes.push(me);
  return { transport, me, signals };
}

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

function lockLost() {
  const lease = leaseOf();
  const renew = vi.fn(async () => {
    throw new PolycastError('lock-lost', 'somebody else has it');
  });
  return { lease: { ...lease, renew }, renew };
}

const LOCK_MS = 30;
const SEVERAL_RENEWALS_MS = 5 * LOCK_MS;

test.each([
  ['waits for its next try', (delivery: { release(options: object): void }) => delivery.release({ delayMs: 60_000 })],
  ['runs', () => new Promise(() => {})],
])('a lock lost while the delivery %s is told once, and not renewed again', async (_, handler) => {
  const { transport, me, signals } = await open();
  await me.subscribe((_event, delivery) => handler(delivery), { durable: true, lockMs: LOCK_MS });
  const { lease, renew } = lockLost();
  transport.receive(stranger(1), lease);
  await vi.waitFor(() => expect(signals.length).toBe(1));
  await new Promise((resolve) => setTimeout(resolve, SEVERAL_RENEWALS_MS));
  expect(renew).toHaveBeenCalledOnce();
  expect(signals).toHaveLength(1);
});

test.each(['released', 'queued'])('drain ends when the last thing held, %s, is lost', async (held) => {
  const { transport, me } = await open();
  const subscription = await me.subscribe((_, delivery) => delivery.release({ delayMs: 60_000 }), {
    durable: true,
    lockMs: LOCK_MS,
  });
  if (held === 'queued') subscription.pause();
  transport.receive(stranger(1), lockLost().lease);
  expect(subscription.pending).toBe(1);
  await subscription.drain();
  expect(subscription.pending).toBe(0);
});

test('what is set aside unseen does not let another event of its key in', async () => {
  const { transport, me } = await open();
  const started: unknown[] = [];
  let end = () => {};
  await me.subscribe(
    ({ data }) => {
      started.push(data);
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    },
    { durable: true, concurrency: 3 },
  );
  const often = leaseOf(100);
  transport.receive(stranger(1, { partitionkey: 'k' }), leaseOf());
  transport.receive(stranger(2, { partitionkey: 'k' }), often);
  await vi.waitFor(() => expect(often.settled).toEqual(['dead-letter']));
  transport.receive(stranger(3, { partitionkey: 'k' }), leaseOf());
  expect(started).toEqual([1]);
  end();
  await vi.waitFor(() => expect(started).toEqual([1, 3]));
  end();
});

test('what a source calls back goes back and is handled when it comes again, unless a handler was given it', async () => {
  const { transport, me } = await open();
  const started: unknown[] = [];
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const subscription = await me.subscribe(
    ({ data }) => {
      started.push(data);
      return ended;
    },
    { durable: true },
  );
  const leases = [leaseOf(), leaseOf(), leaseOf()];
  const events = [1, 2, 3].map((data) => stranger(data));
  leases.forEach((lease, at) => void transport.receive(events[at] as string, lease));
  transport.sinks[0]?.sink.recall?.(new Set(leases.slice(0, 2)));
  expect(leases.map(({ settled }) => settled)).toEqual([[], ['release'], []]);
  expect(subscription.pending).toBe(2);
  const again = leaseOf();
  transport.receive(events[1] as string, again);
  end();
  await vi.waitFor(() => expect(again.settled).toEqual(['accept']));
  expect(started).toEqual([1, 3, 2]);
  expect(leases.map(({ settled }) => settled)).toEqual([['accept'], ['release'], ['accept']]);
});

test.each(['released', 'queued'])(
  'what is lost while it waits, %s, is handled when it comes again, though the service counts no try',
  async (held) => {
    const { transport, me } = await open();
    const handled: unknown[] = [];
    const subscription = await me.subscribe(
      ({ data }, delivery) => {
        if (held === 'released' && handled.length === 0) delivery.release({ delayMs: 60_000 });
        handled.push(data);
      },
      { durable: true, lockMs: LOCK_MS },
    );
    if (held === 'queued') subscription.pause();
    const event = stranger(1, { sequence: 'e.a1' });
    transport.receive(event, lockLost().lease);
    await subscription.drain();
    // Another member was handed it meanwhile, or we were, and gave it back before any handler had it.
    const again = leaseOf();
    transport.receive(event, again);
    subscription.resume();
    await vi.waitFor(() => expect(again.settled).toEqual(['accept']));
    expect(handled).toEqual(held === 'released' ? [1, 1] : [1]);
  },
);
