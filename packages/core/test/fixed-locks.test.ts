import { afterEach, expect, test, vi } from 'vitest';
import { type Lease, PolycastError } from '../src/adapter.ts';
import { type Broadcaster, connect, type Delivery, type Signal, type SubscribeOptions } from '../src/index.ts';
import { LoopTransport, leaseOf, stranger } from './loop-transport.ts';

/** Locks that cannot be renewed, and what comes again while a handler is at it. */

const openOnes: Broadcaster[] = [];

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

interface Run {
  readonly data: unknown;
  readonly delivery: Delivery;
  end(): void;
  fail(thrown: unknown): void;
}

/** A subscription whose handlers end when the test says so. */
async function listen(options: SubscribeOptions = {}) {
  const transport = new LoopTransport({ settlement: 'native', durable: 'native', deadLetter: 'native' });
  const signals: Signal[] = [];
  const me = await connect({ transport, topic: 't', self: { role: 'r' }, onSignal: (signal) => signals.push(signal) });
  openOnes.push(me);
  const runs: Run[] = [];
  const subscription = await me.subscribe(
    ({ data }, delivery) =>
      new Promise<void>((end, fail) => {
        runs.push({ data, delivery, end, fail });
      }),
    { durable: true, concurrency: 3, retry: { maxAttempts: 5, baseMs: 1, maxMs: 1 }, ...options },
  );
  return { transport, signals, me, runs, subscription };
}

/** A lock that ends by itself. */
function fixed(lockedForMs: number, attempt = 1): Lease & { readonly settled: string[] } {
  const { renew: _, ...lease } = leaseOf(attempt);
  return { ...lease, lockedForMs };
}

const LONG_MS = 60_000;
const isLockLost = (signal: Signal) =>
  signal.kind === 'failed' && signal.what === 'settle' && signal.error.code === 'lock-lost';

test('a lock that ends while a handler runs is told once, aborts the signal, and is not settled', async () => {
  const { transport, signals, runs } = await listen();
  const lease = fixed(20);
  transport.receive(stranger(1), lease);
  const { abortSignal } = runs[0]!.delivery;
  await vi.waitFor(() => expect(signals.filter(isLockLost)).toHaveLength(1));
  expect(abortSignal.aborted).toBe(true);
  runs[0]!.end();
  await vi.waitFor(() => expect(lease.settled).toEqual([]));
  expect(signals).toHaveLength(1);
});

test('what is settled before its lock ends is told of by nobody', async () => {
  const { transport, signals, runs, subscription } = await listen();
  const [short, long] = [fixed(30), fixed(60)];
  transport.receive(stranger(1), short);
  transport.receive(stranger(2), long);
  runs[0]!.end();
  await vi.waitFor(() => expect(short.settled).toEqual(['accept']));
  await vi.waitFor(() => expect(signals.filter(isLockLost)).toHaveLength(1));
  expect(runs.map(({ delivery }) => delivery.abortSignal.aborted)).toEqual([false, true]);
  runs[1]!.end();
  await subscription.drain();
  expect(long.settled).toEqual([]);
});

test('what waits for its turn when its lock ends is no longer handled', async () => {
  const { transport, signals, runs, subscription } = await listen({ concurrency: 1 });
  transport.receive(stranger(1), leaseOf());
  transport.receive(stranger(2), fixed(20));
  await vi.waitFor(() => expect(signals.filter(isLockLost)).toHaveLength(1));
  runs[0]!.end();
  await subscription.drain();
  expect(runs).toHaveLength(1);
});

test('an attempt that comes while its event is in a handler starts no other, and is settled as that one says', async () => {
  const { transport, runs, me } = await listen();
  const event = stranger(1);
  const [first, second, third] = [leaseOf(), leaseOf(2), leaseOf(3)];
  for (const lease of [first, second, third]) transport.receive(event, lease);
  expect(runs).toHaveLength(1);
  expect(me.dropped.duplicates).toBe(2);
  runs[0]!.end();
  await vi.waitFor(() => expect(third.settled).toEqual(['accept']));
  expect([first.settled, second.settled]).toEqual([[], []]);
  expect(runs[0]!.delivery.abortSignal.aborted).toBe(false);
});

test('a failed handler is tried again under the lock of the attempt that came meanwhile', async () => {
  const { transport, runs } = await listen();
  const event = stranger(1);
  const [first, second] = [leaseOf(), leaseOf(2)];
  transport.receive(event, first);
  transport.receive(event, second);
  runs[0]!.fail(new Error('the kitchen is closed'));
  await vi.waitFor(() => expect(runs).toHaveLength(2));
  expect(runs[1]!.delivery.attempt).toBe(2);
  runs[1]!.end();
  await vi.waitFor(() => expect(second.settled).toEqual(['accept']));
  expect(first.settled).toEqual([]);
});

test('a renewal of the lock before that fails late, and changes nothing', async () => {
  const { transport, signals, runs } = await listen({ lockMs: 30 });
  const event = stranger(1);
  let fail = (_: unknown) => {};
  const renewal = new Promise<void>((_, reject) => {
    fail = reject;
  });
  const first = { ...leaseOf(), renew: vi.fn(() => renewal) };
  transport.receive(event, first);
  await vi.waitFor(() => expect(first.renew).toHaveBeenCalled());
  const second = leaseOf(2);
  transport.receive(event, second);
  fail(new Error('lost'));
  await vi.waitFor(() => expect(second.renewals).toBeGreaterThan(0));
  expect(runs[0]!.delivery.abortSignal.aborted).toBe(false);
  runs[0]!.end();
  await vi.waitFor(() => expect(second.settled).toEqual(['accept']));
  expect(signals).toEqual([]);
});

