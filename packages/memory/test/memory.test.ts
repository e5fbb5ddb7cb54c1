import { connect, type Signal } from '@polycast/core';
import { expect, test, vi } from 'vitest';
import { memory } from '../src/index.ts';

test('an event reaches everyone but its publisher', async () => {
  await using kitchen = await connect({ transport: memory(), topic: 'orders', self: { role: 'kitchen' } });
  await using till = await connect({ transport: memory(), topic: 'orders', self: { role: 'till' } });
  const seen: unknown[] = [];
  await kitchen.subscribe((event) => void seen.push(event.data));
  await till.subscribe(() => void seen.push('echo'));
  await till.publish({ type: 'order.moved', data: { order: 17 } }, { to: 'role:kitchen' });
  expect(seen).toEqual([{ order: 17 }]);
});

test('a failing handler is tried again, then the event is set aside with its reason', async () => {
  await using a = await connect({ transport: memory(), topic: 'orders' });
  await using b = await connect({ transport: memory(), topic: 'orders' });
  await using letters = await connect({ transport: memory(), topic: 'orders.dead-letter' });
  const dead = await letters.subscribe();
  const attempts: number[] = [];
  await a.subscribe(
    (_event, delivery) => {
      attempts.push(delivery.attempt);
      throw new Error('no stove');
    },
    { retry: { maxAttempts: 3, baseMs: 1 } },
  );
  await b.publish({ type: 'order.moved', data: 1 });
  for await (const { event } of dead) {
    expect(event.data).toBe(1);
    expect(event.deadletterreason).toBe('no stove');
    break;
  }
  expect(attempts).toEqual([1, 2, 3]);
});

test('a question is answered by many', async () => {
  await using asker = await connect({ transport: memory(), topic: 'search' });
  const answerers = await Promise.all([1, 2, 3].map(() => connect({ transport: memory(), topic: 'search' })));
  for (const [index, answerer] of answerers.entries()) {
    await answerer.subscribe((_event, delivery) => delivery.reply(index));
  }
  const replies = await asker.request({ type: 'find' }, { maxReplies: 3 });
  expect(replies.map(({ data }) => data).sort()).toEqual([0, 1, 2]);
  expect((await asker.members()).length).toBe(4);
  await Promise.all(answerers.map((answerer) => answerer.close()));
});

test('a group shares events; a member that leaves gives back what it holds', async () => {
  await using publisher = await connect({ transport: memory(), topic: 'work' });
  const one = await connect({ transport: memory(), topic: 'work' });
  await using two = await connect({ transport: memory(), topic: 'work' });
  const stuck = await one.subscribe(() => new Promise(() => {}), { group: 'g' });
  await publisher.publish({ type: 'job', data: 1 });
  let resolve!: (attempt: number) => void;
  const got = {
    promise: new Promise<number>((done) => {
      resolve = done;
    }),
    resolve: (attempt: number) => resolve(attempt),
  };
  await two.subscribe((_event, delivery) => got.resolve(delivery.attempt), { group: 'g' });
  await stuck.close({ drainMs: 0 });
  expect(await got.promise).toBe(2);
  await one.close();
});

test('what a handler cannot finish because its broadcaster closes goes back to the group', async () => {
  await using asker = await connect({ transport: memory(), topic: 'search' });
  await using second = await connect({ transport: memory(), topic: 'search' });
  const first = await connect({ transport: memory(), topic: 'search' });
  let begun = () => {};
  const taken = new Promise<void>((resolve) => {
    begun = resolve;
  });
  let closed = () => {};
  const closing = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const signals: string[] = [];
  first.onSignal(({ kind }) => signals.push(kind));
  const group = { group: 'aggregators' };
  await first.subscribe(async () => {
    begun();
    await closing;
    await first.publish({ type: 'search.part' });
  }, group);
  await asker.publish({ type: 'search.asked' });
  await taken;
  const seen: number[] = [];
  await second.subscribe((_event, { attempt }) => void seen.push(attempt), group);
  const end = first.close();
  closed();
  await end;
  await expect.poll(() => seen).toEqual([2]);
  expect(signals).not.toContain('dead-lettered');
});

test('a subscriber that hangs holds no more than its buffer, and what it could not take is announced', async () => {
  const options = { transport: memory({ hub: 'bound' }), topic: 't' };
  const signals: Signal[] = [];
  const fast: unknown[] = [];
  const desk = await connect({ ...options, self: { role: 'desk' } });
  const kitchen = await connect({ ...options, self: { role: 'kitchen' }, onSignal: (signal) => signals.push(signal) });
  const slow = await kitchen.subscribe(() => new Promise(() => {}), { bufferSize: 10 });
  await kitchen.subscribe((event) => void fast.push(event.data));
  const published = Array.from({ length: 200 }, (_, n) => desk.publish({ type: 'x', data: n }));
  expect(slow.pending).toBeLessThanOrEqual(11);
  expect(fast).toHaveLength(200);
  await slow.close({ drainMs: 0 });
  const lost = signals.reduce((sum, signal) => sum + (signal.kind === 'gap' ? (signal.count ?? 0) : 0), 0);
  // One was being handled.
  expect([lost, kitchen.dropped.overflow]).toEqual([199, 199]);
  await Promise.all(published);
  await Promise.all([desk.close(), kitchen.close()]);
});

