import { format } from 'node:util';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
  vi.stubEnv('REDIS', `127.0.0.1:${server.port}`);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.stop();
});

test.each([
  ['publish-subscribe', "order.placed { dish: 'soup' }"],
  ['group', 'cake, pie, soup, stew'],
  ['durable', 'bill.paid { table: 7 }'],
  ['request', "{ ready: true, dish: 'soup' }"],
])('the example %s prints %s, and ends', async (name, printed) => {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((...values) => void lines.push(format(...values)));
  try {
    await import(`../examples/${name}.ts`);
  } finally {
    vi.restoreAllMocks();
  }
  expect(lines).toEqual([printed]);
});