/** The lock of attempt 1 ends while its handler runs; attempt 2 comes. */
async function ended() {
  const all = await listen();
  const event = stranger(1);
  all.transport.receive(event, fixed(20));
  await vi.waitFor(() => expect(all.signals.filter(isLockLost)).toHaveLength(1));
  return { ...all, event, again: fixed(LONG_MS, 2) };
}

test('the next attempt waits for the handler of one whose lock ended, and lets others pass', async () => {
  const { transport, event, again, runs } = await ended();
  transport.receive(event, again);
  transport.receive(stranger(2), leaseOf());
  expect(runs.map(({ data }) => data)).toEqual([1, 2]);
  runs[0]!.end();
  await vi.waitFor(() => expect(again.settled).toEqual(['accept']));
  expect(runs).toHaveLength(2);
});

test('it is handled if that handler failed', async () => {
  const { transport, event, again, runs } = await ended();
  transport.receive(event, again);
  runs[0]!.fail(new Error('the kitchen is closed'));
  await vi.waitFor(() => expect(runs).toHaveLength(2));
  expect(runs[1]!.delivery.attempt).toBe(2);
  runs[1]!.end();
  await vi.waitFor(() => expect(again.settled).toEqual(['accept']));
});

test('it is handled if that handler may have returned because its signal was aborted', async () => {
  const { transport, event, again, runs } = await ended();
  expect(runs[0]!.delivery.abortSignal.aborted).toBe(true);
  transport.receive(event, again);
  runs[0]!.end();
  await vi.waitFor(() => expect(runs).toHaveLength(2));
  runs[1]!.end();
  await vi.waitFor(() => expect(again.settled).toEqual(['accept']));
});

test('it is accepted if that handler accepted, whatever it knows of its signal', async () => {
  const { transport, event, again, runs } = await ended();
  expect(runs[0]!.delivery.abortSignal.aborted).toBe(true);
  transport.receive(event, again);
  runs[0]!.delivery.accept();
  runs[0]!.end();
  await vi.waitFor(() => expect(again.settled).toEqual(['accept']));
  expect(runs).toHaveLength(1);
});

test('an attempt that comes when that handler has returned is accepted at once, and published anew it is a duplicate', async () => {
  const { transport, event, again, runs, subscription } = await ended();
  runs[0]!.end();
  await subscription.drain();
  transport.receive(event, again);
  expect(again.settled).toEqual(['accept']);
  const copy = leaseOf();
  transport.receive(event, copy);
  expect(copy.settled).toEqual(['accept']);
  expect(runs).toHaveLength(1);
});

test('a large event has the shortest lock of its pieces', async () => {
  const { transport, signals } = await listen();
  const publisher = await connect({ transport, topic: 't', self: { role: 'p' }, chunking: true });
  openOnes.push(publisher);
  transport.loops = false;
  await publisher.publish({ type: 'large', data: 'x'.repeat(150_000) });
  const pieces = transport.sent.flat();
  expect(pieces.length).toBeGreaterThan(1);
  for (const [at, { encoded }] of pieces.entries()) transport.receive(encoded.json, fixed(at === 0 ? 30 : LONG_MS));
  await vi.waitFor(() => expect(signals.filter(isLockLost)).toHaveLength(1));
});

test.each([
  ['rejects', 'dead-letter'],
  ['releases', 'release'],
] as const)(
  'of two messages with one event, whose locks were lost and came again, one is kept when a handler %s',
  async (_, kept) => {
    const { transport, runs } = await listen();
    const event = stranger(1);
    const lost = () => ({
      ...leaseOf(),
      settle: () => Promise.reject(new PolycastError('lock-lost', 'as the test says')),
    });
    const again = [leaseOf(2), leaseOf(2)];
    for (const lease of [lost(), lost(), ...again]) transport.receive(event, lease);
    expect(runs).toHaveLength(1);
    if (kept === 'dead-letter') runs[0]!.delivery.reject('as the test says');
    else runs[0]!.delivery.release({ delayMs: 0 });
    runs[0]!.end();
    await vi.waitFor(() => expect(again.flatMap(({ settled }) => settled).sort()).toEqual(['accept', kept].sort()));
  },
);

test('a reader is not given what lost its lock before it asked, and gets it when it comes again', async () => {
  const transport = new LoopTransport({ settlement: 'native', durable: 'native' });
  const signals: Signal[] = [];
  const me = await connect({ transport, topic: 't', self: { role: 'r' }, onSignal: (signal) => signals.push(signal) });
  openOnes.push(me);
  const reading = await me.subscribe({ durable: true, concurrency: 3 });
  const event = stranger(1);
  const [first, again] = [fixed(20), leaseOf(2)];
  transport.receive(event, first);
  await vi.waitFor(() => expect(signals.filter(isLockLost)).toHaveLength(1));
  transport.receive(event, again);
  for await (const { attempt } of reading) {
    expect(attempt).toBe(2);
    break;
  }
  expect([first.settled, again.settled]).toEqual([[], ['release']]);
});
