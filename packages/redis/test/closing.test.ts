import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type TestCluster } from './cluster.ts';

let server: RedisServer;
let cluster: TestCluster;
let folder: string;
beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedis(), startCluster(1)]);
  folder = mkdtempSync(join(tmpdir(), 'polycast-closing-'));
  await build({
    entryPoints: [fileURLToPath(new URL('./closing-process.ts', import.meta.url))],
    outfile: join(folder, 'closing.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    conditions: ['polycast-source'],
    logLevel: 'error',
  });
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([server.stop(), cluster.stop()]);
});

/** @returns what it printed last, once it has ended by itself */
async function ending(args: readonly string[], atReady: () => unknown = () => {}): Promise<unknown> {
  const child = spawn(process.execPath, [join(folder, 'closing.cjs'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 15_000,
  });
  const lines: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    lines.push(...text.trim().split('\n'));
    if (lines.at(-1) === 'ready') atReady();
  });
  const [code] = await once(child, 'close');
  expect(code).toBe(0);
  return JSON.parse(lines.at(-1) ?? '');
}

describe.each([
  ['pub/sub', () => server, (port: number) => `redis://127.0.0.1:${port}`],
  ['Streams', () => server, (port: number) => `redis+streams://127.0.0.1:${port}`],
  ['pub/sub on a cluster', () => cluster.servers[0], (port: number) => `redis://127.0.0.1:${port}?cluster=`],
  ['Streams on a cluster', () => cluster.servers[0], (port: number) => `redis+streams://127.0.0.1:${port}?cluster=`],
] as [string, () => RedisServer, (port: number) => string][])('%s leaves nothing', (_, serverOf, urlOf) => {
  const url = (parameters = '') => {
    const plain = urlOf(serverOf().port);
    return `${plain}${plain.includes('?') ? '&' : '?'}${parameters}`;
  };

  it.each(['connect', 'subscribe'])('after %s and close', async (deed) => {
    expect(await ending([url(), deed])).toEqual([]);
  });

  it.each(['connect', 'subscribe'])('after %s, when the server is silent', async (deed) => {
    try {
      expect(await ending([url('pingIntervalMs=100'), deed, 'stalled'], () => serverOf().freeze())).toEqual([]);
    } finally {
      serverOf().thaw();
    }
  });

  it('when it could not connect: the server is silent', async () => {
    serverOf().freeze();
    try {
      expect(await ending([url('connectTimeoutMs=500'), 'connect'])).toBe('unreachable');
    } finally {
      serverOf().thaw();
    }
  });

  it('when it closes while it reconnects', async () => {
    expect(await ending([url(), 'subscribe', 'disconnected'], () => serverOf().kill())).toEqual([]);
    await serverOf().restart();
    await cluster.settled();
  });
});
