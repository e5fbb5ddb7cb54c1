import type { Address } from '@polycast/core';
import { same, sameSet } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import type { Inbox } from '../inbox.ts';
import { Gate, pass } from '../wait.ts';
import { all, failing, numbers, publishAll, settled } from './group-members.ts';

const addressed = { capabilities: ['everyone', 'groups', 'role', 'instance'] } as const;
/** Of `cook/c0` and so on. */
const INSTANCES: readonly Address[] = ['instance:c0', 'instance:c1', 'instance:c2'];

/** What is for an instance reaches it beside its groups, also if it is for its role, too. */
export const besideGroupCases: readonly ConformanceCase[] = [
  {
    id: 'groups/instance-not-in-turn',
    clause: 'groups.9',
    title: 'an event for an instance reaches that instance and no other member',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const cooks: Inbox[] = [];
      for (const n of numbers(3)) cooks.push(await c.listen(await c.join(`cook/c${n}`), { group: 'g' }));
      // In between the group goes on to its next member.
      const ways: readonly Address[] = ['instance:c1', '*', 'instance:c1', 'instance:c2', 'role:cook'];
      const to = (n: number) => ways[n % ways.length]!;
      await Promise.all(numbers(100).map((n) => desk.publish({ type: 'job', data: n }, { to: to(n) })));
      await settled(c, desk, cooks, 100, ['role:cook', ...INSTANCES]);
      sameSet(all(cooks), numbers(100), 'what the members got');
      for (const [at, { data }] of cooks.entries()) {
        same(
          data.filter((n) => to(n as number).startsWith('instance:')),
          numbers(100).filter((n) => to(n) === `instance:c${at}`),
          `what c${at} got of what was for instances`,
        );
      }
    },
  },
  {
    id: 'groups/instance-that-is-busy',
    clause: 'groups.9',
    title: 'an event for a paused instance waits for it, even if other members are idle',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const cooks: Inbox[] = [];
      for (const n of numbers(2)) cooks.push(await c.listen(await c.join(`cook/c${n}`), { group: 'g' }));
      const [paused, other] = cooks as [Inbox, Inbox];
      paused.subscription.pause();
      for (const n of numbers(10)) await desk.publish({ type: 'job', data: n }, { to: 'instance:c0' });
      await c.quiet();
      paused.subscription.resume();
      await paused.until(10);
      await settled(c, desk, cooks, 10, INSTANCES.slice(0, 2));
      same([paused.data, other.data], [numbers(10), []], 'the one addressed, and the other');
    },
  },
  {
    id: 'groups/instance-that-left',
    clause: 'groups.7',
    title: 'an event for an instance that has left reaches no other member',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      const goes = await c.listen(await c.join('cook/c0'), { group: 'g' }, () => gate.passed);
      const stays = await c.listen(await c.join('cook/c1'), { group: 'g' });
      for (const n of numbers(5)) await desk.publish({ type: 'job', data: n }, { to: 'instance:c0' });
      await goes.until(1);
      await c.within(goes.owner.close({ drainMs: 0 }), 'close without waiting');
      gate.open();
      for (const n of numbers(5, 5)) await desk.publish({ type: 'job', data: n }, { to: 'instance:c0' });
      await publishAll(desk, numbers(5, 10));
      await settled(c, desk, [stays], 5, ['instance:c1']);
      sameSet(stays.data, numbers(5, 10), 'the other member');
    },
  },
  {
    id: 'groups/instance-in-one-broadcaster',
    clause: 'groups.9',
    title: 'each subscription of an instance, grouped or not, gets the events for that instance once',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const cook = await c.join('cook/c0');
      const options = [{ group: 'one' }, { group: 'two' }, { group: 'two' }, {}];
      const inboxes: Inbox[] = [];
      for (const option of options) inboxes.push(await c.listen(cook, option));
      const ways: readonly (readonly Address[])[] = [
        ['instance:c0'],
        ['instance:c0', 'instance:c1'],
        ['instance:c0', 'role:waiter'],
      ];
      await Promise.all(numbers(60).map((n) => desk.publish({ type: 'job', data: n }, { to: ways[n % 3]! })));
      for (const inbox of inboxes) await inbox.until(60);
      await c.fence(desk, inboxes, { group: true, to: ['instance:c0'] });
      for (const [at, { data }] of inboxes.entries()) sameSet(data, numbers(60), `subscription ${at}`);
      await inboxes[0]!.subscription.close();
      for (const n of numbers(5, 60)) await desk.publish({ type: 'job', data: n }, { to: 'instance:c0' });
      const left = inboxes.slice(1);
      for (const inbox of left) await inbox.until(65);
      await c.fence(desk, left, { group: true, to: ['instance:c0'] });
      for (const [at, { data }] of left.entries())
        sameSet(data, numbers(65), `when one has left, subscription ${at + 1}`);
      same(inboxes[0]!.count, 60, 'the one that left');
    },
  },
  {
    id: 'groups/instance-in-turn',
    clause: 'groups.9',
    title: 'members get events for their instance in the order published',
    requires: { capabilities: [...addressed.capabilities, 'order'] },
    async run(c) {
      const desk = await c.join('desk');
      const cook = await c.join('cook/c0');
      const inboxes = [await c.listen(cook, { group: 'one' }), await c.listen(cook, { group: 'two' })];
      await Promise.all(numbers(50).map((n) => desk.publish({ type: 'job', data: n }, { to: 'instance:c0' })));
      for (const inbox of inboxes) await inbox.expect(numbers(50));
    },
  },
  {
    id: 'groups/instance-joins-late',
    clause: 'groups.9',
    title: 'a member that joins gets no earlier events for its instance',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const cook = await c.join('cook/c0');
      const first = await c.listen(cook, { group: 'one' });
      for (const n of numbers(10)) await desk.publish({ type: 'job', data: n }, { to: 'instance:c0' });
      const second = await c.listen(cook, { group: 'two' });
      for (const n of numbers(10, 10)) await desk.publish({ type: 'job', data: n }, { to: 'instance:c0' });
      await first.until(20);
      await second.until(10);
      await c.fence(desk, [first, second], { group: true, to: ['instance:c0'] });
      sameSet(first.data, numbers(20), 'the first');
      sameSet(second.data, numbers(10, 10), 'the second');
    },
  },
  {
    id: 'groups/instance-filtered',
    clause: 'groups.9',
    title: 'a member’s filter applies to events for its instance',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const cook = await c.join('cook/c0');
      const even = await c.listen(cook, { group: 'one', filter: 'table % 2 = 0' });
      const every = await c.listen(cook, { group: 'two' });
      for (const n of numbers(20)) await desk.publish({ type: 'job', data: n, table: n }, { to: 'instance:c0' });
      await even.until(10);
      await every.until(20);
      await c.fence(desk, [even, every], { group: true, to: ['instance:c0'], attributes: { table: 2 } });
      sameSet(
        even.data,
        numbers(10).map((n) => n * 2),
        'with a filter',
      );
      sameSet(every.data, numbers(20), 'without one');
    },
  },
  {
    id: 'groups/instance-failing',
    clause: 'groups.14',
    title: 'an event for its instance that a member fails to handle is retried there and nowhere else',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const { react } = failing(2);
      const cook = await c.join('cook/c0');
      const retry = { maxAttempts: 5, baseMs: 1, maxMs: 2 };
      const fails = await c.listen(cook, { group: 'one', retry }, react);
      const sibling = await c.listen(cook, { group: 'two', retry });
      const other = await c.listen(await c.join('cook/c1'), { group: 'one', retry });
      for (const n of numbers(5)) await desk.publish({ type: 'job', data: n }, { to: 'instance:c0' });
      await fails.until(15);
      await sibling.until(5);
      await settled(c, desk, [fails, other], 15, INSTANCES.slice(0, 2));
      sameSet(
        fails.received.map(({ event, attempt }) => `${String(event.data)}@${attempt}`),
        numbers(5).flatMap((n) => [1, 2, 3].map((attempt) => `${n}@${attempt}`)),
        'the one that fails',
      );
      sameSet(
        sibling.received.map(({ event, attempt }) => `${String(event.data)}@${attempt}`),
        numbers(5).map((n) => `${n}@1`),
        'another group of its broadcaster',
      );
      same(other.data, [], 'another member of its group');
    },
  },
  {
    id: 'groups/role-and-instance',
    clause: 'groups.9',
    title: 'an event for a role and one of its instances is handled by that instance once, and by the group once',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const cooks: Inbox[] = [];
      for (const n of numbers(3)) cooks.push(await c.listen(await c.join(`cook/c${n}`), { group: 'g' }));
      const to = ['role:cook', 'instance:c1'] as const;
      await Promise.all(numbers(60).map((n) => desk.publish({ type: 'job', data: n }, { to })));
      await cooks[1]!.until(60);
      await settled(c, desk, cooks, 60, ['role:cook', ...INSTANCES]);
      sameSet(cooks[1]!.data, numbers(60), 'the instance');
      const others = [...cooks[0]!.data, ...cooks[2]!.data];
      sameSet(others, [...new Set(others)], 'the others of the group');
    },
  },
  {
    id: 'groups/role-and-instance-of-another',
    clause: 'groups.9',
    title: 'an event for a role and for an instance of another role reaches the first group and that instance',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const cooks: Inbox[] = [];
      for (const n of numbers(2)) cooks.push(await c.listen(await c.join(`cook/c${n}`), { group: 'g' }));
      const waiters: Inbox[] = [];
      for (const n of numbers(2)) waiters.push(await c.listen(await c.join(`waiter/w${n}`), { group: 'g' }));
      const to = ['role:cook', 'instance:w0', 'instance:w1'] as const;
      await Promise.all(numbers(40).map((n) => desk.publish({ type: 'job', data: n }, { to })));
      for (const waiter of waiters) await waiter.until(40);
      await settled(c, desk, [...cooks, ...waiters], 120, ['role:cook', 'instance:w0', 'instance:w1']);
      sameSet(all(cooks), numbers(40), 'the cooks');
      for (const waiter of waiters) sameSet(waiter.data, numbers(40), waiter.owner.self.instance);
    },
  },
  {
    id: 'groups/role-and-instance-of-one',
    clause: 'groups.9',
    title: 'a subscription that matches an event through both its group and its instance gets it once',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const cook = await c.join('cook/c1');
      const inboxes = [
        await c.listen(cook, { group: 'one' }),
        await c.listen(cook, { group: 'two' }),
        await c.listen(cook),
      ];
      const ways: readonly (readonly Address[])[] = [
        ['role:cook', 'instance:c1'],
        ['*', 'instance:c1'],
        ['*', 'role:cook', 'instance:c1'],
        ['role:cook'],
      ];
      await Promise.all(numbers(80).map((n) => desk.publish({ type: 'job', data: n }, { to: ways[n % 4]! })));
      for (const inbox of inboxes) await inbox.until(80);
      await c.fence(desk, inboxes, { group: true, to: ['role:cook', 'instance:c1'] });
      for (const [at, { data }] of inboxes.entries()) {
        sameSet(data, numbers(80), `subscription ${at}`);
        for (const way of numbers(4)) {
          same(
            data.filter((n) => Number(n) % 4 === way),
            numbers(80).filter((n) => n % 4 === way),
            `subscription ${at}, to ${ways[way]!.join()}`,
          );
        }
      }
    },
  },
  {
    id: 'groups/role-and-instance-slow',
    clause: 'groups.9',
    title: 'both copies of an event reach a subscription during or after handling: it is handled once',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const cook = await c.join('cook/c1');
      const slow = await c.listen(cook, { group: 'slow', concurrency: 4 }, () => pass(c.random() * 15));
      const paused = await c.listen(cook, { group: 'paused' });
      paused.subscription.pause();
      const to = ['role:cook', 'instance:c1'] as const;
      const publishing: Promise<void>[] = [];
      for (const n of numbers(30)) {
        publishing.push(Promise.resolve(desk.publish({ type: 'job', data: n }, { to })));
        if (n % 5 === 0) await pass(c.random() * 5);
      }
      await slow.until(30);
      paused.subscription.resume();
      await Promise.all(publishing);
      await paused.until(30);
      await c.fence(desk, [slow, paused], { group: true, to: ['role:cook', 'instance:c1'] });
      sameSet(slow.data, numbers(30), 'the slow one');
      sameSet(paused.data, numbers(30), 'the one that was paused');
    },
  },
  {
    id: 'groups/role-and-instance-failing',
    clause: 'groups.14',
    title: 'an event that the instance fails to handle is retried there and accepted once',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const { accepted, react, acceptedAll } = failing(1);
      const retry = { baseMs: 1, maxMs: 2 };
      const cook = await c.listen(await c.join('cook/c1'), { group: 'g', retry }, react);
      const other = await c.listen(await c.join('cook/c2'), { group: 'g', retry });
      const to = ['role:cook', 'instance:c1'] as const;
      for (const n of numbers(20)) await desk.publish({ type: 'job', data: n }, { to });
      await acceptedAll(c, 20);
      await settled(c, desk, [cook, other], 40, ['role:cook', ...INSTANCES.slice(1, 3)]);
      sameSet(accepted, numbers(20), 'accepted by the instance');
      same(cook.count, 40, 'calls of the instance’s handler');
      sameSet(other.data, [...new Set(other.data)], 'the other member');
    },
  },
  {
    id: 'groups/role-and-instance-held',
    clause: 'groups.7',
    title: 'an event for both that an instance held at close goes to another member of the group once',
    requires: { capabilities: [...addressed.capabilities, 'redelivery'] },
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      const cook = await c.listen(await c.join('cook/c1'), { group: 'g' }, () => gate.passed);
      const to = ['role:cook', 'instance:c1'] as const;
      for (const n of numbers(5)) await desk.publish({ type: 'job', data: n }, { to });
      await cook.until(1);
      const other = await c.listen(await c.join('cook/c2'), { group: 'g' });
      await c.within(cook.owner.close({ drainMs: 0 }), 'close without waiting');
      await c.until(
        () => new Set(other.data).size === 5,
        () => `the other member should get all five, it got ${other.data.join()}`,
      );
      gate.open();
      await c.fence(desk, [other], { group: true, to: ['role:cook'] });
      sameSet(other.data, numbers(5), 'the other member');
    },
  },
];
