import { afterEach, expect, test, vi } from 'vitest';
import { type Broadcaster, connect, type Delivery, type SubscribeOptions } from '../src/index.ts';
import { BroadcastEvent, LoopTransport, leaseOf } from './loop-transport.ts';

/** What is for an instance alone reaches the members of groups beside the group. */

const openOnes: Broadcaster[] = [];

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

async function open(levels: ConstructorParameters<typeof LoopTransport>[0] = {}) {
  const transport = new LoopTransport({ settlement: 'native', groups: 'native', ...levels });
  const me = await connect({ transport, topic: 't', self: { role: 'r', instance: 'me' } });
  openOnes.push(me);
  const sinkOf = (isWanted: (addresses: readonly string[]) => boolean) =>
    transport.sinks.find(({ request }) => isWanted(request.addresses))!.sink;
  return {
    transport,
    me,
    listen: async (options: SubscribeOptions, handler?: (delivery: Delivery) => unknown) => {
      const got: unknown[] = [];
      const subscription = await me.subscribe(
        (event, delivery) => {
          got.push([event.data, delivery.attempt]);
          return handler?.(delivery);
        },
        { retry: { baseMs: 1 }, ...options } as SubscribeOptions,
      );
      return { got, subscription };
    },
    group: () => sinkOf((addresses) => addresses.includes('*')),
    direct: () => sinkOf((addresses) => addresses.includes('instance:me')),
  };
}

let nextId = 0;
const event = (data: unknown, to?: string) =>
  new BroadcastEvent({
    type: 'told',
    source: '/r/other',
    id: `other-${nextId++}`,
    data,
    ...(to === undefined ? {} : { attributes: { to } }),
  });
const toMe = (data: unknown) => event(data, 'instance:me');
const toBoth = (data: unknown) => event(data, 'role:r,instance:me');
const fail = () => {
  throw new Error('not yet');
};

test('a group is named with its role, and all groups share one source for what is for the instance', async () => {
  const { transport, listen } = await open();
  for (const group of ['a', 'b', 'a']) await listen({ group });
  expect(transport.sinks.map(({ request: { group, addresses } }) => [group, addresses])).toEqual([
    ['r/a', ['*', 'role:r']],
    [undefined, ['role:~control', 'instance:me']],
    ['r/b', ['*', 'role:r']],
    ['r/a', ['*', 'role:r']],
  ]);
});

test('it is closed with the last group, and not before', async () => {
  const { transport, listen } = await open({ members: 'none' });
  const [one, other] = [await listen({ group: 'a' }), await listen({ group: 'b' })];
  await one.subscription.close();
  expect(transport.sinks).toHaveLength(2);
  await other.subscription.close();
  expect(transport.sinks).toEqual([]);
  const again = await listen({ group: 'a' });
  expect(transport.sinks).toHaveLength(2);
  await again.subscription.close();
});

test.each(['native', 'emulated'] as const)('each group of the instance gets it: settlement %s', async (settlement) => {
  const { listen, direct } = await open({ settlement });
  const [one, other] = [await listen({ group: 'a' }), await listen({ group: 'b' })];
  const lease = leaseOf();
  direct().deliver(toMe(1), settlement === 'native' ? lease : undefined);
  expect([one.got, other.got]).toEqual([[[1, 1]], [[1, 1]]]);
  expect(lease.settled).toEqual(settlement === 'native' ? ['accept'] : []);
});

test('the service hears once, when the last has handled it, and the lock is renewed until then', async () => {
  const { listen, direct } = await open();
  let finish = () => {};
  await listen({ group: 'a' });
  await listen({ group: 'b', lockMs: 30 }, () => new Promise<void>((resolve) => (finish = resolve)));
  const lease = leaseOf();
  direct().deliver(toMe(1), lease);
  await vi.waitFor(() => expect(lease.renewals).toBeGreaterThan(0));
  expect(lease.settled).toEqual([]);
  finish();
  await vi.waitFor(() => expect(lease.settled).toEqual(['accept']));
});

