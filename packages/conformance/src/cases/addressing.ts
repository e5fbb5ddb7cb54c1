import { type Address, type Broadcaster, MAX_ADDRESSES, MAX_NAME_LENGTH, MAX_TOPIC_LENGTH } from '@polycast/core';
import { check, refused, same } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import type { CaseContext } from '../context.ts';
import type { Inbox } from '../inbox.ts';

/** Who is there, whom an event is for, and who must get it. Every name is `role/instance`; the publisher is `desk/desk-1`. */
interface Delivery {
  readonly name: string;
  readonly clause: string;
  readonly title: string;
  readonly there: readonly string[];
  readonly to: Address | readonly Address[] | undefined;
  readonly reaches: readonly string[];
}

const KITCHENS = ['kitchen/kitchen-1', 'kitchen/kitchen-2', 'bar/bar-1'] as const;

const DELIVERIES: readonly Delivery[] = [
  {
    name: 'everyone',
    clause: 'addressing.1',
    title: 'an event for everyone reaches every participant',
    there: KITCHENS,
    to: '*',
    reaches: KITCHENS,
  },
  {
    name: 'everyone-is-the-default',
    clause: 'addressing.1',
    title: 'an event without an address is for everyone',
    there: KITCHENS,
    to: undefined,
    reaches: KITCHENS,
  },
  {
    name: 'everyone-of-one-role',
    clause: 'addressing.1',
    title: 'an event for everyone includes the publisher’s own role',
    there: ['desk/desk-2', 'desk/desk-3'],
    to: '*',
    reaches: ['desk/desk-2', 'desk/desk-3'],
  },
  {
    name: 'role',
    clause: 'addressing.2',
    title: 'an event for a role reaches all its instances',
    there: KITCHENS,
    to: 'role:kitchen',
    reaches: ['kitchen/kitchen-1', 'kitchen/kitchen-2'],
  },
  {
    name: 'own-role',
    clause: 'addressing.2',
    title: 'an event for the publisher’s own role reaches its other instances',
    there: ['desk/desk-2', 'desk/desk-3', 'bar/bar-1'],
    to: 'role:desk',
    reaches: ['desk/desk-2', 'desk/desk-3'],
  },
  {
    name: 'role-only',
    clause: 'addressing.3',
    title: 'an event for a role reaches no other role',
    there: ['bar/bar-1', 'till/till-1', 'kitchen/kitchen-1'],
    to: 'role:kitchen',
    reaches: ['kitchen/kitchen-1'],
  },
  {
    name: 'role-is-no-instance',
    clause: 'addressing.3',
    title: 'an instance named like the role does not belong to the role',
    there: ['bar/kitchen', 'kitchen/k1'],
    to: 'role:kitchen',
    reaches: ['kitchen/k1'],
  },
  {
    name: 'instance',
    clause: 'addressing.4',
    title: 'an event for an instance reaches it',
    there: KITCHENS,
    to: 'instance:kitchen-2',
    reaches: ['kitchen/kitchen-2'],
  },
  {
    name: 'instance-only',
    clause: 'addressing.5',
    title: 'an event for an instance reaches no other instance of its role',
    there: ['kitchen/kitchen-1', 'kitchen/kitchen-2', 'kitchen/kitchen-3'],
    to: 'instance:kitchen-1',
    reaches: ['kitchen/kitchen-1'],
  },
  {
    name: 'instance-is-no-role',
    clause: 'addressing.5',
    title: 'a role named like the instance does not get its events',
    there: ['bar-1/x1', 'bar/bar-1'],
    to: 'instance:bar-1',
    reaches: ['bar/bar-1'],
  },
  {
    name: 'role-and-instance-overlap',
    clause: 'addressing.6',
    title: 'a participant that matches both the role and the instance gets the event once',
    there: KITCHENS,
    to: ['role:kitchen', 'instance:kitchen-1'],
    reaches: ['kitchen/kitchen-1', 'kitchen/kitchen-2'],
  },
  {
    name: 'everyone-and-role-overlap',
    clause: 'addressing.6',
    title: 'everyone and a role: each participant gets the event once',
    there: KITCHENS,
    to: ['*', 'role:kitchen', 'instance:bar-1'],
    reaches: KITCHENS,
  },
  {
    name: 'same-address-twice',
    clause: 'addressing.6',
    title: 'the same address repeated: one delivery',
    there: KITCHENS,
    to: ['role:bar', 'role:bar', 'role:bar'],
    reaches: ['bar/bar-1'],
  },
  {
    name: 'two-roles',
    clause: 'addressing.6',
    title: 'two of three roles get the event',
    there: [...KITCHENS, 'till/till-1'],
    to: ['role:bar', 'role:till'],
    reaches: ['bar/bar-1', 'till/till-1'],
  },
  {
    name: 'two-instances',
    clause: 'addressing.6',
    title: 'two of three instances get the event',
    there: KITCHENS,
    to: ['instance:bar-1', 'instance:kitchen-2'],
    reaches: ['bar/bar-1', 'kitchen/kitchen-2'],
  },
  {
    name: 'prefixes',
    clause: 'addressing.8',
    title: 'names with a common prefix are different',
    there: ['kitchen/k', 'kitchen-hot/k1', 'kit/k.1', 'kitchen.cold/k-1'],
    to: ['role:kitchen', 'instance:k.1'],
    reaches: ['kitchen/k', 'kit/k.1'],
  },
  {
    name: 'case',
    clause: 'addressing.8',
    title: 'names are case-sensitive',
    there: ['Kitchen/K1', 'kitchen/k1'],
    to: 'role:kitchen',
    reaches: ['kitchen/k1'],
  },
  {
    name: 'punctuation',
    clause: 'addressing.8',
    title: 'dots, dashes, tildes and underscores have no special meaning',
    there: ['a.b/x.y', 'a-b/x-y', 'a_b/x_y', 'a~b/x~y', 'aXb/xXy'],
    to: ['role:a.b', 'instance:x_y'],
    reaches: ['a.b/x.y', 'a_b/x_y'],
  },
  {
    name: 'nobody-of-the-role',
    clause: 'addressing.10',
    title: 'an event for a role without instances is not an error',
    there: ['bar/bar-1'],
    to: 'role:kitchen',
    reaches: [],
  },
  {
    name: 'no-such-instance',
    clause: 'addressing.10',
    title: 'an event for an unknown instance is not an error',
    there: ['bar/bar-1'],
    to: 'instance:bar-2',
    reaches: [],
  },
];

