import type { Address, Broadcaster } from '@polycast/core';
import { check, refused, same, sameSet } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import type { CaseContext } from '../context.ts';
import type { Inbox } from '../inbox.ts';
import { Gate, later, pass } from '../wait.ts';

const requires = { capabilities: ['everyone', 'groups'] } as const;
const addressed = { capabilities: ['everyone', 'groups', 'role', 'instance'] } as const;
const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, n) => from + n);
/** Of `cook/c0` and so on. */
const INSTANCES: readonly Address[] = ['instance:c0', 'instance:c1', 'instance:c2'];
const all = (inboxes: readonly Inbox[]) => inboxes.flatMap(({ data }) => data);

/** Participants `worker/w-0` …, each with one member of the group. */
async function workers(c: CaseContext, count: number, group = 'g'): Promise<Inbox[]> {
  const inboxes: Inbox[] = [];
  for (let n = 0; n < count; n++) inboxes.push(await c.listen(await c.join('worker'), { group }));
  return inboxes;
}

async function publishAll(desk: Broadcaster, data: readonly unknown[]): Promise<void> {
  for (const value of data) await desk.publish({ type: 'job', data: value });
}

async function settled(
  c: CaseContext,
  desk: Broadcaster,
  inboxes: readonly Inbox[],
  count: number,
  to: readonly Address[] = [],
): Promise<void> {
  await c.until(
    () => all(inboxes).length >= count,
    () => `${count} deliveries in all, there are ${all(inboxes).length}`,
  );
  await c.fence(desk, inboxes, { group: true, to });
}