test('one that fails is tried again here, and the others are not', async () => {
  const { listen, direct } = await open();
  const one = await listen({ group: 'a' });
  const other = await listen({ group: 'b' }, ({ attempt }) => (attempt < 3 ? fail() : undefined));
  const lease = leaseOf();
  direct().deliver(toMe(1), lease);
  await vi.waitFor(() => expect(lease.settled).toEqual(['accept']));
  expect([one.got, other.got]).toEqual([
    [[1, 1]],
    [
      [1, 1],
      [1, 2],
      [1, 3],
    ],
  ]);
});

test('one that closes gives it back: what comes again is for nobody who has handled it, or joined later', async () => {
  const { listen, direct } = await open();
  const done = await listen({ group: 'a' });
  const busy = await listen({ group: 'b' }, ({ attempt }) => (attempt === 1 ? new Promise(() => {}) : undefined));
  const leaves = await listen({ group: 'c' }, () => new Promise(() => {}));
  const [first, second] = [leaseOf(), leaseOf(2)];
  const told = toMe(1);
  direct().deliver(told, first);
  await leaves.subscription.close({ drainMs: 0 });
  await busy.subscription.close({ drainMs: 0 });
  expect(first.settled).toEqual(['release']);
  const late = await listen({ group: 'b' });
  direct().deliver(told, second);
  expect([done.got.length, late.got.length, second.settled]).toEqual([1, 0, ['accept']]);
});

test('one that gives it up alone leaves it to the service; beside others it is published to the dead-letter topic', async () => {
  const { transport, listen, direct } = await open({ deadLetter: 'native' });
  await listen({ group: 'b', retry: { maxAttempts: 1 } }, fail);
  const lease = leaseOf();
  direct().deliver(toMe(1), lease);
  await vi.waitFor(() => expect(lease.settled).toEqual(['dead-letter']));
  await listen({ group: 'a' });
  const shared = leaseOf();
  direct().deliver(toMe(2), shared);
  await vi.waitFor(() => expect(shared.settled).toEqual(['accept']));
  expect(transport.sent.flat().map(({ topic, event: { data } }) => [topic, data])).toContainEqual(['t.dead-letter', 2]);
});

test('a filter counts for what is for the instance, too', async () => {
  const { listen, direct } = await open();
  const { got } = await listen({ group: 'a', filter: "type = 'another'" });
  const lease = leaseOf();
  direct().deliver(toMe(1), lease);
  expect([got, lease.settled]).toEqual([[], ['accept']]);
});

test.each([
  ['the group', 'group', 'direct'],
  ['the instance', 'direct', 'group'],
] as const)('an event for both is handled once: %s has it first', async (_, first, second) => {
  for (const settlement of ['native', 'emulated'] as const) {
    const at = await open({ settlement });
    const { got } = await at.listen({ group: 'a' });
    const told = toBoth(1);
    const leases = { group: leaseOf(), direct: settlement === 'native' ? leaseOf() : undefined };
    at[first]().deliver(told, leases[first]);
    at[second]().deliver(told, leases[second]);
    expect(got).toEqual([[1, 1]]);
    expect([leases.group.settled, leases.direct?.settled]).toEqual([['accept'], leases.direct && ['accept']]);
  }
});

test.each([
  ['group', 'direct'],
  ['direct', 'group'],
] as const)('and the second joins the first that is at work: %s before %s', async (first, second) => {
  for (const hasLease of [true, false]) {
    const at = await open();
    let finish = () => {};
    const { got } = await at.listen({ group: 'a' }, ({ attempt }) =>
      attempt === 1 ? fail() : new Promise<void>((resolve) => (finish = resolve)),
    );
    const told = toBoth(1);
    const leases = { group: leaseOf(), direct: hasLease ? leaseOf() : undefined };
    let isFirst = true;
    const blocker = await at.listen({ group: 'b' });
    await blocker.subscription.close();
    at[first]().deliver(told, leases[first]);
    if (isFirst) at[second]().deliver(told, leases[second]);
    isFirst = false;
    // What fails is tried again here, since no other member stands for this instance.
    await vi.waitFor(() => expect(got.at(-1)).toEqual([1, 2]));
    finish();
    await vi.waitFor(() => expect(leases.group.settled.at(-1)).toBe('accept'));
    if (leases.direct) await vi.waitFor(() => expect(leases.direct?.settled).toEqual(['accept']));
  }
});

