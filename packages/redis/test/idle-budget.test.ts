import { setTimeout as pass } from 'node:timers/promises';
import { connect } from '@polycast/core';
import { startRedis } from '@polycast/local-services';
import { redisStreams } from '@polycast/redis';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';

const MINUTE_MS = 60_000;
/** README: idle cost, a minute. Keep-alive, blocking reads, and what scripts call included. */
const BUDGET = 60;

/** Commands that the server has run, scripts' own and this question included. */
async function countOf(admin: Redis): Promise<number> {
  const stats = await admin.info('commandstats');
  let sum = 0;
  for (const [, calls] of stats.matchAll(/cmdstat_\S+:calls=(\d+)/g)) sum += Number(calls);
  return sum;
}

/** What so many idle groups of one broadcaster cost in a minute. */
async function costOf(groups: number): Promise<number> {
  const server = await startRedis();
  const admin = new Redis(server.url);
  const one = await connect({
    transport: redisStreams({ url: server.url }),
    topic: 'idle',
    self: { role: 'worker', instance: 'worker-1' },
  });
  for (let at = 0; at < groups; at++) await one.subscribe(() => {}, { group: `g${at}` });
  // The first beats are over.
  await pass(500);
  const before = await countOf(admin);
  await pass(MINUTE_MS);
  const cost = (await countOf(admin)) - before;
  await one.close();
  expect(await admin.keys('*')).toEqual([]);
  admin.disconnect();
  await server.stop();
  return cost;
}

it('idle groups of a broadcaster cost the server no more than the budget, one or ten', async () => {
  const [one, ten] = await Promise.all([costOf(1), costOf(10)]);
  expect(one).toBeLessThanOrEqual(BUDGET);
  // At its edges, a minute may catch one more of what comes several times in it.
  expect(ten).toBeLessThanOrEqual(BUDGET + 10);
}, 120_000);
