import { afterEach, expect, test, vi } from 'vitest';
import { retryAfterMsOf } from '../src/contract/error.ts';
import { type Broadcaster, type ConnectOptions, connect, PolycastError, type Signal } from '../src/index.ts';
import { LoopTransport } from './loop-transport.ts';

/** A service that says how long it wants to be left alone is obeyed. */

const PAUSE_MS = 150;
const openOnes: Broadcaster[] = [];

async function open(options: Partial<ConnectOptions> = {}, ...made: ConstructorParameters<typeof LoopTransport>) {
  const transport = new LoopTransport(...made);
  const me = await connect({ transport, topic: 't', self: { instance: 'me' }, retry: { baseMs: 1 }, ...options });
  openOnes.push(me);
  return { transport, me };
}

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

const throttled = (retryAfterMs = PAUSE_MS) => new PolycastError('throttled', 'slow down', { retryAfterMs });
const datasOf = (transport: LoopTransport) => transport.sent.map((batch) => batch.map(({ event }) => event.data));

/** Refuses the first sends; says when each came. */
function refusing(transport: LoopTransport, errors: (PolycastError | undefined)[]): number[] {
  const atMs: number[] = [];
  transport.loops = false;
  transport.onPublish = async () => {
    atMs.push(performance.now());
    const error = errors.shift();
    if (error !== undefined) throw error;
  };
  return atMs;
}

test('nothing is sent before the time that the service asked for', async () => {
  const { transport, me } = await open();
  const atMs = refusing(transport, [throttled()]);
  const sent = [me.publish({ type: 'a', data: 1 })];
  await vi.waitFor(() => expect(atMs.length).toBe(1));
  sent.push(me.publish({ type: 'a', data: 2 }));
  await Promise.all(sent);
  expect(atMs[1]! - atMs[0]!).toBeGreaterThanOrEqual(PAUSE_MS - 1);
  expect(datasOf(transport)).toEqual([[1], [1], [2]]);
});

test('a connection that comes back meanwhile changes nothing of that', async () => {
  const { transport, me } = await open();
  const atMs = refusing(transport, [throttled()]);
  const sent = me.publish({ type: 'a' });
  await vi.waitFor(() => expect(atMs.length).toBe(1));
  await new Promise((resolve) => setTimeout(resolve, 10));
  transport.context?.signal({ kind: 'disconnected', error: new PolycastError('disconnected', 'gone') });
  transport.context?.signal({ kind: 'reconnected', downMs: 1, mayHaveLost: false });
  await sent;
  expect(atMs[1]! - atMs[0]!).toBeGreaterThanOrEqual(PAUSE_MS - 1);
  expect(atMs[1]! - atMs[0]!).toBeLessThan(10_000);
});

test('what would have expired by then rejects at once, and its number goes to the next', async () => {
  const { transport, me } = await open();
  const atMs = refusing(transport, [throttled(60_000)]);
  const late = me.publish({ type: 'a', data: 'late' }, { ttlMs: 30_000 });
  await expect(late).rejects.toMatchObject({ code: 'throttled', retryAfterMs: 60_000 });
  // So does what is published before it is over.
  await expect(me.publish({ type: 'a' }, { ttlMs: 30_000 })).rejects.toMatchObject({ code: 'throttled' });
  await expect(me.request({ type: 'q' }, { timeoutMs: 5_000 })).rejects.toMatchObject({ code: 'throttled' });
  const waiting = me.publish({ type: 'a', data: 'waits' });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(atMs.length).toBe(1);
  await Promise.all([expect(waiting).rejects.toMatchObject({ code: 'closed' }), me.close({ drainMs: 10 })]);
});

test('the numbers of what was refused go to what waits behind', async () => {
  const { transport, me } = await open({}, { members: 'none', request: 'none' });
  refusing(transport, [throttled()]);
  const outcomes = [1, 2, 3].map((data) =>
    me.publish({ type: 'a', data }, { ttlMs: data === 3 ? 60_000 : PAUSE_MS / 2 }),
  );
  expect((await Promise.allSettled(outcomes)).map(({ status }) => status)).toEqual([
    'rejected',
    'rejected',
    'fulfilled',
  ]);
  expect(transport.sent.at(-1)!.map(({ event }) => [event.data, event.sequence?.split('.').at(-1)])).toEqual([
    [3, '11'],
  ]);
});

