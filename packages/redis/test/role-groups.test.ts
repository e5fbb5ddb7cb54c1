import { type Address, type Broadcaster, connect, type Signal, type SubscribeOptions } from '@polycast/core';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { type RedisStreamsOptions, redisStreams } from '@polycast/redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { FakeSink, freshTopic, openLink, outgoing, request } from './link.ts';
import { wayTo } from './way.ts';

/*
 * A group belongs to a role, and reads what is for everyone and for that role. What is for one instance comes past it, through a plain
 * source that all groups of a broadcaster share.
 */
let server: RedisServer;
let admin: Redis;
const opened: Broadcaster[] = [];

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});
afterEach(() => closeAll());
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

/** A subscription that ends hands on all that was taken before: afterwards nothing more comes. */
async function closeAll(): Promise<void> {
  await Promise.all(opened.splice(0).map((one) => one.close()));
}

interface Options extends Pick<SubscribeOptions, 'bufferSize' | 'concurrency' | 'durable' | 'lockMs'> {
  readonly groups?: readonly string[];
  readonly port?: number;
  readonly pingIntervalMs?: number;
}

/** A broadcaster with subscriptions in these groups. `got` is what they were given, in all. */
async function member(
  topic: string,
  role: string,
  instance: string,
  { groups = ['g'], port = server.port, pingIntervalMs = 5_000, ...more }: Options = {},
) {
  const transport = redisStreams({ port, pingIntervalMs, claimIntervalMs: 50, batch: 'off' });
  const broadcaster = await connect({ transport, topic, self: { role, instance }, onSignal: () => {} });
  opened.push(broadcaster);
  const got: string[] = [];
  /** Gaps that each subscription heard of, but for those that core finds by the publishers' numbers. */
  const signals: Signal[][] = [];
  /** Ids that handlers hold until then. */
  const held = new Set<string>();
  let letGo = () => {};
  const freed = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  for (const group of groups) {
    const gaps: Signal[] = [];
    signals.push(gaps);
    const onSignal = (signal: Signal) => signal.kind === 'gap' && signal.reason === 'trimmed' && gaps.push(signal);
    const options = { ...more, group, onSignal };
    await broadcaster.subscribe(async ({ id }) => {
      got.push(id);
      if (held.has(id)) await freed;
    }, options);
  }
  return { broadcaster, got, signals, held, letGo };
}

const gap = { kind: 'gap', reason: 'trimmed' };
const keyOf = (topic: string, address = '*') => `polycast:{${topic}}:${address}`;
const groupsOf = async (topic: string, address = '*') =>
  ((await admin.xinfo('GROUPS', keyOf(topic, address)).catch(() => [])) as unknown[][]).map((flat) => flat[1]);

async function publisher(topic: string, options: RedisStreamsOptions = {}) {
  const transport = redisStreams({ port: server.port, ...options });
  const broadcaster = await connect({ transport, topic, self: { role: 'p' }, onSignal: () => {} });
  opened.push(broadcaster);
  return (id: string, options: { readonly to?: Address | Address[] } = {}) =>
    broadcaster.publish({ type: 'test', id }, options);
}

it('groups of one name in two roles are two groups: each gets what is for everyone, and for both roles, once', async () => {
  const topic = freshTopic();
  const [a1, a2] = [await member(topic, 'a', 'a1'), await member(topic, 'a', 'a2')];
  const [b1, b2] = [await member(topic, 'b', 'b1'), await member(topic, 'b', 'b2')];
  expect((await groupsOf(topic)).sort()).toEqual(['polycast:group:a/g', 'polycast:group:b/g']);
  expect(await groupsOf(topic, 'role:a')).toEqual(['polycast:group:a/g']);
  const publish = await publisher(topic);
  for (let at = 0; at < 20; at++) {
    await publish(`all-${at}`);
    await publish(`both-${at}`, { to: ['role:a', 'role:b'] });
    await publish(`a-${at}`, { to: 'role:a' });
  }
  await vi.waitFor(() => {
    expect(a1.got.length + a2.got.length).toBeGreaterThanOrEqual(60);
    expect(b1.got.length + b2.got.length).toBeGreaterThanOrEqual(40);
  });
  await closeAll();
  const ids = (...kinds: string[]) => kinds.flatMap((kind) => Array.from({ length: 20 }, (_, at) => `${kind}-${at}`));
  expect([...a1.got, ...a2.got].sort()).toEqual(ids('all', 'both', 'a').sort());
  expect([...b1.got, ...b2.got].sort()).toEqual(ids('all', 'both').sort());
  for (const address of ['*', 'role:a', 'role:b']) expect(await groupsOf(topic, address)).toEqual([]);
  expect(await admin.keys(keyOf(topic, '~*'))).toEqual([]);
});

