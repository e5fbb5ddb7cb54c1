import { setTimeout } from 'node:timers/promises';
import type { Address, Handler } from '@polycast/core';
import { startProxy } from '@polycast/local-services/proxy';
import { describe, expect, it, vi } from 'vitest';
import { freshTopic, isPublic, useService } from './service.ts';

const LOCK_MS = 5_000;
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const service = useService();
const entities = () => service.service.broker.entities;
const names = (topic: string) =>
  service
    .subscriptions(topic)
    .map(({ name }) => name.replace(/-[0-9a-f]{12}$/, ''))
    .sort();
const groupsOf = (topic: string) => service.subscriptions(topic).filter(({ name }) => name.startsWith('group.'));
/** Copies that the service holds, those under a lock included. */
const held = (topic: string) => service.subscriptions(topic).reduce((sum, { counts }) => sum + counts.active, 0);

/** A member that writes down what it is given, and how often. */
async function member(topic: string, who: string, options: { durable?: string; filter?: string } = {}) {
  const cast = await service.join(topic, who);
  const got: unknown[] = [];
  const attempts = new Set<number>();
  const handler: Handler = (event, { attempt }) => {
    got.push(event.data);
    attempts.add(attempt);
  };
  const subscription = await cast.subscribe(handler, { group: 'g', ...options });
  return { cast, got, attempts, subscription };
}

