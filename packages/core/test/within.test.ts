import { Worker } from 'node:worker_threads';
import { PolycastError, pause, settlesWithin, within } from '@polycast/core/adapter';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

/** Counts the listeners on it. */
function watchedSignal(isAborted = false) {
  const controller = new AbortController();
  if (isAborted) controller.abort();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (name: string, listener: never, options: never) => {
    listeners.add(listener);
    add(name, listener, options);
  };
  signal.removeEventListener = (name: string, listener: never) => {
    listeners.delete(listener);
    remove(name, listener);
  };
  return { signal, listeners, abort: () => controller.abort() };
}

describe('a bounded wait', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('ends with what comes first, and leaves no timer and no listener', async () => {
    const time = fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        time,
        fc.boolean(),
        time,
        async (limit, settles, fails, aborts) => {
          const { signal, listeners, abort } = watchedSignal();
          const failure = new Error('failed');
          const work = new Promise<string>((resolve, reject) => {
            if (settles !== undefined) setTimeout(() => (fails ? reject(failure) : resolve('done')), settles);
          });
          if (aborts !== undefined) setTimeout(abort, aborts);
          let outcome: unknown = 'still waiting';
          const waiting = within(limit, work, { abortSignal: signal }).then(
            (value) => {
              outcome = value;
            },
            (thrown) => {
              outcome = thrown === failure ? 'failed' : (thrown as PolycastError).code;
            },
          );
          await vi.advanceTimersByTimeAsync(500);
          await waiting;
          const ends = [
            [settles ?? 1e9, fails ? 'failed' : 'done'],
            [aborts ?? 1e9, 'aborted'],
            // After the last fifth the process reads once more.
            [5 * Math.ceil(limit / 5), 'timeout'],
          ] as const;
          const first = Math.min(...ends.map(([at]) => at));
          expect(ends.filter(([at]) => at <= first + 2).map(([, end]) => end)).toContain(outcome);
          if (settles !== undefined && settles < limit && settles < (aborts ?? 1e9)) {
            expect(outcome).toBe(fails ? 'failed' : 'done');
          }
          expect(listeners.size).toBe(0);
          expect(vi.getTimerCount()).toBe(0);
        },
      ),
    );
  });

  it('takes its listener away when the work is done', async () => {
    const { signal, listeners } = watchedSignal();
    const waiting = within(1_000, Promise.resolve(5), { abortSignal: signal });
    expect(listeners.size).toBe(1);
    expect(await waiting).toBe(5);
    expect(listeners.size).toBe(0);
  });

  it('is over at once where the caller has aborted already', async () => {
    const { signal, listeners } = watchedSignal(true);
    const waiting = within(1_000, new Promise(() => {}), { abortSignal: signal });
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    expect(listeners.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('says what is late, and ignores what comes later', async () => {
    for (const late of [undefined, () => undefined, () => new Error('no answer from 7')]) {
      let fail = (_: Error) => {};
      const work = new Promise<never>((_, reject) => {
        fail = reject;
      });
      const waiting = within(100, work, late === undefined ? {} : { late });
      const outcome = expect(waiting).rejects.toThrow(
        late?.() === undefined ? /^timeout: timed out after 100 ms$/ : /7$/,
      );
      await vi.advanceTimersByTimeAsync(200);
      await outcome;
      fail(new Error('later'));
    }
    const wrong = within(100, Promise.reject(new Error('first')), { abortSignal: {} as AbortSignal });
    await expect(wrong).rejects.toThrow(TypeError);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('settlesWithin says whether it came in time, however it ended', async () => {
    expect(await settlesWithin(100, Promise.resolve(false))).toBe(true);
    expect(await settlesWithin(100, Promise.reject(new Error('failed')))).toBe(true);
    const late = settlesWithin(100, new Promise(() => {}));
    await vi.advanceTimersByTimeAsync(200);
    expect(await late).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a pause ends with its time, or when the caller aborts', async () => {
    const { signal, listeners, abort } = watchedSignal();
    const passing = pause(100, signal);
    await vi.advanceTimersByTimeAsync(100);
    await passing;
    const cut = pause(1_000_000, signal);
    abort();
    await cut;
    await pause(1_000_000, signal);
    await vi.advanceTimersByTimeAsync(0);
    expect(listeners.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

it.each(['the start', 'near the end'])(
  'an answer that came while the process was busy is in time: busy from %s',
  async (from) => {
    const LIMIT_MS = 50;
    const setRealTimeout = setTimeout;
    const shared = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
     parentPort.on('message', () => {
       parentPort.postMessage('answer');
       Atomics.store(workerData, 0, 1);
       Atomics.notify(workerData, 0);
     });`,
      { eval: true, workerData: shared },
    );
    await new Promise((resolve) => worker.once('online', resolve));
    const answer = new Promise((resolve) => worker.once('message', resolve));
    const beBusy = () => {
      worker.postMessage('question');
      // Nothing is read until the answer is there, and every timer is late.
      const untilMs = performance.now() + LIMIT_MS;
      Atomics.wait(shared, 0, 0);
      while (performance.now() < untilMs);
    };
    // In the first part of the wait, or the last. After immediates come timers, and after these input.
    const part = from === 'the start' ? 1 : 5;
    const timers = vi.spyOn(globalThis, 'setTimeout');
    let parts = 0;
    timers.mockImplementation(((task: () => void, ms: number) => {
      if (ms === LIMIT_MS / 5 && ++parts === part) setImmediate(beBusy);
      return setRealTimeout(task, ms);
    }) as never);
    const waiting = within(LIMIT_MS, answer);
    expect(await waiting.catch((thrown: PolycastError) => thrown.code)).toBe('answer');
    timers.mockRestore();
    await worker.terminate();
  },
);

it('gives a code', async () => {
  await expect(within(1, new Promise(() => {}))).rejects.toBeInstanceOf(PolycastError);
});
