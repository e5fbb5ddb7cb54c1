import type { Address, Broadcaster } from '@polycast/core';
import { check, refused, same, sameSet } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import type { CaseContext } from '../context.ts';
import type { Inbox } from '../inbox.ts';
import { Gate, later, pass } from '../wait.ts';

const requires = { capabilities: ['everyone', 'groups'] } as const;
const addressed = { capabilities: ['everyone', 'groups', 'role', 'instance'] } as const;
const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, n) => from + n);
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

async function settled(c: CaseContext, desk: Broadcaster, inboxes: readonly Inbox[], count: number): Promise<void> {
  await c.until(
    () => all(inboxes).length >= count,
    () => `${count} deliveries in all, there are ${all(inboxes).length}`,
  );
  await c.fence(desk, inboxes, { group: true });
}

export const groupCases: readonly ConformanceCase[] = [
  {
    id: 'groups/one-of-two',
    clause: 'groups.1',
    title: 'two members on two broadcasters share, none twice and none lost',
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
    title: 'five members, publishes all under way at once',
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
    id: 'groups/several-addresses-of-one',
    clause: 'groups.1',
    title: 'a member that answers to several of the addresses gets the event once, between those for one address',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const only = await c.listen(await c.join('cook/c1'), { group: 'g' });
      const ways = [['role:cook', 'instance:c1'], ['instance:c1', 'role:nobody'], ['role:cook'], ['*']] as const;
      await Promise.all(numbers(80).map((n) => desk.publish({ type: 'job', data: n }, { to: ways[n % 4]! })));
      await settled(c, desk, [only], 80);
      sameSet(only.data, numbers(80), 'what the member got');
      for (const way of numbers(4)) {
        const got = only.data.filter((n) => Number(n) % 4 === way);
        same(
          got,
          numbers(80).filter((n) => n % 4 === way),
          `to ${ways[way]!.join()}`,
        );
      }
    },
  },
  {
    id: 'groups/several-addresses-of-two',
    clause: 'groups.1',
    title: 'of two members that answer to different addresses of an event one gets it',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const inboxes = [
        await c.listen(await c.join('cook/c1'), { group: 'g' }),
        await c.listen(await c.join('waiter/w1'), { group: 'g' }),
      ];
      const alone = await c.listen(await c.join('waiter/w2'));
      for (const n of numbers(40)) {
        const to = n % 2 === 0 ? (['role:waiter', 'instance:c1'] as const) : (['role:cook', 'role:waiter'] as const);
        await desk.publish({ type: 'job', data: n }, { to });
      }
      await settled(c, desk, inboxes, 40);
      await c.fence(desk, [alone]);
      sameSet(all(inboxes), numbers(40), 'what the members got');
      same(alone.data, numbers(40), 'without a group');
    },
  },
  {
    id: 'groups/several-instances',
    clause: 'groups.1',
    title: 'of several instances that are addressed one gets the event, of each group',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const one: Inbox[] = [];
      const two: Inbox[] = [];
      for (const n of numbers(4)) {
        const cook = await c.join(`cook/c${n}`);
        one.push(await c.listen(cook, { group: 'one' }));
        two.push(await c.listen(cook, { group: 'two' }));
      }
      const to = ['instance:c0', 'instance:c1', 'instance:c2'] as const;
      await Promise.all(numbers(60).map((n) => desk.publish({ type: 'job', data: n }, { to })));
      await settled(c, desk, one, 60);
      await settled(c, desk, two, 60);
      sameSet(all(one), numbers(60), 'group one');
      sameSet(all(two), numbers(60), 'group two');
      same([one[3]!.count, two[3]!.count], [0, 0], 'who was not addressed');
    },
  },
  {
    id: 'groups/several-addresses-failing',
    clause: 'groups.12',
    title: 'what one member fails to handle and another answers to as well is accepted once',
    requires: { capabilities: [...addressed.capabilities, 'redelivery'] },
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
        await c.listen(await c.join('cook/c1'), { group: 'g', retry }, react),
        await c.listen(await c.join('waiter/w1'), { group: 'g', retry }, react),
      ];
      for (const n of numbers(20)) await desk.publish({ type: 'job', data: n }, { to: ['role:cook', 'role:waiter'] });
      await c.until(
        () => accepted.length >= 20,
        () => `20 accepted, there are ${accepted.length}`,
      );
      await c.fence(desk, inboxes, { group: true });
      sameSet(accepted, numbers(20), 'accepted');
    },
  },
  {
    id: 'groups/several-addresses-held',
    clause: 'groups.7',
    title: 'what a member held when it closed goes to one that answers to another of the addresses',
    requires: { capabilities: [...addressed.capabilities, 'redelivery'] },
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      const cook = await c.listen(await c.join('cook/c1'), { group: 'g', bufferSize: 1 }, () => gate.passed);
      const waiter = await c.listen(await c.join('waiter/w1'), { group: 'g' });
      let count = 0;
      while (cook.count === 0) {
        await desk.publish({ type: 'job', data: count++ }, { to: ['role:cook', 'role:waiter'] });
        await c.until(
          () => all([cook, waiter]).length >= count,
          () => `event ${count} reaches a member`,
        );
      }
      await c.within(cook.owner.close({ drainMs: 0 }), 'close without waiting');
      await c.until(
        () => waiter.count >= count,
        () => `the waiter should get all ${count}, it got ${waiter.data.join()}`,
      );
      gate.open();
      await c.fence(desk, [waiter], { group: true });
      sameSet(waiter.data, numbers(count), 'the waiter');
    },
  },
  {
    id: 'groups/each-group-and-everyone',
    clause: 'groups.2',
    title: 'two groups and a subscription without one get everything each',
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
    title: 'members in one broadcaster compete like any others',
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
    id: 'groups/addressed-in-one-broadcaster',
    clause: 'groups.3',
    title: 'members in one broadcaster compete for what is for their instance, in whatever way it is addressed',
    requires: addressed,
    async run(c) {
      const desk = await c.join('desk');
      const cook = await c.join('cook/c0');
      const inboxes = [await c.listen(cook, { group: 'g' }), await c.listen(cook, { group: 'g' })];
      const ways: readonly (readonly Address[])[] = [
        ['instance:c0'],
        ['role:cook'],
        ['*'],
        ['instance:c0', 'role:cook'],
        ['instance:c0', 'instance:c1'],
      ];
      await Promise.all(numbers(50).map((n) => desk.publish({ type: 'job', data: n }, { to: ways[n % ways.length]! })));
      await settled(c, desk, inboxes, 50);
      sameSet(all(inboxes), numbers(50), 'the group');
      await inboxes[0]!.subscription.close();
      await Promise.all(numbers(10, 50).map((n) => desk.publish({ type: 'job', data: n }, { to: 'instance:c0' })));
      await settled(c, desk, inboxes, 60);
      sameSet(all(inboxes), numbers(60), 'when one member has left');
    },
  },
  {
    id: 'groups/share',
    clause: 'groups.4',
    title: 'of many events every member gets some',
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
    title: 'a member subscription closes, its broadcaster stays',
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
    title: 'a member that joins repeats nothing',
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
    title: 'members come and go while events flow: none lost, none twice',
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
    title: 'what a member held when it closed without waiting goes to the other',
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
    title: 'a group is of its topic',
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
    id: 'groups/addressed-members-only',
    clause: 'groups.9',
    title: 'an event for a role goes to a member of that role',
    requires: { capabilities: ['everyone', 'groups', 'role', 'instance'] },
    async run(c) {
      const desk = await c.join('desk');
      const cook = await c.listen(await c.join('cook/c1'), { group: 'g' });
      const cook2 = await c.listen(await c.join('cook/c2'), { group: 'g' });
      const waiter = await c.listen(await c.join('waiter/w1'), { group: 'g' });
      for (let n = 0; n < 20; n++) await desk.publish({ type: 'job', data: n }, { to: 'role:cook' });
      for (let n = 20; n < 30; n++) await desk.publish({ type: 'job', data: n }, { to: 'instance:w1' });
      await settled(c, desk, [cook, cook2, waiter], 30);
      sameSet(all([cook, cook2]), numbers(20), 'the cooks');
      sameSet(waiter.data, numbers(10, 20), 'the waiter');
    },
  },
  {
    id: 'groups/refuses-name',
    clause: 'groups.10',
    title: 'what is no group name is refused',
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
    title: 'while one member is busy the other goes on',
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
    title: 'what fails is accepted once in the end',
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
