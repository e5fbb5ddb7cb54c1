import { connect, type Socket } from 'node:net';
import type { ConformanceTarget } from '@polycast/conformance';
import { describeConformance } from '@polycast/conformance/vitest';
import type { Transport } from '@polycast/core';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { redis, redisStreams } from '@polycast/redis';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';

/** Connections of one participant, which can be cut off from the server for good, without goodbye. */
class Way {
  readonly #sockets = new Set<Socket>();
  #open = true;

  get connector(): typeof AbstractConnector {
    const way = this;
    return class extends AbstractConnector {
      readonly #port: number;

      constructor(options: { port: number; disconnectTimeout: number }) {
        super(options.disconnectTimeout);
        this.#port = options.port;
      }

      async connect() {
        if (!way.#open) throw Object.assign(new Error('cut off'), { code: 'ECONNREFUSED' });
        const socket = connect(this.#port, '127.0.0.1');
        way.#sockets.add(socket);
        socket.once('close', () => way.#sockets.delete(socket));
        this.stream = socket;
        return socket;
      }
    } as unknown as typeof AbstractConnector;
  }

  end(): void {
    this.#open = false;
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function target(
  name: string,
  make: (port: number, ioredis: RedisOptions) => Transport,
): Promise<ConformanceTarget> {
  const server: RedisServer = await startRedis({ persistent: true });
  const admin = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  admin.on('error', () => {});
  /** Our own connection too: it must not look like one that a case left behind. */
  const back = async () => {
    await server.restart();
    await admin.ping();
  };
  const ways = new Map<Transport, Way>();
  const keys = (topic: string) => `polycast:{${topic}}:*`;
  return {
    name,
    url: server.url,
    transport: () => {
      const way = new Way();
      const transport = make(server.port, { Connector: way.connector as never });
      ways.set(transport, way);
      return transport;
    },
    faults: {
      restart: back,
      kill: () => server.kill(),
      start: back,
      freeze: async () => server.freeze(),
      thaw: async () => server.thaw(),
      cut: async () => {
        await admin.client('KILL', 'TYPE', 'pubsub');
        await admin.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      },
      abandon: async (transport) => ways.get(transport)?.end(),
    },
    residue: async (topic) => {
      const channels = (await admin.pubsub('CHANNELS', keys(topic).replace(/[[\]?]/g, '\\$&'))) as string[];
      const held: string[] = [...channels];
      for (const key of await admin.keys(keys(topic))) {
        const groups = (await admin.xinfo('GROUPS', key)) as unknown[][];
        held.push(...groups.map((flat) => `${key} ${String(flat[1])}`));
      }
      return held;
    },
    inject: async (topic, bytes) => {
      if (name.includes('treams')) await admin.xadd(`polycast:{${topic}}:*`, '*', 'event', Buffer.from(bytes));
      else await admin.publish(`polycast:{${topic}}:*`, Buffer.from(bytes));
    },
    dispose: async () => {
      admin.disconnect();
      ways.clear();
      await server.stop();
    },
  };
}

describeConformance('Redis pub/sub', () => target('Redis pub/sub', (port, ioredis) => redis({ port, ioredis })));
describeConformance('Redis Streams', () =>
  target('Redis Streams', (port, ioredis) => redisStreams({ port, ioredis, claimIntervalMs: 100 })),
);
