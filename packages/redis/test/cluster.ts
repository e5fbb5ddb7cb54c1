import { freePort, type RedisServer, startRedis } from '@polycast/local-services';
import type { HostAndPort } from '@polycast/redis';
import { Redis } from 'ioredis';
import { expect, vi } from 'vitest';
import { slotOf } from '../src/client.ts';

/** A cluster of primaries made from the one `redis-server`. */
export interface TestCluster {
  readonly nodes: readonly HostAndPort[];
  readonly servers: readonly RedisServer[];
  readonly admins: readonly Redis[];
  /** Index of the server that holds the slot of a key. */
  ownerOf(key: string): Promise<number>;
  /** Moves the slot of `key` and all keys in it to another server, as rebalancing does. @returns the new owner's index */
  move(key: string): Promise<number>;
  /** Every server knows the others, and all slots are served. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const SLOTS = 16_384;

export async function startCluster(size: number): Promise<TestCluster> {
  const servers = await Promise.all(Array.from({ length: size }, () => startNode()));
  const nodes = servers.map(({ port }) => ({ host: '127.0.0.1', port }));
  const admins = servers.map(({ url }) => new Redis(url));
  for (const admin of admins) admin.on('error', () => {});
  const ids = await Promise.all(admins.map((admin) => admin.cluster('MYID') as unknown as Promise<string>));
  const first = admins[0] as Redis;
  await Promise.all(
    admins.map((admin, at) =>
      admin.cluster('ADDSLOTSRANGE', Math.ceil((at * SLOTS) / size), Math.ceil(((at + 1) * SLOTS) / size) - 1),
    ),
  );
  for (const [at, { port }] of servers.entries()) {
    const busPort = busPorts.get(port);
    if (at > 0) await first.call('CLUSTER', 'MEET', '127.0.0.1', String(port), String(busPort));
  }
  const settled = () =>
    vi.waitFor(
      async () => {
        for (const admin of admins) {
          const info = String(await admin.cluster('INFO'));
          expect(info).toContain('cluster_state:ok');
          expect(info).toContain(`cluster_known_nodes:${size}`);
          expect(info).toContain(`cluster_slots_ok:${SLOTS}`);
        }
      },
      { timeout: 15_000, interval: 100 },
    );
  await settled();

  const ownerOf = async (key: string) => {
    const slot = slotOf(key);
    const ranges = (await first.cluster('SLOTS')) as unknown as [number, number, [string, number]][];
    const port = ranges.find(([from, to]) => from <= slot && slot <= to)?.[2][1];
    return servers.findIndex((server) => server.port === port);
  };
  return {
    nodes,
    servers,
    admins,
    ownerOf,
    settled,
    move: async (key) => {
      const slot = slotOf(key);
      const from = await ownerOf(key);
      const to = (from + 1) % size;
      const [source, target] = [admins[from] as Redis, admins[to] as Redis];
      await target.call('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', ids[from] as string);
      await source.call('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', ids[to] as string);
      const keys = (await source.call('CLUSTER', 'GETKEYSINSLOT', String(slot), '1000')) as string[];
      const { host, port } = nodes[to] as HostAndPort;
      if (keys.length > 0) await source.call('MIGRATE', host, String(port), '', '0', '5000', 'KEYS', ...keys);
      // The new owner first: it alone may say so to the others.
      await target.call('CLUSTER', 'SETSLOT', String(slot), 'NODE', ids[to] as string);
      await source.call('CLUSTER', 'SETSLOT', String(slot), 'NODE', ids[to] as string);
      await vi.waitFor(async () => expect(await ownerOf(key)).toBe(to), { timeout: 10_000 });
      return to;
    },
    stop: async () => {
      for (const admin of admins) admin.disconnect();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

const busPorts = new Map<number, number>();

/** The port of the cluster's bus is by default 10,000 higher, which not every free port has room for. */
async function startNode(): Promise<RedisServer> {
  const busPort = await freePort();
  const server = await startRedis({
    args: [
      ...['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--cluster-node-timeout', '2000'],
      ...['--cluster-port', String(busPort), '--cluster-require-full-coverage', 'no'],
    ],
  });
  busPorts.set(server.port, busPort);
  return server;
}
