import type { Address, Lease, Source } from '@polycast/core/adapter';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { redisStreams } from '@polycast/redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
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
  await Promise.all(sources.splice(0).map((source) => source.close()));
  await Promise.all(opened.splice(0).map(({ link }) => link.close()));
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

/** A member of group g. */
async function member(topic: string, role: string, instance: string, lockMs = 300_000) {
  const opening = await openLink(redisStreams({ url: server.url, claimIntervalMs: 50 }), topic, instance, role);
  opened.push(opening);
  const sink = new FakeSink();
  const addresses: Address[] = ['*', `role:${role}`, `instance:${instance}`];
  const source = await opening.link.subscribe(request({ group: 'g', addresses, lockMs }), sink);
  sources.push(source);
  return { ...opening, sink, source };
}

type Member = Awaited<ReturnType<typeof member>>;

const BOTH: readonly Address[] = ['role:a', 'role:b'];
const accept = (lease: Lease | undefined) => lease?.settle({ kind: 'accept' });
/** Kinds of keys that contests keep. */
const keysOf = async (topic: string) =>
  (await admin.keys(`polycast:{${topic}}:~*`))
    .map((key) => key.split(':')[2])
    .filter((kind) => kind !== '~members' && kind !== '~groups');

async function pending(topic: string, addresses = BOTH): Promise<number> {
  const counts = await Promise.all(
    addresses.map((address) => admin.xpending(`polycast:{${topic}}:${address}`, 'polycast:group:g')),
  );
  return counts.reduce((sum, [count]) => sum + Number(count), 0);
}

/** Publishes to both roles. @returns who got it, and who did not */
async function contest(one: Member, two: Member, id: string): Promise<{ won: Member; lost: Member }> {
  await one.link.publish([outgoing(one.topic, id, BOTH)]);
  const has = ({ sink }: Member) => sink.ids.includes(id);
  await vi.waitFor(() => expect([one, two].some(has)).toBe(true));
  return has(one) ? { won: one, lost: two } : { won: two, lost: one };
}

it('an event for two roles goes to one member; once accepted, nothing is pending and little is kept', async () => {
  const topic = freshTopic();
  const one = await member(topic, 'a', 'one');
  const two = await member(topic, 'b', 'two');
  const { won, lost } = await contest(one, two, '1');
  await vi.waitFor(async () => expect(await pending(topic)).toBe(2));
  expect(await keysOf(topic)).toEqual(['~turn']);
  accept(won.sink.delivered[0]?.lease);
  await vi.waitFor(async () => expect(await pending(topic)).toBe(0));
  expect(await keysOf(topic)).toEqual(['~done']);
  expect(lost.sink.ids).toEqual([]);
  // Published again by mistake: the group has had it.
  await one.link.publish([outgoing(topic, '1', BOTH), outgoing(topic, '2', ['role:a'])]);
  await vi.waitFor(() => expect(one.sink.ids.at(-1)).toBe('2'));
  accept(one.sink.delivered.at(-1)?.lease);
  await vi.waitFor(async () => expect(await pending(topic)).toBe(0));
  await one.source.close();
  await two.source.close();
  expect(await keysOf(topic)).toEqual([]);
});

it('when the lock of the one runs out the other gets it, as its first attempt', async () => {
  const topic = freshTopic();
  const one = await member(topic, 'a', 'one', 400);
  const two = await member(topic, 'b', 'two', 400);
  const { won, lost } = await contest(one, two, '1');
  const { lease } = won.sink.delivered[0] as { lease: Lease };
  // Renewed for longer than several locks: the other looks at it again and again, and does not get it.
  const startedAtMs = performance.now();
  await vi.waitUntil(
    async () => {
      await lease.renew?.();
      return performance.now() - startedAtMs > 1_300;
    },
    { interval: 50, timeout: 5_000 },
  );
  expect(lost.sink.ids).toEqual([]);
  won.sink.capacity = 0;
  await vi.waitFor(() => expect(lost.sink.ids).toEqual(['1']), { timeout: 5_000 });
  expect(lost.sink.delivered[0]?.lease?.attempt).toBe(1);
  await expect(lease.renew?.()).rejects.toMatchObject({ code: 'lock-lost' });
  accept(lost.sink.delivered[0]?.lease);
  won.sink.setCapacity(10);
  await vi.waitFor(async () => expect(await pending(topic)).toBe(0), { timeout: 5_000 });
  expect(won.sink.ids).toEqual(['1']);
});

it('what is released stays with its entry; what a leaving member gives back goes to the other', async () => {
  const topic = freshTopic();
  const one = await member(topic, 'a', 'one');
  const two = await member(topic, 'b', 'two');
  const { won, lost } = await contest(one, two, '1');
  won.sink.delivered[0]?.lease?.settle({ kind: 'release', delayMs: 0 });
  await vi.waitFor(() => expect(won.sink.delivered.map(({ lease }) => lease?.attempt)).toEqual([1, 2]));
  expect(lost.sink.ids).toEqual([]);
  await won.source.stop();
  await won.sink.delivered[1]?.lease?.settle({ kind: 'release', delayMs: 0 });
  await won.source.close();
  await vi.waitFor(() => expect(lost.sink.ids).toEqual(['1']));
  accept(lost.sink.delivered[0]?.lease);
});

it('of several addresses of its own a member takes the first, without asking', async () => {
  const topic = freshTopic();
  const one = await member(topic, 'a', 'one');
  await one.link.publish([
    outgoing(topic, '1', ['instance:one', 'role:a']),
    outgoing(topic, '2', ['role:a']),
    outgoing(topic, '3', ['role:a', 'instance:one']),
    outgoing(topic, '4', ['role:a']),
  ]);
  await vi.waitFor(() => expect(one.sink.ids).toEqual(['1', '2', '3', '4']));
  expect(one.sink.delivered.map(({ lease }) => lease?.position?.split('@')[1])).toEqual(Array(4).fill('role:a'));
  for (const { lease } of one.sink.delivered) accept(lease);
  await vi.waitFor(async () => expect(await pending(topic, ['role:a', 'instance:one'])).toBe(0));
});

it('a dead letter, which says to whom it once was sent, is for everyone', async () => {
  const topic = freshTopic();
  const one = await member(topic, 'a', 'one');
  const letter = { ...outgoing(topic, '1', BOTH), to: ['*' as const] };
  await one.link.publish([letter]);
  await vi.waitFor(() => expect(one.sink.ids).toEqual(['1']));
  accept(one.sink.delivered[0]?.lease);
});
