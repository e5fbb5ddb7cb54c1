import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Transport } from '@polycast/core';
import { findRedisServer, freePort, type RedisServer, startRedis } from '@polycast/local-services';
import { fromUrl, redis, redisStreams } from '@polycast/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FakeSink, freshTopic, openLink, outgoing, request } from './link.ts';

/** Publishes and receives over both, by a plain subscription and, where there are any, by a group. */
async function roundTrip(transport: Transport): Promise<void> {
  const { link, topic } = await openLink(transport, freshTopic());
  const streams = transport.manifest.transport === 'redis+streams';
  const sinks = [new FakeSink(), new FakeSink()];
  const sources = [
    await link.subscribe(request(), sinks[0]!),
    await link.subscribe(request(streams ? { group: 'g' } : {}), sinks[1]!),
  ];
  await link.publish([
    outgoing(topic, '1'),
    outgoing(topic, '2', ['role:tester']),
    outgoing(`${topic}.dead-letter`, '3'),
  ]);
  for (const sink of sinks) await vi.waitFor(() => expect(sink.ids.sort()).toEqual(['1', '2']), { timeout: 5_000 });
  for (const { lease } of sinks[1]!.delivered) lease?.settle({ kind: 'accept' });
  await Promise.all(sources.map((source) => source.stop()));
  await Promise.all(sources.map((source) => source.close()));
  await link.close();
}

describe('a cluster', () => {
  let server: RedisServer;
  let admin: Redis;
  beforeAll(async () => {
    server = await startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] });
    admin = new Redis(server.url);
    await admin.cluster('ADDSLOTSRANGE', 0, 16383);
    await vi.waitFor(async () => expect(await admin.cluster('INFO')).toContain('cluster_state:ok'), {
      timeout: 10_000,
    });
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });

  it.each([
    ['pub/sub', () => redis({ cluster: [{ host: '127.0.0.1', port: server.port }] })],
    ['Streams', () => redisStreams({ cluster: [{ host: '127.0.0.1', port: server.port }] })],
    ['a URL', () => fromUrl(new URL(`redis://127.0.0.1:${server.port}?cluster=`))],
  ])('works: %s', (_, make) => roundTrip(make()));

  it('uses sharded pub/sub', async () => {
    const { link, topic } = await openLink(
      redis({ cluster: [{ host: '127.0.0.1', port: server.port }] }),
      freshTopic(),
    );
    await link.subscribe(request(), new FakeSink());
    expect(await admin.pubsub('SHARDCHANNELS')).toContain(`polycast:{${topic}}:*`);
    expect(await admin.pubsub('CHANNELS')).toEqual([]);
    await link.close();
    await vi.waitFor(async () => expect(await admin.pubsub('SHARDCHANNELS')).toEqual([]));
  });

  it('says so when no node answers', async () => {
    const port = await freePort();
    const transport = redis({ cluster: [{ host: '127.0.0.1', port }], connectTimeoutMs: 1_000 });
    await expect(openLink(transport, 't')).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('TLS', () => {
  let server: RedisServer;
  let folder: string;
  let port: number;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'polycast-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', cert, ...subject],
      { stdio: 'ignore' },
    );
    port = await freePort();
    server = await startRedis({
      args: [
        '--tls-port',
        String(port),
        '--tls-cert-file',
        cert,
        '--tls-key-file',
        key,
        '--tls-ca-cert-file',
        cert,
        '--tls-auth-clients',
        'no',
      ],
    });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['pub/sub', redis, 'rediss'],
    ['Streams', redisStreams, 'rediss+streams'],
  ] as const)('works: %s', async (_, make, scheme) => {
    await roundTrip(
      make({ url: `${scheme}://127.0.0.1:${port}`, tls: { ca: readFileSync(join(folder, 'cert.pem')) } }),
    );
  });

  it('refuses a certificate that nobody vouches for', async () => {
    await expect(openLink(redis({ url: `rediss://127.0.0.1:${port}` }), 't')).rejects.toMatchObject({
      code: 'protocol-mismatch',
    });
  });

  it('says so when the server speaks no TLS', async () => {
    const transport = redis({ url: `rediss://127.0.0.1:${server.port}`, connectTimeoutMs: 2_000 });
    await expect(openLink(transport, 't')).rejects.toMatchObject({
      code: expect.stringMatching(/protocol-mismatch|unreachable/),
    });
  });
});

describe('Sentinel', () => {
  it('leads to the master', async () => {
    const master = await startRedis();
    const folder = mkdtempSync(join(tmpdir(), 'polycast-sentinel-'));
    const port = await freePort();
    const file = join(folder, 'sentinel.conf');
    writeFileSync(
      file,
      `port ${port}\nbind 127.0.0.1\ndir ${folder}\nsentinel monitor main 127.0.0.1 ${master.port} 1\n`,
    );
    const sentinel = spawn(await findRedisServer(), [file, '--sentinel'], { stdio: 'ignore' });
    try {
      const sentinels = [{ host: '127.0.0.1', port }];
      for (const make of [redis, redisStreams]) {
        await vi.waitFor(() => roundTrip(make({ sentinels, sentinelName: 'main' })), {
          timeout: 10_000,
          interval: 200,
        });
      }
    } finally {
      sentinel.kill('SIGKILL');
      await master.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
