import { Shared } from '@polycast/core/adapter';
import { describe, expect, it } from 'vitest';

function counted(isShared?: boolean) {
  const log: string[] = [];
  let number = 0;
  let failure: Error | undefined;
  const shared = new Shared(
    async () => {
      const name = `c${++number}`;
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

  it('is not shared where each has one of their own', async () => {
    const { shared, log } = counted(false);
    const [one, two] = await Promise.all([shared.acquire(), shared.acquire()]);
    await one.release();
    await two.release();
    expect(log).toEqual(['open c1', 'open c2', 'close c1', 'close c2']);
  });
});
