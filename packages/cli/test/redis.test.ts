import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { emptyFolder, polycast, start } from './cli.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis({ persistent: true });
});
afterAll(() => server.stop());

test.each(['redis', 'redis+streams'])('sub over %s survives a restart of the server, and says so', async (scheme) => {
  const url = server.url.replace('redis', scheme);
  const sub = start(['sub', '--url', url, '--count', '2']);
  await sub.says('listening');
  expect((await polycast(['pub', '--url', url, 'before'])).exit).toBe(0);
  await sub.says('before');
  await server.restart();
  await sub.says('reconnected');
  expect((await polycast(['pub', '--url', url, 'after'])).exit).toBe(0);
  expect(await sub.exit).toBe(0);
  expect(
    sub
      .out()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).data),
  ).toEqual(['before', 'after']);
});

test('pub and sub do what doctor says they can', async () => {
  const { exit, out } = await polycast(['doctor', '--url', server.url], {});
  expect(exit).toBe(0);
  expect(out).toContain('Redis pub/sub in');
});

test('compare takes POLYCAST_REDIS_URL instead of a server of its own', async () => {
  const cwd = emptyFolder();
  const args = 'compare --rate 100 --duration 0.3 --subscribers 2 --no-conformance'.split(' ');
  const { exit, out } = await polycast(args, { cwd, env: { POLYCAST_REDIS_URL: server.url } });
  expect(out).toMatch(/redis\+streams +end to end/);
  const { transports } = JSON.parse(readFileSync(join(cwd, 'report/compare.json'), 'utf8'));
  expect(transports.map(({ url, latency }: { url: string; latency: { lost: number } }) => [url, latency.lost])).toEqual(
    [
      ['memory:', 0],
      [server.url, 0],
      [server.url.replace('redis', 'redis+streams'), 0],
    ],
  );
  expect(exit).toBe(0);
});

test('conform --local tries faults on a server of its own', async () => {
  const cwd = emptyFolder();
  const args = ['conform', '--url', 'redis+streams:', '--local', '--only', 'faults', '--json', 'report.json'];
  await polycast(args, { cwd });
  const { cases } = JSON.parse(readFileSync(join(cwd, 'report.json'), 'utf8')) as { cases: { status: string }[] };
  expect(cases.filter(({ status }) => status === 'passed').length).toBeGreaterThan(5);
}, 120_000);

test('conform says why a server cannot be used, instead of failing every case', async () => {
  const { exit, out, err } = await polycast(['conform', '--url', 'redis://u:hunter2@127.0.0.1:1']);
  expect([exit, out]).toEqual([3, '']);
  expect(err).toContain('unreachable');
  expect(err).not.toContain('hunter2');
});
