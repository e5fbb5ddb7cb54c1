import { readFileSync } from 'node:fs';
import { type ConnectOptions, connect } from '@polycast/core';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { fromUrl } from '@polycast/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { delayedLink } from './delayed-link.ts';

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const lines = /## Ten lines\s+```js\n(.*?)```/s.exec(readme)?.[1]?.replace(/^import .*$/m, '') ?? '';
const AsyncFunction = (async () => {}).constructor as new (
  ...source: string[]
) => (...given: unknown[]) => Promise<void>;
const program = new AsyncFunction('connect', 'process', 'console', lines);

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** The first program that a user copies is right on any network. */
describe.each(['redis', 'redis+streams'])('the ten lines of the README on %s', (scheme) => {
  it.each([0, 5, 50])('print their event over a link of %s ms', async (delayMs) => {
    const link = await delayedLink(server.port, delayMs);
    const printed: unknown[][] = [];
    await program(
      ({ url, ...options }: ConnectOptions) => connect({ ...options, transport: fromUrl(new URL(url as string)) }),
      { env: { POLYCAST_URL: `${scheme}://127.0.0.1:${link.port}` } },
      { log: (...words: unknown[]) => printed.push(words) },
    );
    expect(printed).toEqual([['order.moved', { order: 7 }]]);
    link.close();
  });
});
