import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
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

test.each(['redis', 'redis+streams'])('reading over %s writes nothing on the server', async (scheme) => {
  const url = server.url.replace('redis', scheme);
  expect((await polycast(['pub', '--url', url, '--topic', 'read', 'x'])).exit).toBe(0);
  const keys = async () => (await ask('KEYS *')).split('\r\n').sort();
  const writes = async () => {
    const stats = await ask('INFO commandstats');
    return [...stats.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)]
      .filter(([, name]) =>
        /^(?:set|hset|del|unlink|xadd|xgroup|xtrim|expire|pexpire|zadd|sadd|incr|publish|spublish)/.test(name!),
      )
      .map(([, name, calls]) => `${name} ${calls}`);
  };
  const before = [await keys(), await writes()];
  expect((await polycast(['doctor', '--url', url], {})).exit).toBe(0);
  for (const from of scheme === 'redis' ? ['new'] : ['new', 'earliest', '2026-01-01', '0-1']) {
    const sub = start(['sub', '--url', url, '--topic', 'read', '--from', from]);
    await sub.says('listening');
    sub.ctrlC();
    expect(await sub.exit).toBe(0);
  }
  expect(
    (await polycast(['sub', '--url', url, '--topic', 'nothing-there', '--from', 'nonsense-1x'], {})).exit,
  ).not.toBe(0);
  expect([await keys(), await writes()]).toEqual(before);
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

/** What the server answers to these commands, as it sends it. */
async function ask(...commands: readonly string[]): Promise<string> {
  const socket = createConnection({ host: '127.0.0.1', port: server.port }).setEncoding('utf8');
  let answer = '';
  socket.on('data', (text: string) => {
    answer += text;
  });
  socket.end(`${commands.join('\r\n')}\r\n`);
  await once(socket, 'close');
  return answer;
}

/** `polycast conform`, of the chapters in which something is broken. */
async function conformFaults(...args: readonly string[]) {
  const cwd = emptyFolder();
  const only = ['--only', 'faults', '--only', 'lifecycle', '--json', 'report.json'];
  const { exit } = await polycast(['conform', ...args, ...only], { cwd });
  const report = JSON.parse(readFileSync(join(cwd, 'report.json'), 'utf8')) as {
    cases: { id: string; status: string }[];
    summary: { failed: number; notRun: number };
  };
  return { exit, ...report, ended: (as: string) => report.cases.filter(({ status }) => status === as) };
}

test.each(['redis:', 'redis+streams:', 'memory:'])(
  'conform --local leaves nothing of %s untried',
  async (url) => {
    const { exit, summary } = await conformFaults('--url', url, '--local');
    expect(summary).toMatchObject({ failed: 0, notRun: 0 });
    expect(exit).toBe(0);
  },
  120_000,
);

test.each(['redis', 'redis+streams'])(
  'conform breaks no server of others over %s, and leaves nothing on it',
  async (scheme) => {
    await ask('FLUSHALL', 'XADD polycast:{orders}:* * event another');
    const { pid } = server;
    const { exit, ended, summary } = await conformFaults('--url', server.url.replace('redis', scheme));
    expect([exit, summary.failed, server.pid]).toEqual([0, 0, pid]);
    expect(
      ended('not-run').every(({ id }) =>
        /^(faults\/(restart|kill|freeze|refuses)|lifecycle\/aborted-connect$)/.test(id),
      ),
    ).toBe(true);
    const tried = ended('passed').map(({ id }) => id);
    expect(tried).toEqual(expect.arrayContaining(['hostile/flood', 'lifecycle/residue', 'faults/cut-again-and-again']));
    expect((await ask('KEYS *')).match(/polycast:\S+/g)).toEqual(['polycast:{orders}:*']);
  },
  120_000,
);

test('conform says why a server cannot be used, instead of failing every case', async () => {
  const { exit, out, err } = await polycast(['conform', '--url', 'redis://u:hunter2@127.0.0.1:1']);
  expect([exit, out]).toEqual([3, '']);
  expect(err).toContain('unreachable');
  expect(err).not.toContain('hunter2');
});