test('a publisher that waits loses nothing to a slow subscriber', async () => {
  const options = { transport: memory({ hub: 'patience' }), topic: 't' };
  const desk = await connect({ ...options, self: { role: 'desk' } });
  const kitchen = await connect({ ...options, self: { role: 'kitchen' } });
  const seen: unknown[] = [];
  await kitchen.subscribe(
    async (event) => {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(event.data);
    },
    { bufferSize: 5 },
  );
  await Promise.all(Array.from({ length: 300 }, (_, n) => desk.publish({ type: 'x', data: n })));
  await kitchen.close();
  expect(seen).toEqual(Array.from({ length: 300 }, (_, n) => n));
  expect(kitchen.dropped.overflow).toBe(0);
  await desk.close();
});

test('a group without room refuses more than it can hold, before anyone gets it', async () => {
  const options = { transport: memory({ hub: 'full' }), topic: 't' };
  const desk = await connect({ ...options, self: { role: 'desk' } });
  const kitchen = await connect({ ...options, self: { role: 'kitchen' } });
  let seen = 0;
  await kitchen.subscribe(() => new Promise(() => {}), { group: 'g', bufferSize: 1 });
  await kitchen.subscribe(() => void seen++);
  let taken = 0;
  let refused: unknown;
  while (refused === undefined && taken < 100_000) {
    // Confirmed or not, it is taken within the call.
    await Promise.race([desk.publish({ type: 'x' }), null]).catch((error: unknown) => {
      refused = error;
    });
    if (refused === undefined) taken++;
  }
  expect(refused).toMatchObject({ code: 'overloaded' });
  expect(seen).toBe(taken);
  await Promise.all([desk.close({ drainMs: 0 }), kitchen.close({ drainMs: 0 })]);
});

test('a partition key stays with the member that is at work on it, whoever joins or leaves', async () => {
  const options = { transport: memory({ hub: 'keys' }), topic: 't' };
  const desk = await connect({ ...options, self: { role: 'desk' } });
  const running = new Map<string, number>();
  const order = new Map<string, number[]>();
  let overlaps = 0;
  let seen = 0;
  const join = async () => {
    const worker = await connect({ ...options, self: { role: 'worker' } });
    await worker.subscribe(
      async (event) => {
        const { key, n } = event.data as { key: string; n: number };
        if ((running.get(key) ?? 0) > 0) overlaps++;
        running.set(key, (running.get(key) ?? 0) + 1);
        order.set(key, [...(order.get(key) ?? []), n]);
        await new Promise((resolve) => setTimeout(resolve, n % 3));
        running.set(key, (running.get(key) ?? 0) - 1);
        seen++;
      },
      { group: 'g', concurrency: 3 },
    );
    return worker;
  };
  const workers = [await join()];
  for (let n = 0; n < 200; n++) {
    const key = `key-${n % 5}`;
    void desk.publish({ type: 'job', data: { key, n } }, { partitionKey: key });
    if (n % 40 === 20) workers.push(await join());
    if (n % 60 === 50) await workers.shift()?.close();
  }
  await vi.waitFor(() => expect(seen).toBe(200), { timeout: 5_000 });
  expect(overlaps).toBe(0);
  for (const numbers of order.values()) expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  await Promise.all([desk, ...workers].map((one) => one.close()));
});

test('what middleware held until the broadcaster was closed is refused, and reaches nobody', async () => {
  await using listener = await connect({ transport: memory(), topic: 'late' });
  const handler = vi.fn();
  await listener.subscribe(handler);
  const late = await connect({
    transport: memory(),
    topic: 'late',
    middleware: [
      {
        publish: async (event, _context, next) => {
          await late.close();
          return next(event);
        },
      },
    ],
  });
  await expect(late.publish({ type: 'x' })).rejects.toMatchObject({ code: 'closed' });
  expect(handler).not.toHaveBeenCalled();
});

test('a member of a group that closes handles what waited for room in it', async () => {
  await using member = await connect({ transport: memory(), topic: 'closing-group' });
  await using publisher = await connect({ transport: memory(), topic: 'closing-group' });
  const seen: unknown[] = [];
  const subscription = await member.subscribe(
    async ({ data }) => {
      seen.push(data);
      await new Promise((resolve) => setTimeout(resolve, 2));
    },
    { group: 'g', bufferSize: 1 },
  );
  const published = Array.from({ length: 10 }, (_, data) => publisher.publish({ type: 'x', data }));
  await subscription.close();
  await Promise.all(published);
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('what waits for a member of a group lives as long as it should, however the clock is set meanwhile', async () => {
  const real = Date.now;
  let offMs = 0;
  const spy = vi.spyOn(Date, 'now').mockImplementation(() => real() + offMs);
  // Core keeps the clock that is there when it is loaded.
  vi.resetModules();
  const core = await import('@polycast/core');
  const { memory: transport } = await import('../src/index.ts');
  await using publisher = await core.connect({ transport: transport(), topic: 'clocks' });
  await using member = await core.connect({ transport: transport(), topic: 'clocks' });
  const seen: unknown[] = [];
  const subscription = await member.subscribe((event) => void seen.push(event.data), { group: 'g', bufferSize: 1 });
  subscription.pause();
  for (const data of [1, 2, 3]) await publisher.publish({ type: 'job', data }, { ttlMs: 60_000 });
  offMs = 3_600_000;
  subscription.resume();
  await vi.waitFor(() => expect(seen).toEqual([1, 2, 3]));
  spy.mockRestore();
});