it('what is for an instance reaches each of its groups, and no other member; for its role, too, no subscription twice', async () => {
  const topic = freshTopic();
  const one = await member(topic, 'a', 'one', { groups: ['g', 'h'] });
  const two = await member(topic, 'a', 'two');
  const publish = await publisher(topic);
  for (let at = 0; at < 20; at++) {
    await publish(`one-${at}`, { to: 'instance:one' });
    await publish(`role-${at}`, { to: ['role:a', 'instance:one'] });
  }
  await vi.waitFor(() => expect(one.got).toHaveLength(80));
  await closeAll();
  const times = (id: string) => one.got.filter((got) => got === id).length;
  for (let at = 0; at < 20; at++) expect([times(`one-${at}`), times(`role-${at}`)]).toEqual([2, 2]);
  // The group's copy goes to whichever member is free.
  expect(two.got.every((id) => id.startsWith('role-'))).toBe(true);
  expect(new Set(two.got).size).toBe(two.got.length);
  expect(await groupsOf(topic, 'instance:one')).toEqual([]);
});

it.each(['*', 'role:a'] as const)(
  'what a member held when it was cut off, another one gets: %s. What was for it alone goes with it, and leaves no group',
  async (address) => {
    const topic = freshTopic();
    const way = await wayTo(server.port);
    const one = await member(topic, 'a', 'one', { port: way.port, lockMs: 1_000, concurrency: 2 });
    for (const id of ['held', 'own']) one.held.add(id);
    const publish = await publisher(topic);
    await publish('held', address === '*' ? {} : { to: address });
    await publish('own', { to: 'instance:one' });
    await vi.waitFor(() => expect(one.got.sort()).toEqual(['held', 'own']));
    way.close();
    // A minute later it counts as dead.
    const members = keyOf(topic, '~members');
    for (const name of await admin.zrange(members, '0', '-1')) await admin.zadd(members, 1, name);
    const two = await member(topic, 'a', 'two', { lockMs: 1_000 });
    await vi.waitFor(() => expect(two.got).toEqual(['held']), { timeout: 5_000 });
    const streams = ['*', 'role:a', 'instance:one', 'instance:two', 'role:~control'];
    const found = await Promise.all(streams.map((stream) => groupsOf(topic, stream)));
    expect(found).toEqual([['polycast:group:a/g'], ['polycast:group:a/g'], [], [], []]);
    await two.broadcaster.close();
    expect(two.got).toEqual(['held']);
    expect(await admin.pttl(keyOf(topic, 'instance:one'))).toBeGreaterThan(0);
    expect(await admin.exists(keyOf(topic, 'instance:two'))).toBe(0);
    one.letGo();
  },
);

it('a durable group keeps what is for everyone and for its role while all are away, not what is for an instance', async () => {
  const topic = freshTopic();
  const publish = await publisher(topic);
  const before = await member(topic, 'a', 'one', { durable: true });
  await publish('1', { to: 'instance:one' });
  await vi.waitFor(() => expect(before.got).toEqual(['1']));
  await before.broadcaster.close();
  await publish('2', { to: 'instance:one' });
  await publish('3');
  await publish('4', { to: ['role:a', 'instance:one'] });
  const after = await member(topic, 'a', 'one', { durable: true });
  await vi.waitFor(() => expect(after.got).toHaveLength(2));
  await publish('5', { to: 'instance:one' });
  await vi.waitFor(() => expect(after.got.slice(2)).toEqual(['5']));
  await closeAll();
  expect(after.got.slice(0, 2).sort()).toEqual(['3', '4']);
});