test('the last try fails with what the service said, and what follows waits all the same', async () => {
  const { transport, me } = await open({ retry: { maxAttempts: 1 } });
  const atMs = refusing(transport, [throttled()]);
  await expect(me.publish({ type: 'a' })).rejects.toMatchObject({ code: 'throttled', retryAfterMs: PAUSE_MS });
  await me.publish({ type: 'a' });
  expect(atMs[1]! - atMs[0]!).toBeGreaterThanOrEqual(PAUSE_MS - 1);
});

test('of several answers the longest counts, and what cannot be retried is not waited for', async () => {
  const { transport, me } = await open();
  const atMs: number[] = [];
  transport.onPublish = async (batch) => {
    atMs.push(performance.now());
    if (atMs.length > 1) return undefined;
    return batch.map((_, at) =>
      at === 2 ? new PolycastError('unauthorized', 'no', { retryAfterMs: 60_000 }) : throttled((2 - at) * PAUSE_MS),
    );
  };
  transport.loops = false;
  const outcomes = await Promise.allSettled([1, 2, 3].map((data) => me.publish({ type: 'a', data })));
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect(atMs[1]! - atMs[0]!).toBeGreaterThanOrEqual(2 * PAUSE_MS - 1);
  expect(atMs[1]! - atMs[0]!).toBeLessThan(30_000);
});

test('a broadcaster with nothing to send closes at once', async () => {
  const { transport, me } = await open({ retry: { maxAttempts: 1 } });
  refusing(transport, [throttled(60_000)]);
  await expect(me.publish({ type: 'a' })).rejects.toThrow('throttled');
  const beganMs = performance.now();
  await me.close();
  expect(performance.now() - beganMs).toBeLessThan(5_000);
});

test('a handler is tried again when the service that it asks may be asked again', async () => {
  const { me } = await open({ carbonCopy: true });
  const atMs: number[] = [];
  await me.subscribe(
    () => {
      atMs.push(performance.now());
      if (atMs.length === 1) throw throttled();
    },
    { retry: { baseMs: 1 } },
  );
  await me.publish({ type: 'a' });
  await vi.waitFor(() => expect(atMs.length).toBe(2));
  expect(atMs[1]! - atMs[0]!).toBeGreaterThanOrEqual(PAUSE_MS - 1);
});

test('an event that is over before the next try of its handler is set aside at once, and middleware is told so', async () => {
  const outcomes: string[] = [];
  const { me } = await open({
    carbonCopy: true,
    middleware: [
      {
        deliver: async (_delivery, _context, next) => {
          const result = await next();
          outcomes.push(result.outcome);
          return result;
        },
      },
    ],
  });
  const signals: Signal[] = [];
  const handled: unknown[] = [];
  await me.subscribe(
    (event) => {
      handled.push(event.data);
      if (event.data === 1) throw throttled(60_000);
    },
    { onSignal: (signal) => signals.push(signal) },
  );
  await me.publish({ type: 'a', data: 1 }, { ttlMs: 30_000 });
  await me.publish({ type: 'a', data: 2 });
  await vi.waitFor(() => expect(handled).toEqual([1, 2]));
  await vi.waitFor(() => expect(outcomes).toEqual(['dead-lettered', 'accepted']));
  expect(signals).toMatchObject([{ kind: 'dead-lettered', reason: 'throttled: slow down', attempts: 1 }]);
});

test.each([undefined, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', null])('%s is not a time to wait', (value) => {
  const error = new PolycastError('throttled', 'x', { retryAfterMs: value as never });
  expect(error.retryAfterMs).toBeUndefined();
  expect(Object.keys(error)).not.toContain('retryAfterMs');
  expect(retryAfterMsOf(error)).toBe(0);
});

test('whatever is thrown, reading it never throws', () => {
  expect(retryAfterMsOf(throttled(5))).toBe(5);
  const odd = Object.defineProperty(throttled(), 'retryAfterMs', {
    get: () => {
      throw new Error('no');
    },
  });
  for (const thrown of [odd, null, undefined, 'x', { retryAfterMs: 5 }]) expect(retryAfterMsOf(thrown)).toBe(0);
});
