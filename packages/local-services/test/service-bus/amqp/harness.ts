import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { ServiceBusClient, type ServiceBusClientOptions } from '@azure/service-bus';
import { type AccessRule, Authority } from '../../../src/auth/index.ts';
import { type AmqpServer, serveAmqp } from '../../../src/service-bus/amqp/index.ts';
import { type Broker, createBroker } from '../../../src/service-bus/broker/index.ts';
import type { Tier } from '../../../src/service-bus/broker/limits.ts';
import { JWT_RULES } from '../../../src/service-bus/token-rules.ts';
import type { Clock } from '../../../src/time/clock.ts';

export const KEY = Buffer.from('a key of the tests').toString('base64');

export const RULES: readonly AccessRule[] = [
  { name: 'root', key: KEY, rights: ['manage', 'send', 'listen'] },
  { name: 'sender', key: KEY, rights: ['send'] },
  { name: 'listener', key: KEY, rights: ['listen'] },
];

/** An AMQP server of a test's own. */
export interface Served extends AsyncDisposable {
  readonly broker: Broker;
  readonly server: AmqpServer;
  readonly port: number;
  /** @param rule whose key is used; @param key in place of the right one */
  connectionString(rule?: string, key?: string): string;
  client(options?: ServiceBusClientOptions, rule?: string, key?: string): ServiceBusClient;
  readonly sockets: ReadonlySet<Socket>;
}

export interface ServeOptions {
  tier?: Tier;
  idleTimeoutMs?: number;
  authorisationDeadlineMs?: number;
  clock?: Clock;
}

export async function serve({ tier = 'standard', ...options }: ServeOptions = {}): Promise<Served> {
  const broker = createBroker({ tier, ...options });
  const authority = new Authority({ namespace: RULES, entity: () => [] }, { jwtRules: JWT_RULES });
  const server = serveAmqp({ broker, authority, ...options });
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    server.accept(socket, { secure: false, webSocket: false, remote: socket.remoteAddress ?? '' });
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const clients: ServiceBusClient[] = [];
  const connectionString = (rule = 'root', key = KEY) =>
    `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=${rule};SharedAccessKey=${key};UseDevelopmentEmulator=true`;
  return {
    broker,
    server,
    port,
    sockets,
    connectionString,
    client(clientOptions = {}, rule, key) {
      const retryOptions = { maxRetries: 0, timeoutInMs: 10_000 };
      const client = new ServiceBusClient(connectionString(rule, key), { retryOptions, ...clientOptions });
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(clients.map((client) => client.close()));
      server.stop();
      listener.close();
      broker.close();
    },
  };
}

/** Waits until it is so. */
export async function until(condition: () => boolean, patienceMs = 10_000): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error(`did not become true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
