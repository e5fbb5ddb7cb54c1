import type { Broadcaster, Participant } from '@polycast/core';
import { refused, same, sameSet } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import type { CaseContext } from '../context.ts';
import { takenOrHeldUp } from '../wait.ts';

const requires = { capabilities: ['everyone', 'members'] } as const;
/** Answers have as much longer to come as the machine is busy. */
const asked = (c: CaseContext, by: Broadcaster, role?: string) =>
  by.members({ ...(role === undefined ? {} : { role }), timeoutMs: c.stretched(500) });
const names = (members: readonly Participant[]) => members.map(({ role, instance }) => `${role}/${instance}`);

async function three(c: CaseContext) {
  const desk = await c.join('desk/d1');
  await c.listen(desk);
  const cook = await c.join('kitchen/k1');
  await c.listen(cook);
  const second = await c.join({ role: 'kitchen', instance: 'k2', deployment: 'blue' });
  await c.listen(second);
  return { desk, cook, second };
}

export const memberCases: readonly ConformanceCase[] = [
  {
    id: 'members/all',
    clause: 'members.1',
    title: 'every listening participant is listed, including the caller',
    requires,
    async run(c) {
      const { desk, second } = await three(c);
      sameSet(names(await asked(c, desk)), ['desk/d1', 'kitchen/k1', 'kitchen/k2'], 'asked by one');
      sameSet(names(await asked(c, second)), ['desk/d1', 'kitchen/k1', 'kitchen/k2'], 'asked by another');
    },
  },
  {
    id: 'members/alone',
    clause: 'members.1',
    title: 'the only participant on the topic',
    requires,
    async run(c) {
      const desk = await c.join('desk/d1');
      await c.listen(desk);
      sameSet(names(await desk.members()), ['desk/d1'], 'members');
    },
  },
  {
    id: 'members/once-each',
    clause: 'members.1',
    title: 'a participant with several subscriptions is one member',
    requires,
    async run(c) {
      const desk = await c.join('desk/d1');
      const kitchen = await c.join('kitchen/k1');
      for (let n = 0; n < 3; n++) await c.listen(kitchen);
      sameSet(names(await asked(c, desk, 'kitchen')), ['kitchen/k1'], 'members');
    },
  },
  {
    id: 'members/who-does-not-listen',
    clause: 'members.1',
    title: 'a participant that only publishes is not a member',
    requires,
    async run(c) {
      const desk = await c.join('desk/d1');
      const silent = await c.join('desk/d2');
      await c.listen(await c.join('kitchen/k1'));
      await silent.publish({ type: 'order' });
      sameSet(names(await asked(c, desk)), ['kitchen/k1'], 'members');
    },
  },
  {
    id: 'members/in-a-group',
    clause: 'members.1',
    title: 'each member of a group is a member of the topic',
    requires: { capabilities: ['everyone', 'members', 'groups'] },
    async run(c) {
      const desk = await c.join('desk/d1');
      await c.listen(desk);
      for (const n of [1, 2, 3]) await c.listen(await c.join(`worker/w${n}`), { group: 'g' });
      sameSet(names(await asked(c, desk, 'worker')), ['worker/w1', 'worker/w2', 'worker/w3'], 'members');
    },
  },
  {
    id: 'members/stays-in-a-group',
    clause: 'members.1',
    title:
      'a participant that keeps only a group subscription is still a member, and one that returns is a member again',
    requires: { capabilities: ['everyone', 'members', 'groups'] },
    async run(c) {
      const desk = await c.join('desk/d1');
      await c.listen(desk);
      const stays = await c.join('worker/w1');
      const plain = await c.listen(stays);
      await c.listen(stays, { group: 'g' });
      const returns = await c.join('worker/w2');
      await (await c.listen(returns)).subscription.close();
      await plain.subscription.close();
      await c.listen(returns);
      sameSet(names(await asked(c, desk, 'worker')), ['worker/w1', 'worker/w2'], 'members');
    },
  },
  {
    id: 'members/paused',
    clause: 'members.1',
    title: 'a paused participant is a member and can list the others',
    requires,
    async run(c) {
      const desk = await c.join('desk/d1');
      const kitchen = await c.join('kitchen/k1');
      const paused = [await c.listen(desk, { bufferSize: 2 }), await c.listen(kitchen, { bufferSize: 2 })];
      for (const { subscription } of paused) subscription.pause();
      const publisher = await c.join('till');
      const published = Promise.all([publisher.publish({ type: 'order' }), publisher.publish({ type: 'order' })]);
      await takenOrHeldUp(published);
      sameSet(names(await asked(c, desk)), ['desk/d1', 'kitchen/k1'], 'members');
      for (const { subscription } of paused) subscription.resume();
      for (const inbox of paused) await inbox.until(2);
      await published;
    },
  },
  {
    id: 'members/by-role',
    clause: 'members.2',
    title: 'only members of the requested role are listed',
    requires,
    async run(c) {
      const { desk } = await three(c);
      sameSet(names(await asked(c, desk, 'kitchen')), ['kitchen/k1', 'kitchen/k2'], 'kitchen');
      sameSet(names(await asked(c, desk, 'bar')), [], 'bar');
    },
  },
  {
    id: 'members/gone',
    clause: 'members.3',
    title: 'a closed participant is not listed',
    requires,
    async run(c) {
      const { desk, cook } = await three(c);
      await cook.close();
      sameSet(names(await asked(c, desk)), ['desk/d1', 'kitchen/k2'], 'members');
    },
  },
  {
    id: 'members/details',
    clause: 'members.4',
    title: 'role, instance and deployment are listed',
    requires,
    async run(c) {
      const { desk } = await three(c);
      const members = await asked(c, desk, 'kitchen');
      const second = members.find(({ instance }) => instance === 'k2');
      same({ ...second }, { role: 'kitchen', instance: 'k2', deployment: 'blue' }, 'the second');
    },
  },
  {
    id: 'members/topics',
    clause: 'members.5',
    title: 'members of another topic are not listed',
    requires,
    async run(c) {
      const desk = await c.join('desk/d1');
      await c.listen(desk);
      await c.listen(await c.join('kitchen/k1', { topic: `${c.topic}-other` }));
      sameSet(names(await asked(c, desk)), ['desk/d1'], 'members');
    },
  },
  {
    id: 'members/not-seen',
    clause: 'members.6',
    title: 'listing members is visible in no subscription and causes no gap',
    requires,
    async run(c) {
      const desk = await c.join('desk/d1');
      const own = await c.listen(desk);
      const inbox = await c.listen(await c.join('kitchen/k1'));
      await desk.publish({ type: 'order', data: 1 });
      await asked(c, desk);
      await asked(c, inbox.owner);
      await desk.publish({ type: 'order', data: 2 });
      await c.fence(desk, [inbox, own]);
      same([inbox.data, inbox.signals, own.data], [[1, 2], [], []], 'data and signals');
    },
  },
  {
    id: 'members/not-asked-for',
    clause: 'members.7',
    title: 'where membership is billed, a participant that did not enable it is not listed and cannot list others',
    requires: { ...requires, billedMembers: true },
    async run(c) {
      const desk = await c.join('desk/d1');
      await c.listen(desk);
      const kitchen = await c.join('kitchen/k1', { members: false });
      await c.listen(kitchen);
      sameSet(names(await asked(c, desk)), ['desk/d1'], 'members');
      await refused(() => kitchen.members({ timeoutMs: 100 }), ['invalid-configuration'], 'asking');
      await desk.close();
      const waiter = await c.join('waiter/w1');
      await c.listen(waiter);
      sameSet(names(await asked(c, waiter)), ['waiter/w1'], 'members, once one has closed');
    },
  },
];
