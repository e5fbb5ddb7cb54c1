import {
  ConnectionMonitor,
  type JoinedLink,
  LinkMonitor,
  PolycastError,
  type Signal,
  startKeepAlive,
} from '@polycast/core/adapter';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const error = new PolycastError('disconnected', 'lost');

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the monitor of one link', () => {
  it('signals both ends of an outage, once', () => {
    const signals: Signal[] = [];
    const monitor = new LinkMonitor((signal) => signals.push(signal));
    monitor.up({ mayHaveLost: true });
    expect([signals, monitor.isDown, monitor.downSinceMs]).toEqual([[], false, undefined]);
    const lostAtMs = performance.now();
    monitor.down(error);
    vi.advanceTimersByTime(40);
    monitor.down(new PolycastError('timeout', 'another'));
    expect([monitor.isDown, monitor.downSinceMs]).toEqual([true, lostAtMs]);
    vi.advanceTimersByTime(2);
    monitor.up({ mayHaveLost: true });
    monitor.up({ mayHaveLost: false });
    expect(signals).toEqual([
      { kind: 'disconnected', error },
      { kind: 'reconnected', downMs: 42, mayHaveLost: true },
    ]);
  });

  it('signals no return of what it did not signal the loss of', () => {
    const signals: Signal[] = [];
    let isUsed = false;
    const monitor = new LinkMonitor(
      (signal) => signals.push(signal),
      () => isUsed,
    );
    monitor.down(error);
    isUsed = true;
    monitor.up({ mayHaveLost: true });
    expect(signals).toEqual([]);
  });

  it('signals a silence once, until there is an answer', () => {
    const signals: Signal[] = [];
    const monitor = new LinkMonitor((signal) => signals.push(signal));
    monitor.answered();
    monitor.silent(5);
    monitor.silent(10);
    monitor.answered();
    monitor.silent(7);
    expect(signals).toEqual([
      { kind: 'stalled', what: 'server', sinceMs: 5 },
      { kind: 'stalled', what: 'server', sinceMs: 7 },
    ]);
  });
});

/** What one link should be signalled, by the letter of its documentation. */
class Model {
  readonly signals: string[] = [];
  isUsed = true;
  isDown = false;
  isTold = false;
  isSilent = false;

  down() {
    if (this.isDown) return;
    this.isDown = true;
    this.isTold = this.isUsed;
    if (this.isTold) this.signals.push('disconnected');
  }

  up(mayHaveLost: boolean) {
    if (this.isDown && this.isTold) this.signals.push(`reconnected ${mayHaveLost}`);
    this.isDown = false;
  }

  silent() {
    if (this.isSilent || !this.isUsed) return;
    this.isSilent = true;
    this.signals.push('stalled');
  }
}

interface Real {
  readonly link: JoinedLink;
  readonly model: Model;
  readonly signals: Signal[];
}

const inWords = (signal: Signal) =>
  signal.kind === 'reconnected' ? `${signal.kind} ${signal.mayHaveLost}` : signal.kind;