it('of the addresses of an event a durable subscription takes the first, by itself and in a batch', async () => {
  const topic = freshTopic();
  const { link } = await openLink(redisStreams({ url: server.url }), topic, 'one', 'a');
  const sink = new FakeSink();
  const source = await link.subscribe(request({ durable: 'd' }, { role: 'a' }), sink);
  const batch = [
    outgoing(topic, '1', ['instance:one', 'role:a']),
    outgoing(topic, '2', ['role:a']),
    outgoing(topic, '3', ['role:a', 'instance:one']),
    outgoing(topic, '4', ['instance:one']),
  ];
  await link.publish(batch);
  await link.publish([outgoing(topic, '5', ['instance:one', 'role:a'])]);
  await vi.waitFor(() => expect(sink.ids.sort()).toEqual(['1', '2', '3', '4', '5']));
  await source.caughtUp?.();
  const positions = new Map(sink.delivered.map(({ event, lease }) => [event.id, lease?.position]));
  // Its place among all that travelled together.
  expect(['1', '2', '3', '4', '5'].map((id) => positions.get(id)?.replace(/^\d+-\d+/, ''))).toEqual([
    '.0@role:a',
    '.1@role:a',
    '.2@role:a',
    '.2@instance:one',
    '@role:a',
  ]);
  for (const { lease } of sink.delivered) lease?.settle({ kind: 'accept' });
  const streams = ['role:a', 'instance:one'].map((address) => keyOf(topic, address));
  await vi.waitFor(async () => {
    const left = await Promise.all(streams.map((key) => admin.xpending(key, 'polycast:instance:one:d')));
    expect(left.map(([count]) => count)).toEqual([0, 0]);
  });
  // One entry for each burst and address.
  expect(await Promise.all(streams.map((key) => admin.xlen(key)))).toEqual([2, 2]);
  await source.close();
  await link.close();
});

it('a dead letter, which says to whom it once was sent, is for everyone', async () => {
  const topic = freshTopic();
  const { link } = await openLink(redisStreams({ url: server.url }), topic, 'one', 'a');
  const sink = new FakeSink();
  const source = await link.subscribe(request({ durable: 'd' }, { role: 'a' }), sink);
  await link.publish([{ ...outgoing(topic, '1', ['role:a', 'role:b']), to: ['*' as const] }]);
  await vi.waitFor(() => expect(sink.ids).toEqual(['1']));
  sink.delivered[0]?.lease?.settle({ kind: 'accept' });
  await source.close();
  await link.close();
});

describe('what may be lost of what is for the instance is signalled to its groups', () => {
  it.each(['trimmed', 'removed'] as const)('%s before it was read', async (how) => {
    const topic = freshTopic();
    const publish = await publisher(topic);
    const one = await member(topic, 'a', 'one', { groups: ['g', 'h'], bufferSize: 1 });
    one.held.add('first');
    const mine = { to: 'instance:one' as const };
    await publish('first', mine);
    await vi.waitFor(() => expect(one.got).toEqual(['first', 'first']));
    // No more is read than fits.
    for (let at = 0; at < 10; at++) await publish(`more-${at}`, mine);
    if (how === 'trimmed') await admin.xtrim(keyOf(topic, 'instance:one'), 'MAXLEN', 1);
    else await admin.del(keyOf(topic, 'instance:one'));
    one.letGo();
    await vi.waitFor(() => expect(one.signals.map((gaps) => gaps.length)).toEqual([1, 1]), { timeout: 5_000 });
    expect(one.signals.flat()).toEqual([gap, gap]);
    await publish('last', mine);
    await vi.waitFor(() => expect(one.got.filter((id) => id === 'last')).toHaveLength(2), { timeout: 5_000 });
    await closeAll();
    expect(new Set(one.got).size * 2).toBe(one.got.length);
  });
});

it('a group, and what is for its instance, go on with the server that took over', async () => {
  const topic = freshTopic();
  const spare = await startRedis();
  try {
    const one = await member(topic, 'a', 'one', { pingIntervalMs: 50 });
    const publish = await publisher(topic, { pingIntervalMs: 50 });
    await publish('before', { to: ['role:a', 'instance:one'] });
    await vi.waitFor(() => expect(one.got).toEqual(['before']));
    // It becomes the replica of an empty one, and is promoted.
    await admin.call('REPLICAOF', '127.0.0.1', String(spare.port));
    await vi.waitFor(async () => expect(await admin.info('replication')).toContain('master_link_status:up'), {
      timeout: 10_000,
    });
    await admin.call('REPLICAOF', 'NO', 'ONE');
    await vi.waitFor(() => publish('after', { to: ['role:a', 'instance:one'] }), { timeout: 10_000 });
    await publish('mine', { to: 'instance:one' });
    await publish('all');
    await vi.waitFor(() => expect([...one.got].sort()).toEqual(['after', 'all', 'before', 'mine']), {
      timeout: 10_000,
    });
    expect(one.signals[0]).toContainEqual(gap);
    expect(await groupsOf(topic)).toEqual(['polycast:group:a/g']);
    expect(await groupsOf(topic, 'instance:one')).toEqual([]);
    await closeAll();
    expect(one.got).toHaveLength(4);
  } finally {
    await spare.stop();
  }
});