describe('a group', () => {
  it('is two subscriptions, however many members it has, and leaves nothing when the last one goes', async () => {
    const topic = freshTopic();
    const one = await member(topic, 'cook/c1');
    const two = await member(topic, 'cook/c2');
    await one.cast.subscribe(() => {}, { group: 'g' });
    expect(names(topic)).toEqual([
      'group.cook.g',
      'group.cook.g.keyed',
      expect.stringMatching(/^instance-only\.c1\./),
      expect.stringMatching(/^instance-only\.c2\./),
    ]);
    expect(groupsOf(topic).map(({ description }) => description.requiresSession)).toEqual([false, true]);
    await one.cast.close();
    expect(names(topic)).toEqual(['group.cook.g', 'group.cook.g.keyed', expect.stringMatching(/^instance-only\.c2\./)]);
    await two.cast.close();
    expect(names(topic)).toEqual([]);
  });

  it.each([
    ['of one broadcaster share what is for its instance', ['g', 'h']],
    ['of the same name, too', ['g', 'g']],
  ])('and others %s', async (_, groups) => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const cook = await service.join(topic, 'cook/c1');
    const got: unknown[][] = [];
    const members = [];
    for (const group of groups) {
      const seen: unknown[] = [];
      got.push(seen);
      members.push(await cook.subscribe((event) => void seen.push(event.data), { group }));
    }
    expect(names(topic).filter((name) => name.startsWith('instance-only.'))).toHaveLength(1);
    await desk.publish({ type: 'x', data: 'mine' }, { to: 'instance:c1' });
    await vi.waitFor(() => expect(got).toEqual([['mine'], ['mine']]));
    await members[0]?.close();
    await desk.publish({ type: 'x', data: 'still mine' }, { to: 'instance:c1' });
    await vi.waitFor(() => expect(got).toEqual([['mine'], ['mine', 'still mine']]));
    await vi.waitFor(() => expect(held(topic)).toBe(0));
    await members[1]?.close();
    expect(names(topic)).toEqual([]);
  });

  it('of another role is another group, though it has the same name', async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const roles = ['cook', 'waiter', 'cook-g', 'Cook'];
    const members = await Promise.all(roles.map((role, at) => member(topic, `${role}/m${at}`)));
    expect(new Set(groupsOf(topic).map(({ name }) => name)).size).toBe(2 * roles.length);
    for (const partitionKey of [undefined, 'k']) {
      const key = partitionKey === undefined ? {} : { partitionKey };
      const what = partitionKey ?? 'plain';
      await desk.publish({ type: 'x', data: `all ${what}` }, key);
      await desk.publish({ type: 'x', data: `waiters ${what}` }, { to: 'role:waiter', ...key });
      await desk.publish({ type: 'x', data: `m0 ${what}` }, { to: 'instance:m0', ...key });
    }
    const all = ['all k', 'all plain'];
    await vi.waitFor(() => {
      expect(members.map(({ got }) => [...got].sort())).toEqual([
        [...all, 'm0 k', 'm0 plain'],
        [...all, 'waiters k', 'waiters plain'],
        all,
        all,
      ]);
      expect(held(topic)).toBe(0);
    });
  });

  it.each([undefined, 'k'])(
    'an event for several roles reaches each once, as its first attempt (key: %s)',
    async (partitionKey) => {
      const topic = freshTopic();
      const desk = await service.join(topic, 'desk');
      const [c1, c2, waiter, porter] = await Promise.all(
        ['cook/c1', 'cook/c2', 'waiter/w1', 'waiters/p1'].map((who) => member(topic, who)),
      );
      const to: Address[] = ['role:waiter', 'role:cook', 'role:nobody'];
      for (const n of numbers(20))
        await desk.publish({ type: 'job', data: n }, { to, ...(partitionKey === undefined ? {} : { partitionKey }) });
      await vi.waitFor(() => {
        expect([...c1!.got, ...c2!.got].sort((a, b) => Number(a) - Number(b))).toEqual(numbers(20));
        expect(waiter!.got).toEqual(numbers(20));
        // The rule lets its name through, as LIKE says too much.
        expect(held(topic)).toBe(0);
      });
      expect(porter!.got).toEqual([]);
      for (const { attempts } of [c1!, c2!, waiter!])
        expect([...attempts].filter((attempt) => attempt !== 1)).toEqual([]);
    },
  );

  it.each([undefined, 'k'])(
    'an event for a role and an instance is handled once by the instance, and once by the group (key: %s)',
    async (partitionKey) => {
      const topic = freshTopic();
      const desk = await service.join(topic, 'desk');
      const [c1, c2] = await Promise.all(['cook/c1', 'cook/c2'].map((who) => member(topic, who)));
      const to: Address[] = ['role:cook', 'instance:c1'];
      for (const n of numbers(40))
        await desk.publish({ type: 'job', data: n }, { to, ...(partitionKey === undefined ? {} : { partitionKey }) });
      await vi.waitFor(() => {
        expect([...c1!.got].sort((a, b) => Number(a) - Number(b))).toEqual(numbers(40));
        expect(held(topic)).toBe(0);
      });
      expect(new Set(c2!.got).size).toBe(c2!.got.length);
      expect([...c1!.attempts, ...c2!.attempts].filter((attempt) => attempt !== 1)).toEqual([]);
    },
  );

  it('what is for an instance is drained when it closes, and gone when it is away', async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const first = await member(topic, 'cook/c1', { durable: 'menu' });
    const publishing = numbers(20).map((data) => desk.publish({ type: 'x', data }, { to: 'instance:c1' }));
    await Promise.all(publishing);
    await first.subscription.close();
    expect(first.got).toEqual(numbers(20));
    await first.cast.close();
    await desk.publish({ type: 'x', data: 'away' }, { to: 'instance:c1' });
    await desk.publish({ type: 'x', data: 'role' }, { to: 'role:cook' });
    const again = await member(topic, 'cook/c1', { durable: 'menu' });
    await vi.waitFor(() => expect(again.got).toEqual(['role']));
  });

  it('that is durable stays, whoever leaves it, and costs nothing to leave but for the instance', async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const dynamic = await member(topic, 'cook/c1');
    expect(groupsOf(topic).map(({ description }) => description.autoDeleteOnIdleMs)).toEqual([300_000, 300_000]);
    const durable = await member(topic, 'cook/c2', { durable: 'menu' });
    const kept = groupsOf(topic);
    expect(
      kept.filter(({ description }) => (description.autoDeleteOnIdleMs ?? Number.POSITIVE_INFINITY) <= 300_000),
    ).toEqual([]);
    await vi.waitFor(() => expect(held(topic)).toBe(0));
    const before = durable.cast.metered.operations ?? 0;
    await durable.cast.close();
    // On the public face of the SDK what waits for the instance can only be looked for.
    expect((durable.cast.metered.operations ?? 0) - before).toBe(isPublic ? 2 : 1);
    await dynamic.cast.close();
    expect(names(topic)).toEqual(['group.cook.g', 'group.cook.g.keyed']);
    for (const to of ['*', 'role:cook'] as const)
      for (const key of [{}, { partitionKey: 'k' }]) await desk.publish({ type: 'x', data: to }, { to, ...key });
    const later = await member(topic, 'cook/c3', { durable: 'menu' });
    await vi.waitFor(() => expect([...later.got].sort()).toEqual(['*', '*', 'role:cook', 'role:cook']));
    await later.cast.close();
    expect(names(topic)).toEqual(['group.cook.g', 'group.cook.g.keyed']);
  });

  it('whose member dies gives what it held to another, but for what was for its instance', {
    timeout: 60_000,
  }, async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const proxy = await startProxy({ target: { host: '127.0.0.1', port: service.service.port } });
    const { port } = service.service;
    const dying = await service.join(topic, 'cook/c1', {
      connectionString: service.service.connectionString.replace(`:${port}`, `:${proxy.port}`),
    });
    const started: unknown[] = [];
    await dying.subscribe(
      (event) => {
        started.push(event.data);
        return new Promise(() => {});
      },
      { group: 'g', lockMs: LOCK_MS, concurrency: 10 },
    );
    await desk.publish({ type: 'x', data: 'all' });
    await desk.publish({ type: 'x', data: 'role' }, { to: 'role:cook' });
    await desk.publish({ type: 'x', data: 'key' }, { partitionKey: 'k' });
    await desk.publish({ type: 'x', data: 'both' }, { to: ['role:cook', 'instance:c1'] });
    await desk.publish({ type: 'x', data: 'instance' }, { to: 'instance:c1' });
    await vi.waitFor(() => expect([...started].sort()).toEqual(['all', 'both', 'instance', 'key', 'role']));
    const heir = await member(topic, 'cook/c2');
    proxy.refuse();
    await vi.waitFor(() => expect([...heir.got].sort()).toEqual(['all', 'both', 'key', 'role']), 30_000);
    await dying.close({ drainMs: 0 });
    await proxy.stop();
  });

  it('that is joined while another member leaves it brings everything, and reports no loss', async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const cooks = [await service.join(topic, 'cook/c1'), await service.join(topic, 'cook/c2')];
    const seen: unknown[] = [];
    const listen = (at: number) => cooks[at]!.subscribe((event) => void seen.push(event.data), { group: 'g' });
    let members = [await listen(0)];
    for (const turn of numbers(24)) {
      const leaving = members.map((one) => one.close());
      // At any step of the other's way out; the same broadcaster, or another one of the same role.
      await setTimeout(turn * 6);
      const at = (turn >> 1) % 2;
      members = [await listen(at)];
      await Promise.all(leaving);
      for (const to of ['*', 'role:cook', `instance:c${at + 1}`] as const)
        await desk.publish({ type: 'order', data: `${turn} ${to}` }, { to });
      await desk.publish({ type: 'order', data: `${turn} keyed` }, { partitionKey: `${turn}` });
      await vi.waitFor(() => expect(seen).toHaveLength(4 * (turn + 1)), { timeout: 10_000 });
    }
    expect(cooks.flatMap(({ signals }) => signals)).toEqual([]);
  });

  it('has the filters of all its members, and each subscription one rule for each', async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const all: Awaited<ReturnType<typeof member>>[] = [];
    for (const n of [1, 2]) all.push(await member(topic, `cook/c${n}`, { filter: 'table = 1' }));
    const rules = groupsOf(topic).map(({ name }) =>
      entities()
        .rules(topic, name)
        .map((rule) => rule.name),
    );
    expect(rules.map((some) => some.filter((name) => !name.startsWith('mark.')).length)).toEqual([1, 1]);
    expect(rules.map((some) => some.filter((name) => name.startsWith('mark.')).length)).toEqual([2, 0]);
    for (const table of [1, 2]) await desk.publish({ type: 'x', table, data: table });
    await vi.waitFor(() => expect(all.flatMap(({ got }) => got)).toEqual([1]));
    const received = [...service.service.counts().billed].filter(([path]) => path.startsWith(`${topic}/`));
    expect(received.reduce((sum, [, kinds]) => sum + (kinds.get('receive') ?? 0), 0)).toBe(1);
  });
});

