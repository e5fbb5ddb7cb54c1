import { check, same, sameSet } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import { pass } from '../wait.ts';

const requires = { capabilities: ['everyone', 'durable'] } as const;
const replay = { capabilities: ['everyone', 'replay'] } as const;
const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, n) => from + n);

export const durableCases: readonly ConformanceCase[] = [
  {
    id: 'durable/resumes',
    clause: 'durable.1',
    title: 'events published meanwhile arrive in order, accepted events do not arrive again',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const first = await c.listen(await c.join('kitchen/k1'), { durable: true });
      for (const n of numbers(5)) await desk.publish({ type: 'order', data: n });
      await first.expect(numbers(5));
      await first.owner.close();
      for (const n of numbers(5, 5)) await desk.publish({ type: 'order', data: n });
      const second = await c.listen(await c.join('kitchen/k1'), { durable: true });
      await desk.publish({ type: 'order', data: 10 });
      await c.fence(desk, [second]);
      same(second.data, numbers(6, 5), 'after it resumed');
    },
  },
  {
    id: 'durable/resumes-over-and-over',
    clause: 'durable.1',
    title: 'ten successive connections get every event once in total',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const got: unknown[] = [];
      let published = 0;
      for (let session = 0; session < 10; session++) {
        const inbox = await c.listen(await c.join('kitchen/k1'), { durable: 'menu' });
        await desk.publish({ type: 'order', data: published++ });
        await inbox.until(published - got.length);
        await inbox.owner.close();
        got.push(...inbox.data);
        await desk.publish({ type: 'order', data: published++ });
      }
      const last = await c.listen(await c.join('kitchen/k1'), { durable: 'menu' });
      await c.fence(desk, [last]);
      same([...got, ...last.data], numbers(published), 'all sessions together');
    },
  },
  {
    id: 'durable/addressed',
    clause: 'durable.1',
    title: 'events for the role and the instance are stored too, those of others are not delivered',
    requires: { capabilities: ['everyone', 'durable', 'role', 'instance'] },
    async run(c) {
      const desk = await c.join('desk');
      const first = await c.listen(await c.join('kitchen/k1'), { durable: true });
      await first.owner.close();
      await desk.publish({ type: 'order', data: 'role' }, { to: 'role:kitchen' });
      await desk.publish({ type: 'order', data: 'instance' }, { to: 'instance:k1' });
      await desk.publish({ type: 'order', data: 'other role' }, { to: 'role:bar' });
      await desk.publish({ type: 'order', data: 'other instance' }, { to: 'instance:k2' });
      const second = await c.listen(await c.join('kitchen/k1'), { durable: true });
      await c.fence(desk, [second], { to: ['role:kitchen', 'instance:k1'] });
      sameSet(second.data, ['role', 'instance'], 'after it resumed');
    },
  },
  {
    id: 'durable/names',
    clause: 'durable.2',
    title: 'two durable subscriptions of one instance have independent positions',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen/k1');
      const one = await c.listen(kitchen, { durable: 'one' });
      const two = await c.listen(kitchen, { durable: 'two' });
      await desk.publish({ type: 'order', data: 0 });
      await c.fence(desk, [one, two]);
      await one.subscription.close();
      await desk.publish({ type: 'order', data: 1 });
      await c.fence(desk, [two]);
      const again = await c.listen(kitchen, { durable: 'one' });
      await c.fence(desk, [again, two]);
      same([one.data, again.data, two.data], [[0], [1], [0, 1]], 'one, one again, two');
    },
  },
  {
    id: 'durable/instances',
    clause: 'durable.2',
    title: 'the same durable name on two instances makes two subscriptions',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const one = await c.listen(await c.join('kitchen/k1'), { durable: 'menu' });
      const two = await c.listen(await c.join('kitchen/k2'), { durable: 'menu' });
      for (const n of numbers(5)) await desk.publish({ type: 'order', data: n });
      await c.fence(desk, [one, two]);
      same([one.data, two.data], [numbers(5), numbers(5)], 'each');
    },
  },
  {
    id: 'durable/unaccepted',
    clause: 'durable.3',
    title: 'events held at close are delivered on resume',
    requires: { capabilities: ['everyone', 'durable', 'redelivery'] },
    async run(c) {
      const desk = await c.join('desk');
      const first = await c.listen(await c.join('kitchen/k1'), { durable: true }, (event) =>
        event.data === 1 ? new Promise(() => {}) : undefined,
      );
      for (const n of numbers(4)) await desk.publish({ type: 'order', data: n });
      await first.until(2);
      await c.within(first.owner.close({ drainMs: 0 }), 'close without waiting');
      const second = await c.listen(await c.join('kitchen/k1'), { durable: true });
      await c.until(
        () => [1, 2, 3].every((n) => second.data.includes(n)),
        () => `1, 2 and 3 after it resumed, got ${second.data.join()}`,
      );
      check(!second.data.includes(0), 'what was accepted came again');
    },
  },
  {
    id: 'durable/group',
    clause: 'durable.4',
    title: 'any member can resume a durable group',
    requires: { capabilities: ['everyone', 'durable', 'groups'] },
    async run(c) {
      const desk = await c.join('desk');
      const first = await c.listen(await c.join('worker/w1'), { durable: true, group: 'g' });
      await desk.publish({ type: 'job', data: 0 });
      await first.until(1);
      await first.owner.close();
      for (const n of numbers(5, 1)) await desk.publish({ type: 'job', data: n });
      const second = await c.listen(await c.join('worker/w2'), { durable: true, group: 'g' });
      await c.fence(desk, [second]);
      sameSet(second.data, numbers(5, 1), 'the other member');
    },
  },
  {
    id: 'durable/instance-of-a-group',
    clause: 'durable.10',
    title: 'events for an instance are not stored for the durable group that it belongs to',
    requires: { capabilities: ['everyone', 'role', 'instance', 'durable', 'groups'] },
    async run(c) {
      const desk = await c.join('desk');
      const alone = await c.listen(await c.join('worker/w1'), { durable: true });
      const member = await c.listen(await c.join('worker/w2'), { durable: true, group: 'g' });
      await alone.owner.close();
      await member.owner.close();
      for (const to of ['instance:w1', 'instance:w2'] as const) await desk.publish({ type: 'job', data: to }, { to });
      await desk.publish({ type: 'job', data: 'both' }, { to: ['role:worker', 'instance:w2'] });
      const aloneAgain = await c.listen(await c.join('worker/w1'), { durable: true });
      const memberAgain = await c.listen(await c.join('worker/w2'), { durable: true, group: 'g' });
      await desk.publish({ type: 'job', data: 'new' }, { to: 'instance:w2' });
      await c.fence(desk, [aloneAgain, memberAgain], { to: ['role:worker', 'instance:w1', 'instance:w2'] });
      sameSet(aloneAgain.data, ['instance:w1', 'both'], 'without a group');
      sameSet(memberAgain.data, ['both', 'new'], 'in the group');
    },
  },
  {
    id: 'durable/expired',
    clause: 'durable.5',
    title: 'events that expired meanwhile are not delivered',
    requires: { capabilities: ['everyone', 'durable', 'ttl'] },
    async run(c) {
      const desk = await c.join('desk');
      const first = await c.listen(await c.join('kitchen/k1'), { durable: true });
      await first.owner.close();
      await desk.publish({ type: 'order', data: 'short' }, { ttlMs: 30 });
      await desk.publish({ type: 'order', data: 'long' });
      const expiresAtMs = Date.now() + 30 + c.slackMs;
      while (Date.now() <= expiresAtMs) await pass(5);
      const second = await c.listen(await c.join('kitchen/k1'), { durable: true });
      await c.fence(desk, [second]);
      same(second.data, ['long'], 'after it resumed');
    },
  },
  {
    id: 'durable/earliest',
    clause: 'durable.6',
    title: 'from the earliest: all retained events, then new ones',
    requires: replay,
    async run(c) {
      const desk = await c.join('desk');
      for (const n of numbers(20)) await desk.publish({ type: 'order', data: n });
      const inbox = await c.listen(await c.join('kitchen'), { startFrom: 'earliest' });
      await desk.publish({ type: 'order', data: 20 });
      await c.fence(desk, [inbox]);
      same(inbox.data, numbers(21), 'data');
    },
  },
  {
    id: 'durable/after-a-position',
    clause: 'durable.7',
    title: 'after a position: exactly the events that followed it',
    requires: replay,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const first = await c.listen(kitchen, { startFrom: 'earliest' });
      for (const n of numbers(10)) await desk.publish({ type: 'order', data: n });
      await first.until(10);
      const { position } = first.received[4]!;
      check(position !== undefined, 'a delivery that can be replayed has no position');
      const again = await c.listen(kitchen, { startFrom: { after: position } });
      await c.fence(desk, [again]);
      same(again.data, numbers(5, 5), 'after the fifth');
    },
  },
  {
    id: 'durable/from-a-time',
    clause: 'durable.8',
    title: 'from a time: the events accepted at or after it',
    requires: replay,
    async run(c) {
      const desk = await c.join('desk');
      for (const n of numbers(5)) await desk.publish({ type: 'order', data: n });
      await pass(25);
      const timeMs = Date.now();
      await pass(25);
      for (const n of numbers(5, 5)) await desk.publish({ type: 'order', data: n });
      const inbox = await c.listen(await c.join('kitchen'), { startFrom: { timeMs } });
      await c.fence(desk, [inbox]);
      same(inbox.data, numbers(5, 5), 'data');
    },
  },
  {
    id: 'durable/not-durable',
    clause: 'durable.9',
    title: 'a dynamic subscription of the same instance starts with new events',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const desk = await c.join('desk');
      const first = await c.listen(await c.join('kitchen/k1'));
      await desk.publish({ type: 'order', data: 0 });
      await first.until(1);
      await first.owner.close();
      await desk.publish({ type: 'order', data: 1 });
      const second = await c.listen(await c.join('kitchen/k1'));
      await desk.publish({ type: 'order', data: 2 });
      await c.fence(desk, [second]);
      same(second.data, [2], 'data');
    },
  },
];