const NOT_ADDRESSES: readonly (readonly [string, unknown])[] = [
  ['empty', ''],
  ['word', 'kitchen'],
  ['unknown-scheme', 'group:kitchen'],
  ['empty-role', 'role:'],
  ['empty-instance', 'instance:'],
  ['pattern', 'role:kitch*'],
  ['comma', 'role:a,role:b'],
  ['space', 'role:a b'],
  ['newline', 'instance:a\nb'],
  ['letters-beyond-ascii', 'role:küche'],
  ['too-long', `role:${'r'.repeat(MAX_NAME_LENGTH + 1)}`],
  ['number', 7],
  ['empty-list', []],
  ['list-with-a-bad-one', ['role:good', 'bad']],
];

const NOT_TOPICS: readonly (readonly [string, unknown])[] = [
  ['empty', ''],
  ['space', 'a b'],
  ['pattern', 'orders*'],
  ['leading-slash', '/orders'],
  ['colon', 'orders:new'],
  ['too-long', 't'.repeat(MAX_TOPIC_LENGTH + 1)],
  ['number', 7],
];

async function deliver(c: CaseContext, test: Delivery): Promise<void> {
  const desk = await c.join('desk/desk-1');
  const own = await c.listen(desk);
  const inboxes: { name: string; inbox: Inbox }[] = [];
  for (const name of test.there) inboxes.push({ name, inbox: await c.listen(await c.join(name)) });
  await desk.publish({ type: 'order', data: 'soup' }, test.to === undefined ? {} : { to: test.to });
  const to = test.to === undefined ? [] : [test.to].flat();
  await c.fence(
    desk,
    inboxes.map(({ inbox }) => inbox),
    { to: to.filter((address) => address !== '*') },
  );
  for (const { name, inbox } of inboxes)
    same(inbox.data, test.reaches.includes(name) ? ['soup'] : [], `what ${name} got`);
  same(own.data, [], 'what the publisher got');
}

const requires = { capabilities: ['everyone', 'role', 'instance'] } as const;

