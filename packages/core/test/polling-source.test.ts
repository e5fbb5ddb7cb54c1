import { type Poller, PolycastError, pollingSource, type Sink } from '@polycast/core/adapter';
import { expect, it } from 'vitest';

interface Poll {
  readonly maxMessages: number;
  readonly waitMs: number;
  answer(...messages: number[]): void;
  fail(thrown: unknown): void;
}

/** A service whose polls the test answers, and the source of it. */
function polled(more: Partial<Poller<number>> = {}) {
  const polls: Poll[] = [];
  const delivered: number[] = [];
  const failures: PolycastError[] = [];
  const state = { capacity: 7, isReady: Promise.resolve(), closed: 0 };
  const sink = {
    get capacity() {
      return state.capacity;
    },
    ready: () => state.isReady,
    failed: (error: PolycastError) => void failures.push(error),
  } as Sink;
  const source = pollingSource<number>(sink, {
    pollTimeoutMs: 30_000,
    maxMessages: 5,
    poll: (maxMessages, waitMs) =>
      new Promise((resolve, reject) => {
        polls.push({ maxMessages, waitMs, answer: (...messages) => resolve(messages), fail: reject });
      }),
    deliver: (message) => void delivered.push(message),
    interrupt: async () => polls.at(-1)?.answer(),
    close: async () => void state.closed++,
    ...more,
  });
  const poll = async (at: number): Promise<Poll> => {
    await expect.poll(() => polls.length).toBeGreaterThan(at);
    return polls[at] as Poll;
  };
  return { source, polls, poll, delivered, failures, state };
}

it('polls for as much as the sink has room for, and no more than one poll may bring; one poll at a time', async () => {
  const { poll, polls, delivered, state } = polled();
  const first = await poll(0);
  expect([first.maxMessages, first.waitMs]).toEqual([5, 30_000]);
  state.capacity = 2;
  first.answer(1, 2, 3);
  expect((await poll(1)).maxMessages).toBe(2);
  expect([delivered, polls.length]).toEqual([[1, 2, 3], 2]);
});

it('does not poll while the sink has no room', async () => {
  const { poll, polls, state } = polled();
  let makeRoom = () => {};
  state.isReady = new Promise((resolve) => {
    makeRoom = resolve;
  });
  (await poll(0)).answer();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(polls.length).toBe(1);
  makeRoom();
  await poll(1);
});

it('a poll that failed is tried again if that can help; else the source has failed', async () => {
  const { poll, polls, failures } = polled();
  (await poll(0)).fail(new PolycastError('disconnected', 'gone'));
  (await poll(1)).fail(new PolycastError('throttled', 'busy', { retryAfterMs: 5 }));
  (await poll(2)).fail(new PolycastError('unauthorized', 'no longer'));
  await expect.poll(() => failures.map(({ code }) => code)).toEqual(['unauthorized']);
  expect(polls.length).toBe(3);
});

it('is caught up when a poll that does not wait finds nothing', async () => {
  const { source, poll, polls, delivered } = polled();
  await poll(0);
  let isCaughtUp = false;
  const caughtUp = source.caughtUp?.().then(() => {
    isCaughtUp = true;
  });
  const second = await poll(1);
  expect(second.waitMs).toBe(0);
  second.answer(1);
  const third = await poll(2);
  expect([third.waitMs, isCaughtUp]).toEqual([0, false]);
  third.answer();
  await caughtUp;
  expect([delivered, polls.length]).toEqual([[1], 3]);
});

it('once stopped it has handed on what the interrupted poll brought, and drops what comes later', async () => {
  let interrupted = () => {};
  const { source, poll, polls, delivered } = polled({
    interrupt: () =>
      new Promise((resolve) => {
        interrupted = () => resolve(undefined);
      }),
  });
  const waiting = await poll(0);
  const late = source.caughtUp?.();
  const lost = await poll(1);
  const stopping = source.stop();
  waiting.answer(1);
  await expect.poll(() => delivered).toEqual([1]);
  interrupted();
  await stopping;
  lost.answer(2);
  await late;
  await source.stop();
  expect([delivered, polls.length]).toEqual([[1], 2]);
});

it('stops and closes although the service answers nothing', async () => {
  const silent = async () => Promise.reject(new PolycastError('timeout', 'no answer'));
  let closes = 0;
  const { source } = polled({
    interrupt: silent,
    close() {
      closes++;
      return silent();
    },
  });
  await source.stop();
  await source.close();
  await source.close();
  expect(closes).toBe(1);
});
