import { check, refused, same, sameSet } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import type { Inbox } from '../inbox.ts';
import { Gate, later, pass } from '../wait.ts';
import { all, failing, numbers, publishAll, settled, workers } from './group-members.ts';

const requires = { capabilities: ['everyone', 'groups'] } as const;
const addressed = { capabilities: ['everyone', 'groups', 'role', 'instance'] } as const;

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
      const { accepted, react, acceptedAll } = failing(1);
      const retry = { baseMs: 1, maxMs: 2 };
      const inboxes = [
        await c.listen(await c.join('worker'), { group: 'g', retry }, react),
        await c.listen(await c.join('worker'), { group: 'g', retry }, react),
      ];
      await publishAll(desk, numbers(20));
      await acceptedAll(c, 20);
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
