import type { Transport } from '@polycast/core';
import { freePort, type RedisServer, startRedis } from '@polycast/local-services';
import { redis, redisStreams } from '@polycast/redis';
import { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { delayedLink } from './delayed-link.ts';
import { FakeSink, freshTopic, openLink, outgoing, request } from './link.ts';

let plain: RedisServer;
let cluster: RedisServer;
beforeAll(async () => {
  [plain, cluster] = await Promise.all([
    startRedis(),
    startRedis({
      args: [
        ...['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
        '--cluster-port',
        String(await freePort()),
      ],
    }),
  ]);
  const admin = new Redis(cluster.url);
  await admin.cluster('ADDSLOTSRANGE', 0, 16383);
  await vi.waitFor(async () => expect(await admin.cluster('INFO')).toContain('cluster_state:ok'), { timeout: 10_000 });
  admin.disconnect();
});
afterAll(async () => {
  await Promise.all([plain.stop(), cluster.stop()]);
});

const at = (port: number) => ({ host: '127.0.0.1', port });

const clients: Cluster[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

/** The node of the cluster announces its own address: the link's stands for it. */
function through(port: number): { client: Cluster } {
  const client = new Cluster([at(port)], { natMap: () => at(port), retryDelayOnFailover: 10 });
  client.on('error', () => {});
  clients.push(client);
  return { client };
}

describe.each([
  ['pub/sub', () => plain.port, (port: number) => redis(at(port))],
  ['Streams', () => plain.port, (port: number) => redisStreams(at(port))],
  ['pub/sub on a cluster', () => cluster.port, (port: number) => redis(through(port))],
  ['Streams on a cluster', () => cluster.port, (port: number) => redisStreams(through(port))],
] as [string, () => number, (port: number) => Transport][])('%s', (_, portOf, make) => {
  it.each([5, 50])('has delivered what was taken before, over a link of %s ms', async (delayMs) => {
    const link = await delayedLink(portOf(), delayMs);
    const topic = freshTopic();
    const subscriber = await openLink(make(link.port), topic);
    // Straight to the server: it takes events long before they get through.
    const publisher = await openLink(make(portOf()), topic);
    const sink = new FakeSink();
    const source = await subscriber.link.subscribe(request(), sink);
    for (let round = 1; round <= 3; round++) {
      await publisher.link.publish([
        outgoing(topic, `${round}`),
        outgoing(topic, `${round}-mine`, ['instance:one']),
        outgoing(topic, `${round}-role`, ['role:tester']),
      ]);
      await source.caughtUp?.();
      expect(sink.ids).toHaveLength(round * 3);
    }
    await source.stop();
    await source.close();
    await Promise.all([subscriber.link.close(), publisher.link.close()]);
    link.close();
  });

  it('ends when the connection is lost', async () => {
    const link = await delayedLink(portOf(), 1);
    const subscriber = await openLink(make(link.port), freshTopic());
    const source = await subscriber.link.subscribe(request(), new FakeSink());
    link.freeze();
    const caughtUp = source.caughtUp?.();
    link.cut();
    await caughtUp;
    await source.stop();
    await subscriber.link.close();
    link.close();
  });
});

it('Streams need not wait for an entry that was deleted', async () => {
  const { link, topic } = await openLink(redisStreams(at(plain.port)), freshTopic());
  const sink = new FakeSink();
  sink.capacity = 0;
  const source = await link.subscribe(request({ pollTimeoutMs: 50 }), sink);
  await link.publish([outgoing(topic, '1')]);
  await link.publish([outgoing(topic, '2')]);
  const caughtUp = source.caughtUp?.();
  const admin = new Redis(plain.port);
  await admin.ping();
  await admin.del(`polycast:{${topic}}:*`);
  sink.setCapacity(10);
  await caughtUp;
  await source.stop();
  await link.close();
  admin.disconnect();
});
