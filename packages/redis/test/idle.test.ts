import type { Link } from '@polycast/core/adapter';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { redis, redisStreams } from '@polycast/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { FakeSink, freshTopic, openLink, outgoing, request } from './link.ts';

/*
 * The budget of an idle broadcaster in the README, in the units of which it is made: what it sends at each keep-alive
 * (12 a minute by default), and whenever a read has waited in vain (2 a minute). Here both come sooner.
 */
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

let ownQuestions = 0;

/** How often each command was called, without our own. */
async function calls(): Promise<Record<string, number>> {
  ownQuestions++;
  const stats = (await admin.info('commandstats')).matchAll(/^cmdstat_([\w|]+):calls=(\d+)/gm);
  const counts = Object.fromEntries([...stats].map(([, name, count]) => [name, Number(count)]));
  // The one that is answered is not counted yet.
  return { ...counts, info: (counts.info ?? 0) - (ownQuestions - 1) };
}

/** What was called while `beat` was called 20 times. */
async function during(beat: string): Promise<Record<string, number>> {
  const before = await calls();
  let after = before;
  await vi.waitFor(
    async () => {
      after = await calls();
      expect(after[beat] ?? 0).toBeGreaterThanOrEqual((before[beat] ?? 0) + 20);
    },
    { timeout: 15_000, interval: 20 },
  );
  const more = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return Object.fromEntries(more.filter(([, count]) => count > 0));
}

async function open(make: typeof redis): Promise<{ link: Link; topic: string }> {
  return openLink(make({ url: server.url, pingIntervalMs: 50 }), freshTopic());
}

it('pub/sub: one command at each keep-alive, one more with subscriptions', async () => {
  const { link, topic } = await open(redis);
  await link.publish([outgoing(topic, '1')]);
  expect(Object.keys(await during('info'))).toEqual(['info']);
  await link.subscribe(request(), new FakeSink());
  await link.subscribe(request(), new FakeSink());
  const { info = 0, ping = 0, ...others } = await during('info');
  expect(others).toEqual({});
  expect(ping).toBeLessThanOrEqual(info + 2);
  await link.close();
});

it('Streams: one command at each keep-alive, and four when a read has waited in vain', async () => {
  const { link, topic } = await open(redisStreams);
  await link.publish([outgoing(topic, '1')]);
  expect(Object.keys(await during('info'))).toEqual(['info']);
  const source = await link.subscribe(request({ pollTimeoutMs: 50 }), new FakeSink());
  await during('xread');
  const { info = 0, xread = 0, xlen = 0, ...others } = await during('xread');
  expect(info).toBeLessThanOrEqual(4 * xread);
  expect(xlen).toBeLessThanOrEqual(3 * (xread + 1));
  expect(others).toEqual({});
  await source.stop();
  await link.close();
});
