import { connect } from '@polycast/core';
import { expect, test } from 'vitest';
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
    { retry: { tries: 3, baseMs: 1 } },
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
  const replies = await asker.request({ type: 'find' }, { expect: 3 });
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
