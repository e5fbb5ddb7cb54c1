import { BroadcastEvent } from '@polycast/core/adapter';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { redis, redisStreams } from '@polycast/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { execute, sendBatch } from '../src/send.ts';
import { encodedOf, FakeSink, freshTopic, openLink, outgoing, request } from './link.ts';

let server: RedisServer;
let admin: Redis;
beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

const ids = ['1', '2', '3', '4'];

describe.each([
  ['pub/sub', redis],
  ['Streams', redisStreams],
] as [string, typeof redis][])('%s: several for one channel', (_, make) => {
  it.each([
    ['in a transaction', '+@all'],
    ['one after another, for a user who may not call MULTI', '-multi'],
    ['one after another, for a user who may not call EXEC', '-exec'],
  ])('go in order, %s', async (_, rule) => {
    await admin.acl('SETUSER', 'u', 'reset', 'on', '>pw', '~*', '&*', '+@all', rule);
    const url = server.url.replace('//', '//u:pw@');
    const { link, topic } = await openLink(make({ url, batch: 'off' }), freshTopic());
    const sink = new FakeSink();
    const source = await link.subscribe(request(), sink);
    const stats = async () => /cmdstat_exec:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? '0';
    // Asking for the right executes one, too.
    await link.publish(ids.map((id) => outgoing(`${topic}-other`, id)));
    const before = Number(await stats());
    expect(await link.publish(ids.map((id) => outgoing(topic, id)))).toBeUndefined();
    await vi.waitFor(() => expect(sink.ids).toEqual(ids));
    expect(Number(await stats()) - before).toBe(rule === '+@all' ? 1 : 0);
    await source.stop();
    await link.close();
  });
});

it('Streams: events with partition keys, which are entries of their own, go in one transaction', async () => {
  const { link, topic } = await openLink(redisStreams({ url: server.url }), freshTopic());
  const keyed = ids.map((id) => {
    const { event, ...others } = outgoing(topic, id);
    const withKey = new BroadcastEvent({
      type: 'test',
      source: '/t',
      id,
      data: id,
      attributes: { partitionkey: `k${id}` },
    });
    return { ...others, event: withKey, encoded: encodedOf(withKey) };
  });
  const execs = async () => Number(/cmdstat_exec:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);
  await link.publish(keyed.slice(0, 2));
  const before = await execs();
  await link.publish(keyed);
  expect(await execs()).toBe(before + 1);
  const entries = await admin.xrange(`polycast:{${topic}}:*`, '-', '+');
  expect(entries.slice(2).map(([, [, , , key]]) => key)).toEqual(['k1', 'k2', 'k3', 'k4']);
  await link.close();
});

it('what is refused in a transaction takes the others of its channel with it, and says why', async () => {
  await admin.set('text', 'not a stream');
  const topic = freshTopic();
  const refused: unknown[] = [];
  const results = await sendBatch(
    [outgoing(topic, '1'), outgoing(topic, '2'), outgoing(topic, '3', ['role:x'])],
    { prefix: 'p', batch: 'off', keyedAlone: true },
    {
      one: (channel, payload) => admin.xadd(channel, '*', 'event', payload),
      several: (channel, parcels) => {
        const transaction = admin.multi();
        transaction.xadd(channel, '*', 'event', parcels[0]?.payload ?? '');
        // Refused when it is queued, as for want of memory.
        transaction.call('NO-SUCH-COMMAND');
        return execute(transaction).then(
          () => true,
          (thrown) => {
            refused.push(thrown);
            throw thrown;
          },
        );
      },
    },
  );
  expect(results?.map((error) => error?.code)).toEqual(['unsupported', 'unsupported', undefined]);
  expect(refused).toHaveLength(1);
  expect(await admin.exists(`p:{${topic}}:*`)).toBe(0);
  expect(await admin.xlen(`p:{${topic}}:role:x`)).toBe(1);
});
