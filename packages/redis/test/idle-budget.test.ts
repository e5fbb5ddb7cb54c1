import { setTimeout as pass } from 'node:timers/promises';
import { connect } from '@polycast/core';
import { startRedis } from '@polycast/local-services';
import { redisStreams } from '@polycast/redis';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';

const MINUTE_MS = 60_000;
/** README: idle cost, a minute. Keep-alive, blocking reads, and what scripts call included. */
const BUDGET = 60;
/** At its edges, a minute may catch one more of what comes several times in it. */
const EDGE = 10;
/** A plain subscription besides: its reads, and looks at the streams that nothing else reads. */
const PLAIN = 6;

/** Calls of each command that the server has run, scripts' own and this question included. */
async function calls(admin: Redis): Promise<ReadonlyMap<string, number>> {
  const stats = await admin.info('commandstats');
  return new Map(
    [...stats.matchAll(/cmdstat_(\S+):calls=(\d+)/g)].map(([, name = '', count]) => [name, Number(count)]),
  );
}

const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((all, count) => all + count, 0);

/** What so many idle groups, and perhaps a plain subscription, of one broadcaster cost in a minute. */
async function costOf(groups: number, plain = false) {
  const server = await startRedis();
  const admin = new Redis(server.url);
  const connections = async () => ((await admin.client('LIST')) as string).trim().split('\n').length - 1;
  const one = await connect({
    transport: redisStreams({ url: server.url }),
    topic: 'idle',
    self: { role: 'worker', instance: 'worker-1' },
  });
  if (plain) await one.subscribe(() => {});
  for (let at = 0; at < groups; at++) await one.subscribe(() => {}, { group: `g${at}` });
  // The first beats are over.
  await pass(500);
  const before = await calls(admin);
  await pass(MINUTE_MS);
  const after = await calls(admin);
  const of = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  const cost = {
    all: sum(after) - sum(before),
    reads: of('xread'),
    connections: await connections(),
  };
  await one.close();
  expect(await admin.keys('*')).toEqual([]);
  admin.disconnect();
  await server.stop();
  return cost;
}

it('idle groups of a broadcaster cost the server no more than the budget, one or ten, and beside a plain subscription', async () => {
  const [one, ten, both] = await Promise.all([costOf(1), costOf(10), costOf(10, true)]);
  expect(one.all).toBeLessThanOrEqual(BUDGET);
  expect(ten.all).toBeLessThanOrEqual(BUDGET + EDGE);
  expect(both.all).toBeLessThanOrEqual(BUDGET + EDGE + PLAIN);
  // All groups have one source between them for what is for the instance: at most three of its reads begin in a minute.
  for (const { reads } of [one, ten]) expect(reads).toBeLessThanOrEqual(3);
  expect([one, ten, both].map(({ connections }) => connections)).toEqual([3, 12, 13]);
}, 120_000);
