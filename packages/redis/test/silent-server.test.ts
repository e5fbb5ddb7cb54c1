import { setTimeout as delay } from 'node:timers/promises';
import type { PolycastError, Transport } from '@polycast/core';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { redis, redisStreams } from '@polycast/redis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FakeSink, freshTopic, openLink, request } from './link.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** Longer than a test may take: whoever waited for a command would be late. */
const commandTimeoutMs = 600_000;

it.each([
  ['pub/sub', () => redis({ url: server.url, commandTimeoutMs })],
  ['Streams', () => redisStreams({ url: server.url, commandTimeoutMs })],
] as [string, () => Transport][])('%s closes although the server answers nothing', async (_, make) => {
  const { link } = await openLink(make(), freshTopic());
  const source = await link.subscribe(request(), new FakeSink());
  server.freeze();
  try {
    await source.stop();
    await source.close();
    await link.close();
  } finally {
    server.thaw();
  }
});

it.each([
  ['pub/sub', () => redis({ url: server.url, connectTimeoutMs: 3_000 })],
  ['Streams', () => redisStreams({ url: server.url, connectTimeoutMs: 3_000 })],
] as [string, () => Transport][])('%s gives up what it is opening once nobody waits for it', async (_, make) => {
  server.freeze();
  try {
    const abort = new AbortController();
    const opening = make().open({
      topic: freshTopic(),
      self: { role: 'kitchen', instance: 'k1' },
      abortSignal: abort.signal,
      signal: () => {},
      meter: () => {},
    });
    setTimeout(() => abort.abort(), 20);
    const outcome = await opening.catch(({ code }: PolycastError) => code);
    expect(outcome).toBe('aborted');
  } finally {
    server.thaw();
  }
});

it('a process that was too busy to read the answer does not take the server for silent', async () => {
  const { link, signals } = await openLink(redis({ url: server.url, pingIntervalMs: 20 }), freshTopic());
  await link.subscribe(request(), new FakeSink());
  for (let round = 0; round < 10; round++) {
    // Some keep-alive is under way by then; its answer comes while nothing is read.
    await delay(25);
    const until = performance.now() + 150;
    while (performance.now() < until);
  }
  await delay(25);
  expect(signals).toEqual([]);
  await link.close();
});