describe('the monitor of a shared connection', () => {
  const at = fc.nat({ max: 5 });
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom('join', 'down', 'down', 'silent', 'answered') }),
    fc.record({ do: fc.constantFrom('leave', 'use', 'alone up', 'alone silent', 'alone answered'), at }),
    fc.record({ do: fc.constant('up'), mayHaveLost: fc.boolean(), except: fc.array(at, { maxLength: 2 }) }),
  );

  it('tells each link both ends of an outage or neither, and nothing after it has left', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const monitor = new ConnectionMonitor();
        const links: Real[] = [];
        const joined = new Set<Real>();
        let isDown = false;
        let isSilent = false;
        for (const one of steps) {
          const { at: place, mayHaveLost, except } = { at: 0, mayHaveLost: false, except: [] as number[], ...one };
          const target = links[place];
          const excepted = except.flatMap((number) => links[number] ?? []);
          if (one.do === 'join') {
            const [model, signals] = [new Model(), [] as Signal[]];
            const link = monitor.join(
              (signal) => signals.push(signal),
              () => model.isUsed,
            );
            const real = { link, model, signals };
            links.push(real);
            joined.add(real);
          } else if (one.do === 'down') {
            expect(monitor.down(error)).toBe(!isDown);
            if (!isDown) for (const { model } of joined) model.down();
            isDown = true;
          } else if (one.do === 'up') {
            monitor.up({ mayHaveLost }, new Set(excepted.map(({ link }) => link)));
            for (const real of joined) if (!excepted.includes(real)) real.model.up(mayHaveLost);
            isDown = false;
          } else if (one.do === 'silent') {
            monitor.silent(5);
            if (!isSilent) for (const { model } of joined) model.silent();
            isSilent = true;
          } else if (one.do === 'answered') {
            monitor.answered();
            if (isSilent) for (const { model } of joined) model.isSilent = false;
            isSilent = false;
          } else if (target !== undefined) {
            if (one.do === 'leave') {
              target.link.leave();
              joined.delete(target);
            } else if (one.do === 'use') target.model.isUsed = !target.model.isUsed;
            else if (one.do === 'alone up') {
              target.link.up({ mayHaveLost: true });
              if (joined.has(target)) target.model.up(true);
            } else if (one.do === 'alone silent') {
              target.link.silent(5);
              if (joined.has(target)) target.model.silent();
            } else {
              target.link.answered();
              target.model.isSilent = false;
            }
          }
          expect(monitor.isDown).toBe(isDown);
        }
        for (const { signals, model } of links) {
          expect(signals.map(inWords)).toEqual(model.signals);
          const ends = model.signals.filter((signal) => signal !== 'stalled').map((signal) => signal.split(' ')[0]);
          ends.forEach((end, place) => {
            expect(end).toBe(place % 2 === 0 ? 'disconnected' : 'reconnected');
          });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a keep-alive', () => {
  function scene() {
    const log: string[] = [];
    const state = { connection: 'c1' as string | undefined };
    const waiting: { resolve: (value?: unknown) => void; reject: (error: unknown) => void }[] = [];
    const monitor = new LinkMonitor((signal) => log.push(signal.kind));
    const end = startKeepAlive<string>({
      intervalMs: 100,
      monitor,
      connection: () => state.connection,
      ask: (connection) => {
        log.push(`ask ${connection}`);
        return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
      },
      isAnswer: (thrown) => thrown === 'refused',
      giveUp: (connection) => log.push(`give up ${connection}`),
    });
    return { log, state, waiting, end };
  }

  it('asks one question at a time, and finds a silence, once until it ends', async () => {
    const { log, waiting, end } = scene();
    await vi.advanceTimersByTimeAsync(101);
    expect(log.splice(0)).toEqual(['ask c1']);
    await vi.advanceTimersByTimeAsync(300);
    expect(log.splice(0)).toEqual(['stalled']);
    waiting[0]?.resolve();
    await vi.advanceTimersByTimeAsync(100);
    expect(log.splice(0)).toEqual(['ask c1']);
    waiting[1]?.reject('refused');
    await vi.advanceTimersByTimeAsync(100);
    expect(log.splice(0)).toEqual(['ask c1']);
    await vi.advanceTimersByTimeAsync(100);
    expect(log.splice(0)).toEqual(['stalled']);
    end();
    await vi.advanceTimersByTimeAsync(10_000);
    expect([log, vi.getTimerCount()]).toEqual([[], 0]);
  });

  it('gives up a connection after six intervals, and not one that has been replaced', async () => {
    const { log, state, waiting, end } = scene();
    await vi.advanceTimersByTimeAsync(701);
    expect(log.splice(0)).toEqual(['ask c1', 'stalled', 'give up c1']);
    state.connection = 'c2';
    await vi.advanceTimersByTimeAsync(100);
    expect(log.splice(0)).toEqual(['ask c2']);
    state.connection = undefined;
    await vi.advanceTimersByTimeAsync(1_000);
    state.connection = 'c3';
    await vi.advanceTimersByTimeAsync(100);
    waiting[2]?.reject(new Error('lost'));
    expect(log.splice(0)).toEqual(['ask c3']);
    // What failed while the connection is there is not answered.
    await vi.advanceTimersByTimeAsync(600);
    expect(log.splice(0)).toEqual(['give up c3']);
    end();
  });

  it('an answer that has come with the turn is no silence', async () => {
    const { log, waiting, end } = scene();
    await vi.advanceTimersByTimeAsync(100);
    // The next interval is over, and input is read after timers.
    vi.advanceTimersByTime(100);
    waiting[0]?.resolve();
    await vi.advanceTimersByTimeAsync(50);
    expect(log).toEqual(['ask c1']);
    end();
  });

  it('is not asked at all with an interval of 0', () => {
    const never = () => expect.fail('asked');
    startKeepAlive({
      intervalMs: 0,
      monitor: new LinkMonitor(never),
      connection: never,
      ask: never,
      giveUp: never,
    })();
    expect(vi.getTimerCount()).toBe(0);
  });
});