test('the group loses its lock to another member: the instance handles it all the same', async () => {
  const { listen, direct, group } = await open();
  let finish = () => {};
  const { got } = await listen({ group: 'a', lockMs: 30 }, (delivery) => {
    expect(delivery.abortSignal.aborted).toBe(false);
    return delivery.attempt === 1
      ? new Promise<void>((_, reject) => (finish = () => reject(new Error('not yet'))))
      : undefined;
  });
  const lost = { ...leaseOf(), renew: vi.fn().mockRejectedValue(lockLost()) };
  const told = toBoth(1);
  group().deliver(told, lost);
  const own = leaseOf();
  direct().deliver(told, own);
  await vi.waitFor(() => expect(lost.renew).toHaveBeenCalled());
  await vi.waitFor(() => expect(own.renewals).toBeGreaterThan(0));
  finish();
  await vi.waitFor(() => expect(own.settled).toEqual(['accept']));
  expect(got).toEqual([
    [1, 1],
    [1, 2],
  ]);
});

test('a member that closes gives both back', async () => {
  const { listen, direct, group } = await open();
  const { subscription } = await listen({ group: 'a' }, () => new Promise(() => {}));
  const [one, other] = [leaseOf(), leaseOf()];
  const told = toBoth(1);
  group().deliver(told, one);
  direct().deliver(told, other);
  await subscription.close({ drainMs: 0 });
  await vi.waitFor(() => expect([one.settled, other.settled]).toEqual([['release'], ['release']]));
});

test('a source for the instance that cannot be opened fails the subscription, and is tried again with the next', async () => {
  const { transport, listen } = await open({ members: 'none' });
  transport.onSubscribe = ({ group }) => {
    if (group === undefined) throw new Error('not now');
  };
  await expect(listen({ group: 'a' })).rejects.toThrow('not now');
  expect(transport.sinks).toEqual([]);
  transport.onSubscribe = () => {};
  await listen({ group: 'a' });
  expect(transport.sinks).toHaveLength(2);
});

test('where no instance can be addressed there is no such source', async () => {
  const { transport, listen } = await open({ instance: 'none', members: 'none' });
  await listen({ group: 'a' });
  expect(transport.sinks).toHaveLength(1);
});

test('an event that was set aside may be published again to the instance', async () => {
  const { listen, direct, group } = await open();
  let isWell = false;
  const { got } = await listen({ group: 'a', retry: { maxAttempts: 1 } }, () => (isWell ? undefined : fail()));
  const [one, other] = [toMe(1), event(2, 'role:r')];
  direct().deliver(one, leaseOf());
  group().deliver(other, leaseOf());
  await vi.waitFor(() => expect(got).toHaveLength(2));
  isWell = true;
  await vi.waitFor(() => {
    direct().deliver(one, leaseOf());
    group().deliver(other, leaseOf());
    expect(got.length).toBeGreaterThanOrEqual(4);
  });
  direct().deliver(one, leaseOf());
  expect(got).toHaveLength(4);
});

test('a source for the instance stays open while a member that closes still holds an event of it', async () => {
  const { transport, listen, direct } = await open({ members: 'none' });
  const { subscription: quick } = await listen({ group: 'a' });
  const { subscription: slow } = await listen({ group: 'b' }, () => new Promise(() => {}));
  const lease = leaseOf();
  const settledWhileOpen: boolean[] = [];
  direct().deliver(toMe(1), {
    ...lease,
    settle: (settlement) => {
      settledWhileOpen.push(transport.sinks.some(({ request }) => request.addresses.includes('instance:me')));
      return lease.settle(settlement);
    },
  });
  await Promise.all([slow.close({ drainMs: 50 }), quick.close()]);
  expect([lease.settled, settledWhileOpen]).toEqual([['release'], [true]]);
  expect(transport.sinks).toEqual([]);
});