export const addressingCases: readonly ConformanceCase[] = [
  ...DELIVERIES.map(
    (test): ConformanceCase => ({
      id: `addressing/${test.name}`,
      clause: test.clause,
      title: test.title,
      requires,
      run: (c) => deliver(c, test),
    }),
  ),
  {
    id: 'addressing/sixty-four-addresses',
    clause: 'addressing.6',
    title: 'an event with the maximum number of addresses',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.listen(await c.join('kitchen/k-60'));
      const to = Array.from({ length: MAX_ADDRESSES }, (_, at): Address => `instance:k-${at}`);
      await desk.publish({ type: 'order', data: 1 }, { to });
      await c.fence(desk, [kitchen], { to: ['instance:k-60'] });
      same(kitchen.data, [1], 'what one of many recipients got');
      await refused(
        () => desk.publish({ type: 'order', data: 2 }, { to: [...to, 'instance:one-more'] }),
        ['invalid-address'],
        'one address too many',
      );
    },
  },
  {
    id: 'addressing/foreign-topics',
    clause: 'addressing.7',
    title: 'events on other topics are not received',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const own = await c.join('desk');
      const listener = await c.listen(await c.join('kitchen'));
      const others: Broadcaster[] = [];
      for (const topic of [
        `${c.topic}-b`,
        `${c.topic}/sub`,
        `${c.topic}.x`,
        c.topic.slice(0, -1),
        c.topic.toUpperCase(),
      ]) {
        others.push(await c.join('desk', { topic }));
      }
      for (const other of others) for (let n = 0; n < 5; n++) await other.publish({ type: 'noise', data: other.topic });
      await own.publish({ type: 'order', data: 'mine' });
      await c.fence(own, [listener]);
      same(listener.data, ['mine'], 'events of the own topic');
    },
  },
  {
    id: 'addressing/same-role-on-two-topics',
    clause: 'addressing.7',
    title: 'the same role and instance on two topics are two participants',
    requires,
    async run(c) {
      const other = `${c.topic}-other`;
      const here = await c.listen(await c.join('kitchen/k1'));
      const there = await c.listen(await c.join('kitchen/k1', { topic: other }));
      const desk = await c.join('desk');
      const desk2 = await c.join('desk', { topic: other });
      await desk.publish({ type: 'order', data: 'role here' }, { to: 'role:kitchen' });
      await desk2.publish({ type: 'order', data: 'instance there' }, { to: 'instance:k1' });
      await c.fence(desk, [here], { to: ['role:kitchen', 'instance:k1'] });
      await c.fence(desk2, [there], { to: ['role:kitchen', 'instance:k1'] });
      same(here.data, ['role here'], 'on the one topic');
      same(there.data, ['instance there'], 'on the other');
    },
  },
  ...NOT_ADDRESSES.map(
    ([name, to]): ConformanceCase => ({
      id: `addressing/refuses-${name}`,
      clause: 'addressing.9',
      title: `an invalid address is rejected: ${name}`,
      requires: { capabilities: ['everyone'] },
      async run(c) {
        const desk = await c.join('desk');
        const inbox = await c.listen(await c.join('good'));
        await refused(
          () => desk.publish({ type: 'order', data: 1 }, { to: to as Address }),
          ['invalid-address'],
          'publish',
        );
        await c.fence(desk, [inbox]);
        same(inbox.data, [], 'nothing is sent');
      },
    }),
  ),
  {
    id: 'addressing/no-carbon-copy-to-oneself',
    clause: 'addressing.11',
    title: 'addressing the publisher itself does not imply a carbon copy',
    requires,
    async run(c) {
      const desk = await c.join('desk/desk-1');
      const own = await c.listen(desk);
      await desk.publish({ type: 'note', data: 1 }, { to: 'instance:desk-1' });
      await desk.publish({ type: 'note', data: 2 }, { to: 'role:desk' });
      await desk.publish({ type: 'note', data: 3 });
      await c.fence(desk, [own], { to: ['role:desk', 'instance:desk-1'] });
      same(own.data, [], 'own events');
    },
  },
  {
    id: 'addressing/carbon-copy',
    clause: 'addressing.11',
    title: 'a carbon copy reaches every subscription of the publisher, and others get the event once',
    requires: { capabilities: ['carbonCopy'] },
    async run(c) {
      const desk = await c.join('desk');
      const one = await c.listen(desk);
      const two = await c.listen(desk);
      const other = await c.listen(await c.join('kitchen'));
      await desk.publish({ type: 'note', data: 1 }, { carbonCopy: true });
      await desk.publish({ type: 'note', data: 2 });
      await c.fence(desk, [one, two, other]);
      same(one.data, [1], 'first own subscription');
      same(two.data, [1], 'second own subscription');
      same(other.data, [1, 2], 'another participant');
    },
  },
  {
    id: 'addressing/carbon-copy-by-default',
    clause: 'addressing.11',
    title: 'carbon copies enabled at connect can be disabled for one publish',
    requires: { capabilities: ['carbonCopy'] },
    async run(c) {
      const desk = await c.join('desk', { carbonCopy: true });
      const own = await c.listen(desk);
      await desk.publish({ type: 'note', data: 1 });
      await desk.publish({ type: 'note', data: 2 }, { carbonCopy: false });
      await desk.publish({ type: 'note', data: 3 }, { carbonCopy: true });
      await c.fence(desk, [own]);
      same(own.data, [1, 3], 'copies');
    },
  },
  {
    id: 'addressing/carbon-copy-only-if-addressed',
    clause: 'addressing.11',
    title: 'a carbon copy reaches the publisher only if the address matches it',
    requires: { capabilities: ['carbonCopy', 'role', 'instance'] },
    async run(c) {
      const desk = await c.join('desk/desk-1');
      const own = await c.listen(desk);
      const kitchen = await c.listen(await c.join('kitchen/k-1'));
      await desk.publish({ type: 'note', data: 1 }, { to: 'role:kitchen', carbonCopy: true });
      await desk.publish({ type: 'note', data: 2 }, { to: ['role:kitchen', 'role:desk'], carbonCopy: true });
      await desk.publish({ type: 'note', data: 3 }, { to: 'instance:desk-1', carbonCopy: true });
      await c.fence(desk, [own, kitchen], { to: ['role:kitchen', 'role:desk', 'instance:desk-1'] });
      await own.expectSet([2, 3], 'copies');
      await kitchen.expect([1, 2], 'what was for the kitchen');
    },
  },
  ...NOT_TOPICS.map(
    ([name, topic]): ConformanceCase => ({
      id: `addressing/refuses-topic-${name}`,
      clause: 'addressing.12',
      title: `an invalid topic is rejected: ${name}`,
      async run(c) {
        await refused(() => c.join('desk', { topic: topic as string }), ['invalid-topic'], 'connect');
      },
    }),
  ),
  {
    id: 'addressing/longest-names',
    clause: 'addressing.12',
    title: 'names of the maximum length work',
    requires,
    async run(c) {
      const topic = `${c.topic}/${'t'.repeat(MAX_TOPIC_LENGTH)}`.slice(0, MAX_TOPIC_LENGTH);
      const role = `r${'.'.repeat(MAX_NAME_LENGTH - 2)}x`;
      const instance = `i${'~'.repeat(MAX_NAME_LENGTH - 2)}x`;
      const desk = await c.join('desk', { topic });
      const inbox = await c.listen(await c.join({ role, instance }, { topic }));
      await desk.publish({ type: 'order', data: 1 }, { to: `role:${role}` });
      await desk.publish({ type: 'order', data: 2 }, { to: `instance:${instance}` });
      await inbox.expectSet([1, 2]);
    },
  },
  {
    id: 'addressing/instance-made-up',
    clause: 'addressing.13',
    title: 'instances without a configured name are distinct',
    requires,
    async run(c) {
      const one = await c.join('kitchen');
      const two = await c.join('kitchen');
      check(one.self.instance !== two.self.instance, `both are called ${one.self.instance}`);
      const first = await c.listen(one);
      const second = await c.listen(two);
      const desk = await c.join('desk');
      await desk.publish({ type: 'order', data: 1 }, { to: `instance:${one.self.instance}` });
      await c.fence(desk, [first, second], { to: [`instance:${one.self.instance}`] });
      same(first.data, [1], 'the one addressed');
      same(second.data, [], 'the other');
    },
  },
  {
    id: 'addressing/refuses-names',
    clause: 'addressing.8',
    title: 'roles and instances with invalid characters are rejected',
    async run(c) {
      for (const bad of ['', 'a b', 'a*', 'a,b', 'a:b', 'a/b', '-a', 'x'.repeat(MAX_NAME_LENGTH + 1)]) {
        await refused(() => c.join({ role: bad }), ['invalid-address'], `role '${bad}'`);
        await refused(() => c.join({ role: 'desk', instance: bad }), ['invalid-address'], `instance '${bad}'`);
      }
    },
  },
];
