import { Shared } from '@polycast/core/adapter';
import { describe, expect, it } from 'vitest';

function counted(isShared?: boolean) {
  const log: string[] = [];
  const givenUp: string[] = [];
  let number = 0;
  let failure: Error | undefined;
  const shared = new Shared(
    async (abortSignal) => {
      const name = `c${++number}`;
      abortSignal.addEventListener('abort', () => givenUp.push(name));
      log.push(`open ${name}`);
      await Promise.resolve();
      if (failure !== undefined) throw failure;
      return name;
    },
    async (name) => {
      log.push(`close ${name}`);
    },
    isShared,
  );
  return {
    shared,
    log,
    givenUp,
    fail(error: Error | undefined) {
      failure = error;
    },
  };
}

describe('what is shared', () => {
  it('is opened once, also by those who ask at the same time, and closed with its last user', async () => {
    const { shared, log } = counted();
    const [one, two] = await Promise.all([shared.acquire(), shared.acquire()]);
    const three = await shared.acquire();
    expect([one.value, two.value, three.value]).toEqual(['c1', 'c1', 'c1']);
    await Promise.all([one.release(), two.release()]);
    expect(log).toEqual(['open c1']);
    await three.release();
    expect(log).toEqual(['open c1', 'close c1']);
  });

  it('is not closed by one who lets go twice', async () => {
    const { shared, log } = counted();
    const [one, two] = await Promise.all([shared.acquire(), shared.acquire()]);
    await one.release();
    await one.release();
    expect(log).toEqual(['open c1']);
    await two.release();
    expect(log).toEqual(['open c1', 'close c1']);
  });

  it('is opened anew after its last user has let go', async () => {
    const { shared, log } = counted();
    const closing = (await shared.acquire()).release();
    const next = await shared.acquire();
    await closing;
    expect(next.value).toBe('c2');
    await next.release();
    expect(log).toEqual(['open c1', 'close c1', 'open c2', 'close c2']);
  });

  it('fails for all who wait for it, and is tried anew', async () => {
    const { shared, log, fail } = counted();
    fail(new Error('no'));
    const [one, two] = await Promise.allSettled([shared.acquire(), shared.acquire()]);
    expect([one.status, two.status]).toEqual(['rejected', 'rejected']);
    fail(undefined);
    expect((await shared.acquire()).value).toBe('c2');
    expect(log).toEqual(['open c1', 'open c2']);
  });

  it('is opened although one who waited for it has gone', async () => {
    const { shared, log } = counted();
    const gone = new AbortController();
    const [one, two] = [shared.acquire(gone.signal), shared.acquire(new AbortController().signal)];
    gone.abort();
    await expect(one).rejects.toMatchObject({ code: 'aborted' });
    const share = await two;
    expect(share.value).toBe('c1');
    expect(log).toEqual(['open c1']);
    await share.release();
    expect(log).toEqual(['open c1', 'close c1']);
  });

  it('is given up, and closed if it opens all the same, once nobody waits for it; the next gets another', async () => {
    const { shared, log, givenUp } = counted();
    const gone = new AbortController();
    const all = [shared.acquire(gone.signal), shared.acquire(gone.signal)];
    gone.abort();
    expect(givenUp).toEqual(['c1']);
    const next = await shared.acquire();
    for (const each of all) await expect(each).rejects.toMatchObject({ code: 'aborted' });
    expect(next.value).toBe('c2');
    expect(log).toEqual(['open c1', 'open c2', 'close c1']);
    await expect(shared.acquire(gone.signal)).rejects.toMatchObject({ code: 'aborted' });
    await next.release();
    expect(givenUp).toEqual(['c1']);
    expect(log).toEqual(['open c1', 'open c2', 'close c1', 'close c2']);
  });

  it('keeps no listener on the signal of one who has got it', async () => {
    const { shared, log } = counted();
    const later = new AbortController();
    const share = await shared.acquire(later.signal);
    later.abort();
    expect((await shared.acquire()).value).toBe('c1');
    await share.release();
    expect(log).toEqual(['open c1']);
  });

  it('is not shared where each has one of their own', async () => {
    const { shared, log } = counted(false);
    const [one, two] = await Promise.all([shared.acquire(), shared.acquire()]);
    await one.release();
    await two.release();
    expect(log).toEqual(['open c1', 'open c2', 'close c1', 'close c2']);
  });
});