export const groupCases: readonly ConformanceCase[] = [
  {
    id: 'groups/one-of-two',
    clause: 'groups.1',
    title: 'two members on two broadcasters share the events without loss or duplicates',
    requires: { ...requires, groupsOnly: true },
    async run(c) {
      const desk = await c.join('desk');
      const inboxes = await workers(c, 2);
      await publishAll(desk, numbers(60));
      await settled(c, desk, inboxes, 60);
      sameSet(all(inboxes), numbers(60), 'what the members got');
    },
  },
  {
    id: 'groups/one-of-five-at-once',
    clause: 'groups.1',
    title: 'five members, all publishes pending at once',
    requires: { ...requires, groupsOnly: true },
    async run(c) {
      const desk = await c.join('desk');
      const inboxes = await workers(c, 5);
      await Promise.all(numbers(200).map((n) => desk.publish({ type: 'job', data: n })));
      await settled(c, desk, inboxes, 200);
      sameSet(all(inboxes), numbers(200), 'what the members got');
    },
  },
  {
    id: 'groups/many-publishers',
    clause: 'groups.1',
    title: 'several publishers, three members',
    requires,
    async run(c) {
      const inboxes = await workers(c, 3);
      const desks = await Promise.all(numbers(4).map((n) => c.join(`desk/d-${n}`)));
      await Promise.all(
        desks.map((desk, at) =>
          publishAll(
            desk,
            numbers(20).map((n) => `${at}.${n}`),
          ),
        ),
      );
      await settled(c, desks[0]!, inboxes, 80);
      sameSet(
        all(inboxes),
        numbers(4).flatMap((at) => numbers(20).map((n) => `${at}.${n}`)),
        'what the members got',
      );
    },
  },
  {
    id: 'groups/each-group-and-everyone',
    clause: 'groups.2',
    title: 'two groups and a subscription without a group each get everything',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const one = await workers(c, 2, 'one');
      const two = await workers(c, 2, 'two');
      const alone = await c.listen(await c.join('auditor'));
      await publishAll(desk, numbers(30));
      await settled(c, desk, one, 30);
      await settled(c, desk, two, 30);
      await c.fence(desk, [alone]);
      sameSet(all(one), numbers(30), 'group one');
      sameSet(all(two), numbers(30), 'group two');
      sameSet(alone.data, numbers(30), 'without a group');
    },
  },
  {
    id: 'groups/in-one-broadcaster',
    clause: 'groups.3',
    title: 'members in the same broadcaster compete',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const worker = await c.join('worker');
      const inboxes = [await c.listen(worker, { group: 'g' }), await c.listen(worker, { group: 'g' })];
      const alone = await c.listen(worker);
      await publishAll(desk, numbers(30));
      await settled(c, desk, inboxes, 30);
      await c.fence(desk, [alone]);
      sameSet(all(inboxes), numbers(30), 'the group');
      same(alone.data, numbers(30), 'beside the group');
    },
  },
  {
    id: 'groups/share',
    clause: 'groups.4',
    title: 'with many events every member gets some',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inboxes = await workers(c, 3);
      await publishAll(desk, numbers(150));
      await settled(c, desk, inboxes, 150);
      check(
        inboxes.every(({ count }) => count > 0),
        `shares: ${inboxes.map(({ count }) => count).join()}`,
      );
    },
  },
  {
    id: 'groups/member-leaves',
    clause: 'groups.5',
    title: 'the remaining member gets everything',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const [goes, stays] = (await workers(c, 2)) as [Inbox, Inbox];
      await publishAll(desk, numbers(20));
      await settled(c, desk, [goes, stays], 20);
      await goes.owner.close();
      const before = stays.count;
      await publishAll(desk, numbers(20, 100));
      await settled(c, desk, [stays], before + 20);
      sameSet(stays.data.slice(before), numbers(20, 100), 'after the other left');
      sameSet(all([goes, stays]), [...numbers(20), ...numbers(20, 100)], 'in all');
    },
  },
  {
    id: 'groups/subscription-leaves',
    clause: 'groups.5',
    title: 'a member’s subscription closes while its broadcaster stays open',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const [goes, stays] = (await workers(c, 2)) as [Inbox, Inbox];
      await goes.subscription.close();
      await publishAll(desk, numbers(20));
      await settled(c, desk, [stays], 20);
      same([goes.data, [...stays.data].sort((a, b) => Number(a) - Number(b))], [[], numbers(20)], 'closed and open');
    },
  },
  {
    id: 'groups/member-joins',
    clause: 'groups.6',
    title: 'a member that joins causes no duplicate deliveries',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inboxes = await workers(c, 1);
      await publishAll(desk, numbers(20));
      await settled(c, desk, inboxes, 20);
      inboxes.push(...(await workers(c, 2)));
      await publishAll(desk, numbers(60, 100));
      await settled(c, desk, inboxes, 80);
      sameSet(all(inboxes), [...numbers(20), ...numbers(60, 100)], 'in all');
    },
  },
  {
    id: 'groups/join-and-leave-under-load',
    clause: 'groups.6',
    title: 'members join and leave while events flow: no loss, no duplicates',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const stays = (await workers(c, 1))[0]!;
      const came: Inbox[] = [stays];
      let busy = true;
      const churning = later(
        (async () => {
          while (busy) {
            const [inbox] = (await workers(c, 1)) as [Inbox];
            came.push(inbox);
            await inbox.owner.close();
            await pass(0);
          }
        })(),
      );
      for (const n of numbers(150)) {
        await desk.publish({ type: 'job', data: n });
        if (n % 10 === 9) await pass(0);
      }
      busy = false;
      await c.within(churning, 'coming and going');
      await settled(c, desk, came.length > 1 ? [stays] : came, 0);
      await c.until(
        () => new Set(all(came)).size >= 150,
        () => `all 150 events, there are ${new Set(all(came)).size}`,
      );
      sameSet(all(came), numbers(150), 'in all');
    },
  },
  {
    id: 'groups/held-by-a-closing-member',
    clause: 'groups.7',
    title: 'events held by a member that closes without waiting go to the other member',
    requires: { capabilities: ['everyone', 'groups', 'redelivery'] },
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      const blocked = await c.listen(await c.join('worker'), { group: 'g' }, () => gate.passed);
      await publishAll(desk, numbers(5));
      await blocked.until(1);
      const other = await c.listen(await c.join('worker'), { group: 'g' });
      await c.within(blocked.owner.close({ drainMs: 0 }), 'close without waiting');
      await c.until(
        () => new Set(other.data).size === 5,
        () => `the other member should get all five, it got ${other.data.join()}`,
      );
      gate.open();
      await c.fence(desk, [other], { group: true });
      sameSet(other.data, numbers(5), 'the other member');
    },
  },
  {
    id: 'groups/same-name-on-two-topics',
    clause: 'groups.8',
    title: 'a group belongs to its topic',
    requires,
    async run(c) {
      const topic = `${c.topic}-other`;
      const here = await c.listen(await c.join('worker'), { group: 'g' });
      const there = await c.listen(await c.join('worker', { topic }), { group: 'g' });
      const desk = await c.join('desk');
      const desk2 = await c.join('desk', { topic });
      await publishAll(desk, numbers(10));
      await publishAll(desk2, numbers(10, 100));
      await settled(c, desk, [here], 10);
      await settled(c, desk2, [there], 10);
      sameSet(here.data, numbers(10), 'here');
      sameSet(there.data, numbers(10, 100), 'there');
    },
  },
  {
    id: 'groups/same-name-in-two-roles',
    clause: 'groups.9',
    title: 'groups of the same name in two roles are separate',
    requires: { capabilities: ['everyone', 'groups', 'role'] },
    async run(c) {
      const desk = await c.join('desk');
      const cooks = [await c.listen(await c.join('cook'), { group: 'g' })];
      const waiters = [await c.listen(await c.join('waiter'), { group: 'g' })];
      cooks.push(await c.listen(await c.join('cook'), { group: 'g' }));
      waiters.push(await c.listen(await c.join('waiter'), { group: 'g' }));
      const ways = [['*'], ['role:cook'], ['role:waiter'], ['role:cook', 'role:waiter']] as const;
      await Promise.all(numbers(80).map((n) => desk.publish({ type: 'job', data: n }, { to: ways[n % 4]! })));
      const to = ['role:cook', 'role:waiter'] as const;
      await settled(c, desk, [...cooks, ...waiters], 120, to);
      sameSet(
        all(cooks),
        numbers(80).filter((n) => n % 4 !== 2),
        'the cooks',
      );
      sameSet(
        all(waiters),
        numbers(80).filter((n) => n % 4 !== 1),
        'the waiters',
      );
    },
  },
  {
    id: 'groups/role-of-the-group',
    clause: 'groups.9',
    title: 'events for another role reach no member',
    requires: { capabilities: ['everyone', 'groups', 'role'] },
    async run(c) {
      const desk = await c.join('desk');
      const cooks = [
        await c.listen(await c.join('cook'), { group: 'g' }),
        await c.listen(await c.join('cook'), { group: 'g' }),
      ];
      const waiter = await c.listen(await c.join('waiter'));
      for (const n of numbers(20)) await desk.publish({ type: 'job', data: n }, { to: 'role:cook' });
      for (const n of numbers(10, 20)) await desk.publish({ type: 'job', data: n }, { to: 'role:waiter' });
      await settled(c, desk, cooks, 20);
      await c.fence(desk, [waiter], { to: ['role:waiter'] });
      sameSet(all(cooks), numbers(20), 'the cooks');
      same(waiter.data, numbers(10, 20), 'the waiter');
    },
  },
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
      const failures = new Map<unknown, number>();
      const react = (event: { data: unknown }) => {
        const before = failures.get(event.data) ?? 0;
        failures.set(event.data, before + 1);
        if (before < 2) throw new Error('not yet');
      };
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
      const accepted: unknown[] = [];
      const failedOnce = new Set<unknown>();
      const react = (event: { data: unknown }) => {
        if (!failedOnce.has(event.data)) {
          failedOnce.add(event.data);
          throw new Error('first time');
        }
        accepted.push(event.data);
      };
      const retry = { baseMs: 1, maxMs: 2 };
      const cook = await c.listen(await c.join('cook/c1'), { group: 'g', retry }, react);
      const other = await c.listen(await c.join('cook/c2'), { group: 'g', retry });
      const to = ['role:cook', 'instance:c1'] as const;
      for (const n of numbers(20)) await desk.publish({ type: 'job', data: n }, { to });
      await c.until(
        () => accepted.length >= 20,
        () => `20 accepted, there are ${accepted.length}`,
      );
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
  {
    id: 'groups/carbon-copy',
    clause: 'groups.9',
    title: 'a member gets a carbon copy of its own event once',
    requires: { capabilities: [...addressed.capabilities, 'carbonCopy'] },
    async run(c) {
      const cook = await c.join('cook/c1');
      const own = await c.listen(cook, { group: 'g' });
      const ways = [['instance:c1'], ['role:cook', 'instance:c1'], ['*']] as const;
      const publish = (n: number, carbonCopy: boolean) =>
        cook.publish({ type: 'job', data: n }, { to: ways[n % 3]!, carbonCopy });
      for (const n of numbers(15)) await publish(n, true);
      await publish(100, false);
      await c.fence(cook, [own], { group: true, to: ['role:cook', 'instance:c1'] });
      sameSet(own.data, numbers(15), 'own events');
    },
  },
  {
    id: 'groups/refuses-name',
    clause: 'groups.10',
    title: 'an invalid group name is rejected',
    requires,
    async run(c) {
      const worker = await c.join('worker');
      for (const bad of ['', 'a b', 'a*', 'a:b', 'g'.repeat(51)]) {
        await refused(() => worker.subscribe(() => {}, { group: bad }), ['invalid-address'], `group '${bad}'`);
      }
    },
  },
  {
    id: 'groups/busy-member',
    clause: 'groups.11',
    title: 'while one member is busy the other keeps receiving',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      const busy = await c.listen(await c.join('worker'), { group: 'g', bufferSize: 1 }, () => gate.passed);
      await desk.publish({ type: 'job', data: 'blocks' });
      await busy.until(1);
      const free = await c.listen(await c.join('worker'), { group: 'g' });
      await publishAll(desk, numbers(20));
      await c.until(
        () => free.count >= 18,
        () => `the free member should get nearly all of 20, it got ${free.count}`,
      );
      gate.open();
    },
  },
  {
    id: 'groups/failing-member',
    clause: 'groups.12',
    title: 'failed events are eventually accepted once',
    requires: { capabilities: ['everyone', 'groups', 'redelivery'] },
    async run(c) {
      const desk = await c.join('desk');
      const accepted: unknown[] = [];
      const failedOnce = new Set<unknown>();
      const react = (event: { data: unknown }) => {
        if (!failedOnce.has(event.data)) {
          failedOnce.add(event.data);
          throw new Error('first time');
        }
        accepted.push(event.data);
      };
      const retry = { baseMs: 1, maxMs: 2 };
      const inboxes = [
        await c.listen(await c.join('worker'), { group: 'g', retry }, react),
        await c.listen(await c.join('worker'), { group: 'g', retry }, react),
      ];
      await publishAll(desk, numbers(20));
      await c.until(
        () => accepted.length >= 20,
        () => `20 accepted, there are ${accepted.length}`,
      );
      await c.fence(desk, inboxes, { group: true });
      sameSet(accepted, numbers(20), 'accepted');
      same(all(inboxes).length, 40, 'deliveries in all');
    },
  },
  {
    id: 'groups/one-member',
    clause: 'groups.13',
    title: 'a group of one gets everything in order',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const [only] = (await workers(c, 1)) as [Inbox];
      await publishAll(desk, numbers(50));
      await only.expect(numbers(50));
    },
  },
];
