import { afterEach, expect, test, vi } from 'vitest';
import { PolycastError } from '../src/adapter.ts';
import { type Broadcaster, connect, type Signal } from '../src/index.ts';
import { numberIn } from '../src/publish/sequence-generator.ts';
import { LoopTransport, leaseOf, stranger } from './loop-transport.ts';

/** What a resolved publish is worth: order, numbers, duplicates and time through refusals, forgeries and wrong clocks. */

const EPOCH = 'mgq2h0x91a2b3c';
const openOnes: Broadcaster[] = [];

async function open(transport: LoopTransport, instance = 'me') {
  const signals: Signal[] = [];
  const self = { role: 'r', instance };
  const me = await connect({
    transport,
    topic: 't',
    self,
    retry: { maxAttempts: 2, baseMs: 1 },
    onSignal: (s) => signals.push(s),
  });
  openOnes.push(me);
  return { me, signals };
}

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

const numbersSent = (transport: LoopTransport) =>
  transport.sent.map((batch) => batch.map(({ event }) => numberIn(event.sequence ?? '', event.epoch?.length ?? 0)));

test('what a transport refuses for good leaves no hole in the numbers of what waits behind it', async () => {
  const transport = new LoopTransport({}, { maxBatchesInFlight: 1, maxBatchEvents: 2 });
  transport.loops = false;
  const { me } = await open(transport);
  const answers: (() => void)[] = [];
  transport.onPublish = () =>
    new Promise<void>((resolve, reject) => {
      const refuse = transport.sent.length === 1;
      answers.push(() => (refuse ? reject(new PolycastError('unauthorized', 'not now')) : resolve()));
    });
  const published = Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map((data) => me.publish({ type: 'x', data })));
  for (let at = 0; at < 3; at++) {
    await vi.waitFor(() => expect(answers.length).toBe(at + 1));
    answers[at]?.();
  }
  const outcomes = await published;
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  expect(numbersSent(transport)).toEqual([[1, 2], [1, 2], [3]]);
  transport.onPublish = () => {};
  await me.publish({ type: 'x', data: 'f' });
  expect(numbersSent(transport).at(-1)).toEqual([4]);
});

test('where nobody knows whether it was taken, the numbers stay used: receivers may miss it or not', async () => {
  const transport = new LoopTransport({}, { maxBatchesInFlight: 1 });
  transport.loops = false;
  const { me } = await open(transport);
  transport.onPublish = () => Promise.reject(new PolycastError('timeout', 'no answer'));
  await expect(me.publish({ type: 'x' })).rejects.toMatchObject({ code: 'timeout' });
  transport.onPublish = () => {};
  await me.publish({ type: 'x' });
  expect(numbersSent(transport)).toEqual([[1], [1], [2]]);
});

test('what waited until its time to live was over is refused, not sent', async () => {
  const transport = new LoopTransport({}, { maxBatchesInFlight: 1 });
  transport.loops = false;
  const { me } = await open(transport);
  const late = Date.now() + 150;
  transport.onPublish = async () => {
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(late));
    throw new PolycastError('unreachable', 'down');
  };
  const short = me.publish({ type: 'x', data: 'short' }, { ttlMs: 20 });
  await vi.waitFor(() => expect(transport.sent).toHaveLength(1));
  const behind = me.publish({ type: 'x', data: 'behind' }, { ttlMs: 20 });
  const long = me.publish({ type: 'x', data: 'long' });
  transport.onPublish = () => {};
  await Promise.all([
    expect(short).rejects.toMatchObject({ code: 'timeout' }),
    expect(behind).rejects.toMatchObject({ code: 'timeout' }),
    long,
  ]);
  expect(transport.sent.flat().map(({ event }) => event.data)).toEqual(['short', 'long']);
});

test('an event that was overtaken by a later one is delivered, whether its publisher was known or not', async () => {
  const transport = new LoopTransport();
  const { me, signals } = await open(transport);
  const seen: unknown[] = [];
  await me.subscribe((event) => void seen.push(event.data));
  const come = (n: number) => transport.receive(stranger(n, { id: `${EPOCH}.${n}`, sequence: `${EPOCH}.1${n}` }));
  for (const n of [4, 5, 6, 1, 2, 3, 7, 7, 2]) come(n);
  expect(seen).toEqual([4, 5, 6, 1, 2, 3, 7]);
  expect(signals).toEqual([]);
  expect(me.dropped.duplicates).toBe(2);
});