test('the source for the instance brings no more than the smallest buffer takes, also while its member is paused', async () => {
  const { listen, direct } = await open();
  const { subscription } = await listen({ group: 'a', bufferSize: 2 });
  await listen({ group: 'b', bufferSize: 5 });
  expect(direct().capacity).toBe(2);
  subscription.pause();
  expect(direct().capacity).toBe(2);
  direct().deliver(toMe(1), leaseOf());
  expect(direct().capacity).toBe(1);
  direct().deliver(toMe(2), leaseOf());
  expect(direct().capacity).toBe(0);
  subscription.resume();
  expect(direct().capacity).toBe(2);
});

test('what the service refuses to set aside is asked of it again', async () => {
  const { listen, direct } = await open({ deadLetter: 'native' });
  await listen({ group: 'a', retry: { maxAttempts: 1, baseMs: 1 } }, fail);
  const settle = vi.fn().mockRejectedValueOnce(new Error('not now')).mockResolvedValue(undefined);
  direct().deliver(toMe(1), { ...leaseOf(), settle });
  await vi.waitFor(() => expect(settle.mock.calls.map(([{ kind }]) => kind)).toEqual(['dead-letter', 'dead-letter']));
});

const numbered = (data: unknown, sequence: string) =>
  new BroadcastEvent({
    type: 'told',
    source: '/r/other',
    id: 'numbered',
    sequence,
    data,
    attributes: { to: 'role:r,instance:me' },
  });

test.each([
  ['group', 'direct'],
  ['direct', 'group'],
] as const)(
  'what was set aside is not handled again as it comes by its other way: %s before %s',
  async (first, second) => {
    const at = await open();
    const { got } = await at.listen({ group: 'a', retry: { maxAttempts: 1 } }, fail);
    const leases = [leaseOf(), leaseOf(), leaseOf()] as const;
    at[first]().deliver(numbered(1, 'epoch.11'), leases[0]);
    await vi.waitFor(() => expect(leases[0].settled).toEqual(['accept']));
    at[second]().deliver(numbered(1, 'epoch.11'), leases[1]);
    expect([got.length, leases[1].settled]).toEqual([1, ['accept']]);
    // Published again it is news.
    at[second]().deliver(numbered(1, 'epoch.12'), leases[2]);
    expect(got).toHaveLength(2);
  },
);

test('what was accepted past the group is a duplicate when it is published again through the group', async () => {
  const { listen, direct, group } = await open();
  const { got } = await listen({ group: 'a' });
  const told = toBoth(1);
  direct().deliver(told, leaseOf());
  group().deliver(told, leaseOf());
  const again = leaseOf();
  group().deliver(new BroadcastEvent({ type: 'told', source: told.source, id: told.id, data: 1 }), again);
  expect([got.length, again.settled]).toEqual([1, ['accept']]);
});

test('what one gave up and another gave back untried comes again to the other', async () => {
  const { listen, direct } = await open();
  await listen({ group: 'a', retry: { maxAttempts: 1 } }, fail);
  const { got, subscription } = await listen({ group: 'b' });
  subscription.pause();
  const [first, second] = [leaseOf(), leaseOf()];
  const told = toMe(1);
  direct().deliver(told, first);
  // The source keeps an order, and something before it comes again.
  direct().recall?.(new Set([first]));
  await vi.waitFor(() => expect(first.settled).toEqual(['release']));
  subscription.resume();
  direct().deliver(told, second);
  await vi.waitFor(() => expect(got).toEqual([[1, 1]]));
});

test('a copy without a lease that goes with its member is signalled, though the group has its own again', async () => {
  const { me, listen, direct, group } = await open({ settlement: 'emulated' });
  const signals: string[] = [];
  me.onSignal((signal) => signals.push(signal.kind));
  const { subscription } = await listen({ group: 'a' }, () => new Promise(() => {}));
  const lease = leaseOf();
  const told = toBoth(1);
  group().deliver(event('holds it up'), leaseOf());
  direct().deliver(told);
  group().deliver(told, lease);
  await subscription.close({ drainMs: 0 });
  expect([lease.settled, signals, me.dropped.overflow]).toEqual([['release'], ['gap'], 1]);
});

function lockLost(): Error {
  return Object.assign(new Error('another has it'), { name: 'PolycastError', code: 'lock-lost' });
}