describe('what a group is billed', () => {
  it('is a delivery and a settlement for each event, and little to come and go', async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const spent = async (cast: { metered: Readonly<Record<string, number>> }, work: () => Promise<unknown>) => {
      const before = cast.metered.operations ?? 0;
      await work();
      return (cast.metered.operations ?? 0) - before;
    };
    const [c1, c2] = [await service.join(topic, 'cook/c1'), await service.join(topic, 'cook/c2')];
    let handled = 0;
    const listen = (cast: typeof c1) => cast.subscribe(() => void handled++, { group: 'g' });
    // Two subscriptions and a rule for the group, and one subscription for the instance.
    expect(await spent(c1, () => listen(c1))).toBe(4);
    // They are there; its mark, and that the rules are there, too.
    expect(await spent(c2, () => listen(c2))).toBe(6);
    const billed = service.service.counts().billedOperations;
    for (const to of ['*', 'role:cook', 'instance:c1'] as const) {
      for (const key of [{}, { partitionKey: 'k' }]) await desk.publish({ type: 'x' }, { to, ...key });
    }
    await vi.waitFor(() => {
      expect([handled, held(topic)]).toEqual([6, 0]);
      expect(service.service.counts().billedOperations - billed).toBeGreaterThanOrEqual(6 * 3);
    });
  });
});