test('a forged number silences no publisher, not even with its source and epoch', async () => {
  const transport = new LoopTransport();
  const { me, signals } = await open(transport);
  const seen: unknown[] = [];
  await me.subscribe((event) => void seen.push(event.data));
  const come = (n: number) => transport.receive(stranger(n, { id: `${EPOCH}.${n}`, sequence: `${EPOCH}.1${n}` }));
  come(1);
  const forged = { sequence: `${EPOCH}.g9007199254740991` };
  transport.receive(stranger('evil', { id: 'evil 1', source: '/somebody/else', ...forged }));
  transport.receive(stranger('evil', { id: 'evil 2', ...forged }));
  transport.receive(stranger('evil', { id: `${EPOCH}.900719925474099`, ...forged }));
  for (let n = 2; n < 10; n++) come(n);
  expect(seen.filter((data) => typeof data === 'number')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(signals.length).toBeLessThanOrEqual(1);
});

const ORDER = { id: 'order-7', source: '/shop' };

test.each([
  ['without leases', undefined],
  ['with leases', { group: 'g' }],
])('an event that was set aside may be published again, %s', async (_, options) => {
  const transport = new LoopTransport({ settlement: 'native', groups: 'native', deadLetter: 'native' });
  const { me } = await open(transport);
  let mended = false;
  const handled: unknown[] = [];
  const handler = (event: { data: unknown }) => {
    if (!mended) throw new Error('not yet');
    handled.push(event.data);
  };
  await me.subscribe(handler, { ...options, retry: { maxAttempts: 1 } });
  const lease = () => (options === undefined ? undefined : leaseOf());
  transport.receive(stranger(1, ORDER), lease());
  mended = true;
  transport.receive(stranger(2, ORDER), lease());
  transport.receive(stranger(3, ORDER), lease());
  await vi.waitFor(() => expect(handled).toEqual([2]));
  expect(me.dropped.duplicates).toBe(1);
});

test('of several subscriptions only the one that set an event aside gets it again', async () => {
  const transport = new LoopTransport();
  const { me } = await open(transport);
  const one: unknown[] = [];
  const other: unknown[] = [];
  await me.subscribe((event) => void one.push(event.data));
  await me.subscribe(
    (event) => {
      other.push(event.data);
      if (other.length === 1) throw new Error('not yet');
    },
    { retry: { maxAttempts: 1 }, deadLetter: 'drop' },
  );
  transport.receive(stranger(1, ORDER));
  await vi.waitFor(() => expect(other).toEqual([1]));
  await new Promise((resolve) => setTimeout(resolve, 0));
  transport.receive(stranger(2, ORDER));
  transport.receive(stranger(3, ORDER));
  await vi.waitFor(() => expect([one, other]).toEqual([[1], [1, 2]]));
});

test('copies of one event that come while it is handled are handled once, and all are settled', async () => {
  const transport = new LoopTransport({ settlement: 'native', groups: 'native' });
  const { me } = await open(transport);
  let finish = () => {};
  let calls = 0;
  await me.subscribe(
    () => {
      calls++;
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    },
    { group: 'g' },
  );
  const leases = [leaseOf(), leaseOf(), leaseOf()];
  for (const lease of leases) transport.receive(stranger(1, ORDER), lease);
  expect(calls).toBe(1);
  finish();
  await vi.waitFor(() => expect(leases.map(({ settled }) => settled)).toEqual([['accept'], ['accept'], ['accept']]));
});

test('what was accepted and comes again, since its settlement was lost, is not handled again', async () => {
  const transport = new LoopTransport({ settlement: 'native', groups: 'native' });
  const { me } = await open(transport);
  let calls = 0;
  await me.subscribe(() => void calls++, { group: 'g' });
  const lost = { attempt: 1, settle: () => Promise.reject(new PolycastError('lock-lost', 'too late')) };
  transport.receive(stranger(1, ORDER), lost);
  const again = leaseOf(2);
  transport.receive(stranger(1, ORDER), again);
  expect([calls, again.settled, me.dropped.duplicates]).toEqual([1, ['accept'], 1]);
});

test('what comes again while it waits for its turn is handled once', async () => {
  const transport = new LoopTransport({ settlement: 'native', groups: 'native' });
  const { me } = await open(transport);
  const seen: unknown[] = [];
  let finish = () => {};
  await me.subscribe(
    (event) => {
      seen.push(event.data);
      return event.data === 'first' ? new Promise<void>((resolve) => (finish = resolve)) : undefined;
    },
    { group: 'g' },
  );
  transport.receive(stranger('first'), leaseOf());
  // Its lock is lost, and nobody says so: the service answers nothing.
  const leases = [leaseOf(), leaseOf(2), leaseOf(3)];
  for (const lease of leases) transport.receive(stranger('again', ORDER), lease);
  finish();
  await vi.waitFor(() => expect(leases.map(({ settled }) => settled)).toEqual([[], [], ['accept']]));
  expect([seen, me.dropped.duplicates]).toEqual([['first', 'again'], 2]);
});

test('what waits for its next try, and comes again meanwhile, is tried again once', async () => {
  const transport = new LoopTransport({ settlement: 'native', durable: 'native' });
  const { me } = await open(transport);
  const attempts: number[] = [];
  await me.subscribe(
    (_, { attempt }) => {
      attempts.push(attempt);
      if (attempts.length === 1) throw new Error('not yet');
    },
    { durable: 'd', concurrency: 2 },
  );
  // Its lock is lost, and nobody says so.
  const leases = [leaseOf(), leaseOf(2)];
  for (const lease of leases) transport.receive(stranger(1, ORDER), lease);
  await vi.waitFor(() => expect(leases.map(({ settled }) => settled)).toEqual([[], ['accept']]));
  expect([attempts.length, me.dropped.duplicates]).toEqual([2, 1]);
});

/** As a publisher writes it whose clock is wrong. */
const publishedAt = (clockMs: number, ttlMs: number, more: Record<string, string | number> = {}) =>
  stranger(0, {
    id: `${EPOCH}.${nextNumber}`,
    sequence: `${EPOCH}.${String(nextNumber).length}${nextNumber++}`,
    time: new Date(clockMs).toISOString(),
    expirytime: new Date(clockMs + ttlMs).toISOString(),
    ...more,
  });
let nextNumber = 1;
const MINUTE_MS = 60_000;

test.each([-1_000, -11, 11, 1_000])('a publisher whose clock is %d minutes off is heard', async (offMin) => {
  const transport = new LoopTransport({ settlement: 'native', groups: 'native' });
  const { me, signals } = await open(transport);
  let plain = 0;
  let leased = 0;
  await me.subscribe(() => void leased++, { group: 'g' });
  const clockMs = Date.now() + offMin * MINUTE_MS;
  transport.receive(publishedAt(clockMs, 10_000), { ...leaseOf(), ageMs: 5_000 });
  transport.receive(publishedAt(clockMs, 10_000), { ...leaseOf(), ageMs: 10_001 });
  expect([leased, me.dropped.expired]).toEqual([1, 1]);
  const pushed = new LoopTransport();
  const other = await open(pushed, 'other');
  await other.me.subscribe(() => void plain++);
  pushed.receive(publishedAt(clockMs, 10_000));
  // The event's own time may be any: then its time to live is said apart.
  pushed.receive(publishedAt(clockMs, 10_000, { time: '2001-01-01T00:00:00.000Z', ttlms: 10_000 }));
  expect(plain).toBe(2);
  expect(signals.map(({ kind }) => kind)).toEqual(['expired']);
  expect(other.signals).toEqual([]);
});

test('a clock that is set back brings no expired event back, one set forward takes none away', async () => {
  const transport = new LoopTransport();
  const { me } = await open(transport);
  const seen: unknown[] = [];
  let finish = () => {};
  await me.subscribe((event) => {
    seen.push(event.time);
    return new Promise<void>((resolve) => {
      finish = resolve;
    });
  });
  transport.receive(publishedAt(Date.now(), 10_000));
  transport.receive(publishedAt(Date.now(), 20));
  transport.receive(publishedAt(Date.now(), 20_000));
  const sinceMs = performance.now();
  await vi.waitFor(() => expect(performance.now() - sinceMs).toBeGreaterThan(25));
  const wall = vi.spyOn(Date, 'now').mockReturnValue(Date.now() - 3_600_000);
  finish();
  await vi.waitFor(() => expect([seen.length, me.dropped.expired]).toEqual([2, 1]));
  wall.mockReturnValue(Date.now() + 7_200_000);
  transport.receive(publishedAt(Date.now(), 10_000));
  finish();
  await vi.waitFor(() => expect([seen.length, me.dropped.expired]).toEqual([3, 1]));
  wall.mockRestore();
});

test('expired events are counted, and signalled once for each publisher', async () => {
  const transport = new LoopTransport();
  const { me, signals } = await open(transport);
  const heard: string[] = [];
  await me.subscribe(() => {}, { onSignal: ({ kind }) => heard.push(kind) });
  const expirytime = new Date(Date.now() - 1).toISOString();
  for (const source of ['/a', '/a', '/b']) transport.receive(stranger(0, { source, expirytime }));
  expect(signals.map((signal) => signal.kind === 'expired' && signal.source)).toEqual(['/a', '/b']);
  expect(heard).toEqual(['expired', 'expired']);
  expect(me.dropped.expired).toBe(3);
});
