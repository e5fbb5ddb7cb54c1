import { setTimeout as pass } from 'node:timers/promises';
import type { Lease, Source } from '@polycast/core/adapter';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { type RedisStreamsOptions, redisStreams } from '@polycast/redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { FakeSink, freshTopic, type OpenLink, openLink, outgoing, request } from './link.ts';

let server: RedisServer;
let admin: Redis;
const opened: OpenLink[] = [];
const sources: Source[] = [];

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(sources.splice(0).map((source) => source.close()));
  await Promise.all(opened.splice(0).map(({ link }) => link.close()));
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

async function open(options: RedisStreamsOptions = {}, topic = freshTopic()): Promise<OpenLink> {
  const one = await openLink(redisStreams({ url: server.url, ...options }), topic);
  opened.push(one);
  return one;
}

async function listen(to: OpenLink, more: Parameters<typeof request>[0] = {}, sink = new FakeSink()) {
  const source = await to.link.subscribe(request(more), sink);
  sources.push(source);
  return { source, sink };
}

const keyOf = ({ topic }: OpenLink, address = '*') => `polycast:{${topic}}:${address}`;
const ageOf = (lease: Lease | undefined) => (lease as { readonly ageMs?: number } | undefined)?.ageMs;
const gapsOf = ({ signals }: OpenLink) => signals.filter(({ kind }) => kind === 'gap');

/** The reader has looked at least `times` more at what became of its streams. */
async function looked(times: number): Promise<void> {
  const count = async () => Number(/cmdstat_xread:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);
  const before = await count();
  await vi.waitFor(async () => expect(await count()).toBeGreaterThan(before + times), { timeout: 5_000 });
}

