import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions, SentinelConnector } from 'ioredis';

type Connector = NonNullable<RedisOptions['Connector']>;

/** The part of ioredis's options that a connector needs. */
interface Endpoint {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  readonly family?: number;
  readonly tls?: ConnectionOptions;
  readonly disconnectTimeout: number;
}

/** The protected and private part of ioredis's connector that finds the primary through Sentinels. */
type SentinelBase = new (
  options: unknown,
) => AbstractConnector & {
  connect(emit: (type: string, error: Error) => void): Promise<Socket>;
  connectToSentinel(endpoint: unknown, options?: object): unknown;
};

/**
 * The sockets of one participant. ioredis waits two seconds for the other side before it destroys a socket, and knows
 * nothing of those that it uses in between (to ask a Sentinel, to refresh the slots of a cluster): closing ends them here.
 */
export class Sockets {
  readonly #sockets = new Set<Socket>();
  #isOpen = true;

  /** What ioredis connects with. */
  connector(throughSentinels: boolean): Connector {
    const sockets = this;
    class Direct extends AbstractConnector {
      readonly #endpoint: Endpoint;

      constructor(options: unknown) {
        super((options as Endpoint).disconnectTimeout);
        this.#endpoint = options as Endpoint;
      }

      override async connect(): Promise<Socket> {
        this.stream = sockets.#watch(() => open(this.#endpoint));
        return this.stream as Socket;
      }

      override disconnect(): void {
        this.connecting = false;
        this.stream?.destroy();
      }
    }
    if (!throughSentinels) return Direct as unknown as Connector;
    return class extends (SentinelConnector as unknown as SentinelBase) {
      override async connect(emit: (type: string, error: Error) => void): Promise<Socket> {
        sockets.#check();
        const socket = await super.connect(emit);
        return sockets.#watch(() => socket);
      }

      override connectToSentinel(endpoint: unknown, options?: object): unknown {
        return super.connectToSentinel(endpoint, { ...options, Connector: Direct });
      }

      override disconnect(): void {
        super.disconnect();
        this.stream?.destroy();
      }
    } as unknown as Connector;
  }

  /** Breaks every connection once. Resolves when they have noticed. */
  async cut(): Promise<void> {
    await Promise.all([...this.#sockets].map((socket) => once(socket.destroy(), 'close')));
  }

  /** Breaks every connection, and lets no new one be made. */
  async end(): Promise<void> {
    this.#isOpen = false;
    await this.cut();
  }

  #check(): void {
    if (!this.#isOpen) throw Object.assign(new Error('cut off'), { code: 'ECONNREFUSED' });
  }

  #watch(make: () => Socket): Socket {
    this.#check();
    const socket = make();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}

function open({ host, port, path, family, tls }: Endpoint): Socket {
  const endpoint = (path === undefined ? { host, port, family } : { path }) as NetConnectOpts;
  return tls === undefined || tls === null ? connect(endpoint) : connectTls({ ...endpoint, ...tls });
}
