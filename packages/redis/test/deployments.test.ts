import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
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
    const busPort = String(await freePort());
    server = await startRedis({
      args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--cluster-port', busPort],
    });
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

  it.each([
    [
      'a server without TLS',
      () => redis({ url: `rediss://127.0.0.1:${server.port}`, connectTimeoutMs }),
      'does not speak TLS',
    ],
    ['a server with TLS', () => redis({ url: `redis://127.0.0.1:${port}`, connectTimeoutMs }), 'speaks TLS'],
    [
      'Streams with TLS',
      () => redisStreams({ url: `redis+streams://127.0.0.1:${port}`, connectTimeoutMs }),
      'speaks TLS',
    ],
    ['a cluster', () => redis({ cluster: [{ host: '127.0.0.1', port }], connectTimeoutMs }), 'speaks TLS'],
  ])('says so when it speaks to %s in the other way', async (_, make, text) => {
    await expect(openLink(make(), 't')).rejects.toMatchObject({
      code: 'protocol-mismatch',
      message: expect.stringContaining(text),
    });
  });
  const connectTimeoutMs = 2_000;
});

const hasIPv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

describe.skipIf(!hasIPv6)('IPv6', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ args: ['--bind', '127.0.0.1', '::1'] });
  });
  afterAll(() => server.stop());

  it.each(['redis', 'redis+streams'])('is a host of a URL: %s', async (scheme) => {
    const transport = fromUrl(new URL(`${scheme}://[::1]:${server.port}`));
    expect(transport.location).toBe(`${scheme}://[::1]:${server.port}`);
    await roundTrip(transport);
  });

  it('is a host of a node, and named in errors', async () => {
    const port = await freePort();
    for (const url of [`redis://[::1]:${port}?cluster=`, `redis://x?cluster=[::1]:${port}`]) {
      await expect(openLink(fromUrl(new URL(url)), 't')).rejects.toMatchObject({ code: 'unreachable' });
    }
    const client = new Redis({ port: server.port, host: '::1' });
    expect(redis({ client }).location).toBe(`redis://[::1]:${server.port}`);
    client.disconnect();
  });
});

describe('Sentinel', () => {
  let servers: [RedisServer, RedisServer];
  let folder: string;
  let sentinel: ChildProcess;
  let sentinels: { host: string; port: number }[];
  beforeAll(async () => {
    const soon = ['--repl-diskless-sync-delay', '0'];
    servers = await Promise.all([startRedis({ args: soon }), startRedis({ args: soon })]);
    const [primary, replica] = servers;
    const admin = new Redis(replica.url);
    await admin.call('REPLICAOF', '127.0.0.1', String(primary.port));
    await vi.waitFor(async () => expect(await admin.info('replication')).toContain('master_link_status:up'), {
      timeout: 10_000,
    });
    admin.disconnect();
    folder = mkdtempSync(join(tmpdir(), 'polycast-sentinel-'));
    const port = await freePort();
    sentinels = [{ host: '127.0.0.1', port }];
    const file = join(folder, 'sentinel.conf');
    const lines = [
      ...[`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, `sentinel monitor main 127.0.0.1 ${primary.port} 1`],
      ...['sentinel down-after-milliseconds main 1000', 'sentinel failover-timeout main 3000'],
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    sentinel = spawn(await findRedisServer(), [file, '--sentinel'], { stdio: 'ignore' });
    const watcher = new Redis(port, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    watcher.on('error', () => {});
    await vi.waitFor(async () => expect(await watcher.call('SENTINEL', 'REPLICAS', 'main')).toHaveLength(1), {
      timeout: 15_000,
      interval: 100,
    });
    watcher.disconnect();
  }, 40_000);
  afterAll(async () => {
    sentinel.kill('SIGKILL');
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['pub/sub', redis],
    ['Streams', redisStreams],
  ] as const)('leads to the primary: %s', (_, make) => roundTrip(make({ sentinels, sentinelName: 'main' })));

  it('leads to the new one after a failover, which is signalled', async () => {
    const options = { sentinels, sentinelName: 'main', pingIntervalMs: 100 };
    const links = [await openLink(redis(options), freshTopic()), await openLink(redisStreams(options), freshTopic())];
    const sinks = [new FakeSink(), new FakeSink()];
    const sources = await Promise.all(links.map(({ link }, at) => link.subscribe(request(), sinks[at]!)));
    await servers[0].kill();
    for (const [at, { link, signals, topic }] of links.entries()) {
      await vi.waitFor(
        // Replication is asynchronous: what others published and the new one lacks is not known, with Streams either.
        () => expect(signals).toContainEqual(expect.objectContaining({ kind: 'reconnected', mayHaveLost: true })),
        {
          timeout: 18_000,
          interval: 100,
        },
      );
      await vi.waitFor(() => link.publish([outgoing(topic, 'after')]), { timeout: 5_000 });
      await vi.waitFor(() => expect(sinks[at]?.ids).toContain('after'), { timeout: 5_000 });
    }
    await Promise.all(sources.map((source) => source.stop()));
    await Promise.all(sources.map((source) => source.close()));
    await Promise.all(links.map(({ link }) => link.close()));
  }, 40_000);

  it('that does not answer is told', async () => {
    const port = await freePort();
    const transport = redis({ sentinels: [{ host: '127.0.0.1', port }], connectTimeoutMs: 500 });
    await expect(openLink(transport, 't')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('entinel'),
    });
  });
});
