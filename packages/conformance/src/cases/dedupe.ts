import type { CapabilityName, SubscribeOptions } from '@polycast/core';
import { same, sameSet } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import { interfere } from '../interfere.ts';

const requires = { capabilities: ['everyone', 'dedupe'] } as const;

/** Each kind of subscription that can have a dead letter, and what it needs. */
const REPUBLISHED: readonly (readonly [string, readonly CapabilityName[], SubscribeOptions])[] = [
  ['plain', [], {}],
  ['group', ['groups'], { group: 'g' }],
  ['durable', ['durable'], { durable: true }],
];

export const dedupeCases: readonly ConformanceCase[] = [
  {
    id: 'dedupe/published-twice',
    clause: 'dedupe.1',
    title: 'the same id and source published twice: one delivery',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const inboxes = [await c.listen(kitchen), await c.listen(kitchen), await c.listen(await c.join('kitchen'))];
      for (const data of ['first', 'second', 'third']) await desk.publish({ type: 'order', id: 'order-1', data });
      await desk.publish({ type: 'order', id: 'order-2', data: 'other' });
      await c.fence(desk, inboxes);
      for (const inbox of inboxes) same(inbox.data, ['first', 'other'], 'each subscription');
    },
  },
  {
    id: 'dedupe/published-twice-at-once',
    clause: 'dedupe.1',
    title: 'the same id many times in one burst: one delivery',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      await Promise.all(
        Array.from({ length: 100 }, (_, n) => desk.publish({ type: 'order', id: `o-${n % 10}`, data: n % 10 })),
      );
      await c.fence(desk, [inbox]);
      sameSet(
        inbox.data,
        Array.from({ length: 10 }, (_, n) => n),
        'data',
      );
    },
  },
  {
    id: 'dedupe/in-a-group',
    clause: 'dedupe.1',
    title: 'a group gets a duplicate once',
    requires: { capabilities: ['everyone', 'dedupe', 'groups'] },
    async run(c) {
      const desk = await c.join('desk');
      const only = await c.listen(await c.join('worker'), { group: 'g' });
      for (let n = 0; n < 4; n++) await desk.publish({ type: 'job', id: 'job-1', data: 'x' });
      await c.fence(desk, [only]);
      same(only.data, ['x'], 'data');
    },
  },
  {
    id: 'dedupe/different-source',
    clause: 'dedupe.2',
    title: 'the same id from two sources: two deliveries',
    requires,
    async run(c) {
      const one = await c.join('desk/d1');
      const two = await c.join('desk/d2');
      const inbox = await c.listen(await c.join('kitchen'));
      await one.publish({ type: 'order', id: 'order-1', data: 'one' });
      await two.publish({ type: 'order', id: 'order-1', data: 'two' });
      await one.publish({ type: 'order', id: 'order-1', source: '/elsewhere', data: 'three' });
      await c.fence(one, [inbox]);
      await c.fence(two, [inbox]);
      sameSet(inbox.data, ['one', 'two', 'three'], 'data');
    },
  },
  {
    id: 'dedupe/different-id',
    clause: 'dedupe.2',
    title: 'events that differ only in their id are all delivered',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      for (let n = 0; n < 10; n++) await desk.publish({ type: 'order', data: 'same' });
      for (const id of ['1', '01', '1 ', '1.0']) await desk.publish({ type: 'order', id, data: id });
      await c.fence(desk, [inbox]);
      same(inbox.data, [...Array(10).fill('same'), '1', '01', '1 ', '1.0'], 'data');
    },
  },
  {
    id: 'dedupe/two-publishers',
    clause: 'dedupe.3',
    title: 'two publishers publish the same event: one delivery',
    requires,
    async run(c) {
      const one = await c.join('desk');
      const two = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      const event = { type: 'order', id: 'order-1', source: 'https://example.com/orders', data: 'x' };
      await one.publish(event);
      await two.publish(event);
      await c.fence(one, [inbox]);
      await c.fence(two, [inbox]);
      same(inbox.data, ['x'], 'data');
    },
  },
  {
    id: 'dedupe/retry-is-no-duplicate',
    clause: 'dedupe.4',
    title: 'an event with a caller-supplied id is retried after a failure',
    requires: { capabilities: ['everyone', 'dedupe', 'redelivery'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'), { retry: { baseMs: 1, maxMs: 2 } }, (_, { attempt }) => {
        if (attempt < 3) throw new Error('not yet');
      });
      await desk.publish({ type: 'order', id: 'order-1', data: 'x' });
      await inbox.until(3);
      await desk.publish({ type: 'order', id: 'order-1', data: 'again' });
      await c.fence(desk, [inbox]);
      same(
        inbox.received.map(({ attempt }) => attempt),
        [1, 2, 3],
        'attempts',
      );
    },
  },
  ...[false, true].map(
    (named): ConformanceCase => ({
      id: named ? 'dedupe/service-repeats-named' : 'dedupe/service-repeats',
      clause: 'dedupe.5',
      title: `an event that the service delivers twice reaches the handler once: ${named ? 'caller-supplied ids' : 'numbered events'}`,
      requires: { capabilities: named ? ['everyone', 'dedupe'] : ['everyone', 'dedupe', 'gapDetection'] },
      async run(c) {
        const twice = interfere(c.transport(), {
          deliver(event, lease, next) {
            const taken = next(event, lease);
            if (lease === undefined) next(event, undefined);
            return taken;
          },
        });
        const desk = await c.join('desk');
        const inbox = await c.listen(await c.join('kitchen', { transport: twice }));
        for (let n = 0; n < 20; n++)
          await desk.publish({ type: 'order', data: n, ...(named ? { id: `order-${n}` } : {}) });
        await c.fence(desk, [inbox]);
        same(
          inbox.data,
          Array.from({ length: 20 }, (_, n) => n),
          'data',
        );
      },
    }),
  ),
  ...REPUBLISHED.map(
    ([name, capabilities, options]): ConformanceCase => ({
      id: `dedupe/republished-${name}`,
      clause: 'dedupe.6',
      title: `an event that was dead-lettered is published again, unchanged: ${name}`,
      requires: { capabilities: ['everyone', 'dedupe', 'deadLetter', ...capabilities] },
      async run(c) {
        const desk = await c.join('desk');
        let mended = false;
        const inbox = await c.listen(await c.join('kitchen'), { ...options, retry: { maxAttempts: 1 } }, () => {
          if (!mended) throw new Error('not yet');
        });
        const order = { type: 'order', id: 'order-7', source: '/shop', data: 'x' };
        await desk.publish(order);
        await c.until(() => inbox.signals.some(({ kind }) => kind === 'dead-lettered'), 'a dead letter');
        mended = true;
        for (let n = 0; n < 3; n++) await desk.publish(order);
        await inbox.until(2);
        await c.fence(desk, [inbox]);
        same(inbox.data, ['x', 'x'], 'once when it failed, and once when it was published again');
      },
    }),
  ),
  {
    id: 'dedupe/counted',
    clause: 'dedupe.7',
    title: 'dropped duplicates are counted',
    // A service that dedupes by itself drops what core never sees.
    requires: { capabilities: ['everyone'], emulated: ['dedupe'] },
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const inbox = await c.listen(kitchen);
      for (let n = 0; n < 4; n++) await desk.publish({ type: 'order', id: 'order-1', data: n });
      await c.fence(desk, [inbox]);
      same([inbox.data, kitchen.dropped.duplicates], [[0], 3], 'handed over, and counted');
    },
  },
];