describe('a stream that is gone', () => {
  it.each([
    ['DEL', (one: OpenLink) => admin.del(keyOf(one))],
    ['FLUSHALL', () => admin.flushall()],
  ])('by %s with events that were not read is signalled, though nobody publishes any more', async (_, remove) => {
    const one = await open();
    const sink = new FakeSink();
    await listen(one, { pollTimeoutMs: 20 }, sink);
    await one.link.publish([outgoing(one.topic, '1')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1']));
    sink.capacity = 0;
    // The read under way brings one more; then it waits until there is room.
    await one.link.publish([outgoing(one.topic, '2')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2']));
    await one.link.publish([outgoing(one.topic, 'lost')]);
    await remove(one);
    sink.setCapacity(10);
    await vi.waitFor(() => expect(gapsOf(one)).toEqual([{ kind: 'gap', reason: 'trimmed' }]));
    await one.link.publish([outgoing(one.topic, '3')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2', '3']));
    expect(gapsOf(one)).toHaveLength(1);
  });

  it('is signalled when the server came back without it, though nobody publishes any more', async () => {
    const own = await startRedis();
    const one = await open({ url: own.url });
    const { sink } = await listen(one);
    await one.link.publish([outgoing(one.topic, '1')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1']));
    await own.restart();
    await vi.waitFor(() => expect(gapsOf(one)).toHaveLength(1), { timeout: 10_000 });
    await sources.splice(0).at(-1)?.close();
    await one.link.close();
    await own.stop();
  });

  it('is signalled where an event came and went between two reads', async () => {
    const one = await open();
    const { sink } = await listen(one);
    await one.link.publish([outgoing(one.topic, '1')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1']));
    const json = outgoing(one.topic, 'lost').encoded.json;
    await admin.multi().xadd(keyOf(one), '*', 'event', json).del(keyOf(one)).exec();
    await one.link.publish([outgoing(one.topic, '2')]);
    await vi.waitFor(() => expect(gapsOf(one)).toEqual([{ kind: 'gap', reason: 'trimmed' }]), { timeout: 5_000 });
    expect(sink.ids).toEqual(['1', '2']);
    await pass(1_500);
    expect(gapsOf(one)).toHaveLength(1);
  });

  it('with nothing unread is not: deleted, or expired while idle', async () => {
    const one = await open({ maxAgeMs: 1_000 });
    const { sink } = await listen(one, { pollTimeoutMs: 20 });
    await one.link.publish([outgoing(one.topic, '1')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1']));
    await looked(3);
    await admin.del(keyOf(one));
    await looked(3);
    await one.link.publish([outgoing(one.topic, '2')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2']));
    await looked(3);
    await admin.pexpire(keyOf(one), 10);
    await looked(3);
    await one.link.publish([outgoing(one.topic, '3')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2', '3']));
    await looked(3);
    expect(gapsOf(one)).toEqual([]);
  });

  it('is another one when it was made again, however much it holds', async () => {
    const one = await open();
    const sink = new FakeSink();
    await listen(one, { pollTimeoutMs: 20 }, sink);
    await one.link.publish([outgoing(one.topic, '1')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1']));
    sink.onDeliver = () => {
      sink.capacity = 0;
      sink.onDeliver = undefined;
    };
    await one.link.publish([outgoing(one.topic, '2')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2']));
    await one.link.publish([outgoing(one.topic, 'lost')]);
    await admin.del(keyOf(one));
    // Ids count milliseconds: made again within the one of what was read last, its first entries would look read.
    await pass(2);
    for (const id of ['3', '4', '5', '6']) await one.link.publish([outgoing(one.topic, id)]);
    sink.setCapacity(10);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2', '3', '4', '5', '6']));
    expect(gapsOf(one)).toHaveLength(1);
  });

  it('is another one when it was made again within the millisecond of what was read last', async () => {
    const one = await open();
    const add = (id: string, event: string) =>
      [keyOf(one), id, 'event', outgoing(one.topic, event).encoded.json] as const;
    await admin.xadd(...add('1000-0', '1'));
    const { sink } = await listen(one, { pollTimeoutMs: 20, startFrom: 'earliest' });
    await vi.waitFor(() => expect(sink.ids).toEqual(['1']));
    await admin.xadd(...add('2000-5', '2'));
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2']));
    const again = admin.multi().del(keyOf(one));
    for (const [at, event] of ['lost', 'lost', '3'].entries()) again.xadd(...add(`2000-${at * 4}`, event));
    await again.exec();
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2', '3']));
    await vi.waitFor(() => expect(gapsOf(one)).toHaveLength(1));
    await looked(3);
    expect(gapsOf(one)).toHaveLength(1);
  });
});

it('what was trimmed before a reader that stood still came to it is signalled', async () => {
  const one = await open();
  const { sink } = await listen(one);
  await one.link.publish([outgoing(one.topic, '1')]);
  await vi.waitFor(() => expect(sink.ids).toEqual(['1']));
  // All within one command of the server, so that the read under way cannot come in between.
  await admin.multi().xadd(keyOf(one), '*', 'event', 'x').xtrim(keyOf(one), 'MAXLEN', 0).exec();
  await one.link.publish([outgoing(one.topic, '2')]);
  await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2']));
  await vi.waitFor(() => expect(gapsOf(one)).toEqual([{ kind: 'gap', reason: 'trimmed' }]), { timeout: 5_000 });
  await one.link.publish([outgoing(one.topic, '3')]);
  await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2', '3']));
  await pass(1_100);
  expect(gapsOf(one)).toHaveLength(1);
});

it('a cut while nothing was missed signals no gap', async () => {
  const one = await open();
  const { sink } = await listen(one);
  for (const id of ['1', '2', '3']) {
    await one.link.publish([outgoing(one.topic, id)]);
    await vi.waitFor(() => expect(sink.ids).toContain(id));
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await vi.waitFor(() => expect(one.signals.filter(({ kind }) => kind === 'reconnected')).toHaveLength(Number(id)), {
      timeout: 5_000,
    });
  }
  expect(sink.ids).toEqual(['1', '2', '3']);
  expect(gapsOf(one)).toEqual([]);
});

describe('the age of an event', () => {
  it('is reckoned by the server, whatever the clock here says', async () => {
    const one = await open();
    await one.link.publish([outgoing(one.topic, '1'), outgoing(one.topic, '2')]);
    const [id] = (await admin.xrange(keyOf(one), '-', '+'))[0] ?? [''];
    const serverMs = async () => Number((await admin.time())[0]) * 1_000 + Number((await admin.time())[1]) / 1_000;
    await vi.waitFor(async () => expect((await serverMs()) - Number.parseInt(id, 10)).toBeGreaterThan(60));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
    const late = await open({}, one.topic);
    const { sink } = await listen(late, { startFrom: 'earliest' });
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2']));
    const ages = sink.delivered.map(({ lease }) => ageOf(lease) ?? -1);
    for (const age of ages) expect(age).toBeGreaterThan(50);
    for (const age of ages) expect(age).toBeLessThan(60_000);
  });

  it('is unknown to a user who may not ask for the time', async () => {
    await admin.acl('SETUSER', 'u', 'on', '>pw', '~*', '&*', '+@all', '-time');
    const one = await open({ url: server.url.replace('//', '//u:pw@') });
    const { sink } = await listen(one);
    await one.link.publish([outgoing(one.topic, '1')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1']));
    expect(ageOf(sink.delivered[0]?.lease)).toBeUndefined();
  });

  it.each(['', '-time'])('decides what is too old to be kept, not the clock of who publishes (%s)', async (rule) => {
    await admin.acl('SETUSER', 'v', 'reset', 'on', '>pw', '~*', '&*', '+@all', ...(rule === '' ? [] : [rule]));
    const url = server.url.replace('//', '//v:pw@');
    const first = await open({ maxAgeMs: 60_000 });
    // Trimming leaves a whole node of a hundred entries, or nothing.
    const ids = Array.from({ length: 250 }, (_, at) => String(at));
    await Promise.all(ids.map((id) => first.link.publish([outgoing(first.topic, id)])));
    const trims = async () => Number(/cmdstat_xtrim:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);
    const before = await trims();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
    const fast = await open({ url, maxAgeMs: 60_000 }, first.topic);
    await fast.link.publish([outgoing(fast.topic, 'last')]);
    await vi.waitFor(async () => expect(await trims()).toBeGreaterThan(before));
    const { sink } = await listen(first, { startFrom: 'earliest' });
    await vi.waitFor(() => expect(sink.ids).toContain('last'));
    expect(sink.ids).toEqual([...ids, 'last']);
  });
});
