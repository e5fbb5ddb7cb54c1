import { type ErrorCode, PolycastError, Reconnecting, type Signal } from '@polycast/core/adapter';
import { describe, expect, it, vi } from 'vitest';

/** One connection that the test can lose. */
class Line {
  isClosed = false;
  #lost: ((error: PolycastError) => void) | undefined;

  watch(lost: (error: PolycastError) => void): void {
    this.#lost = lost;
  }

  lose(error = new PolycastError('disconnected', 'cut')): void {
    this.isClosed = true;
    this.#lost?.(error);
    this.#lost = undefined;
  }
}

async function connected({ mayHaveLost = false } = {}) {
  const lines: Line[] = [];
  const signals: Signal[] = [];
  const state: { refusals: number; connects: number; code: ErrorCode } = {
    refusals: 0,
    connects: 0,
    code: 'unreachable',
  };
  const connection = await Reconnecting.open<Line>(
    {
      async connect() {
        state.connects++;
        if (state.refusals-- > 0) throw new PolycastError(state.code, 'down');
        lines.push(new Line());
        return lines.at(-1) as Line;
      },
      watch: (line, lost) => line.watch(lost),
      close: (line) => line.lose(),
      mayHaveLost,
    },
    new AbortController().signal,
  );
  connection.monitor.join((signal) => void signals.push(signal));
  return { connection, lines, signals, state, kinds: () => signals.map(({ kind }) => kind) };
}

describe('a connection that comes back', () => {
  it('is made anew when it is lost, as often as it takes, and signals both ends of the outage', async () => {
    const { connection, lines, signals, state, kinds } = await connected({ mayHaveLost: true });
    state.refusals = 3;
    lines[0]?.lose();
    expect(() => connection.client).toThrow('disconnected');
    await expect.poll(kinds).toEqual(['disconnected', 'reconnected']);
    expect(connection.client).toBe(lines[1]);
    expect([state.connects, signals[1]]).toMatchObject([5, { mayHaveLost: true }]);
    await connection.close();
  });

  it('has its sources listen again before it says that it is back', async () => {
    const { connection, lines, kinds } = await connected();
    let heard: readonly string[] | undefined;
    connection.onReturn.add(async () => {
      heard = kinds();
    });
    lines[0]?.lose();
    await expect.poll(kinds).toContain('reconnected');
    expect(heard).toEqual(['disconnected']);
    await connection.close();
  });

  it('is made once more if a source cannot listen on it', async () => {
    const { connection, lines, kinds } = await connected();
    let attempts = 0;
    connection.onReturn.add(async () => {
      if (attempts++ === 0) throw new PolycastError('timeout', 'no answer');
    });
    lines[0]?.lose();
    await expect.poll(kinds).toEqual(['disconnected', 'reconnected']);
    expect([lines.map(({ isClosed }) => isClosed), connection.client]).toEqual([[true, true, false], lines[2]]);
    await connection.close();
  });

  it('says once why it does not come back, where the reason will not pass by itself, and goes on trying', async () => {
    const { connection, lines, signals, state, kinds } = await connected();
    Object.assign(state, { code: 'unauthorized', refusals: 5 });
    lines[0]?.lose();
    await expect.poll(kinds).toEqual(['disconnected', 'failed', 'reconnected']);
    expect(signals[1]).toMatchObject({
      what: 'source',
      error: { code: 'unauthorized', message: 'unauthorized: the connection cannot be restored: down' },
    });
    await connection.close();
  });

  it('waits longer and longer where connecting works and listening does not, and says why', async () => {
    const { connection, lines, state, kinds } = await connected();
    const startedAtMs = performance.now();
    connection.onReturn.add(async () => {
      if (state.connects <= 8) throw new PolycastError('unauthorized', 'may not listen');
    });
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.5);
    lines[0]?.lose();
    await expect.poll(kinds).toEqual(['disconnected', 'failed', 'reconnected']);
    random.mockRestore();
    // Half of 20, 40, 80, 160, 320, 640 and 1,000 ms.
    expect(performance.now() - startedAtMs).toBeGreaterThan(1_100);
    await connection.close();
  });

  it('may be lost again while its sources are about to listen', async () => {
    const { connection, lines, kinds } = await connected();
    connection.onReturn.add(async () => {
      if (lines.length < 4) lines.at(-1)?.lose();
    });
    lines[0]?.lose();
    await expect.poll(kinds).toEqual(['disconnected', 'reconnected']);
    expect(connection.client).toBe(lines[3]);
    await connection.close();
  });

  it('once closed it is closed for good, also while it is away', async () => {
    const { connection, lines, state, kinds } = await connected();
    state.refusals = Number.POSITIVE_INFINITY;
    lines[0]?.lose();
    await expect.poll(() => state.connects).toBeGreaterThan(1);
    await connection.close();
    const { connects } = state;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect([state.connects, kinds()]).toEqual([connects, ['disconnected']]);
    expect(() => connection.client).toThrow('closed');
  });
});

describe('what must reach the service', () => {
  const isDone = ({ code }: PolycastError) => code === 'lock-lost';

  it('is done again over the next connection if it was lost with this one', async () => {
    const { connection, lines } = await connected();
    const over: Line[] = [];
    await connection.insist(async () => {
      over.push(connection.client);
      if (over.length > 1) return;
      connection.client.lose();
      throw new PolycastError('disconnected', 'cut');
    }, isDone);
    expect(over).toEqual(lines);
    await connection.close();
  });

  it('was done if the service says so the second time, and only then', async () => {
    const { connection } = await connected();
    const refuse = async () => Promise.reject(new PolycastError('lock-lost', 'with another'));
    await expect(connection.insist(refuse, isDone)).rejects.toThrow('lock-lost');
    let isFirst = true;
    await connection.insist(async () => {
      if (!isFirst) return refuse();
      isFirst = false;
      connection.client.lose();
      throw new PolycastError('disconnected', 'cut');
    }, isDone);
    await connection.close();
  });

  it('is given up when the connection is closed', async () => {
    const { connection, lines, state } = await connected();
    state.refusals = Number.POSITIVE_INFINITY;
    lines[0]?.lose();
    const insisting = connection.insist(async () => connection.client, isDone);
    const outcome = expect(insisting).rejects.toThrow('closed');
    // It waits for the next connection.
    await new Promise((resolve) => setTimeout(resolve));
    await connection.close();
    await outcome;
  });
});
