import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions, SentinelConnector } from 'ioredis';

/** The part of ioredis's options that a connector needs. */
interface Place {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  readonly family?: number;
  readonly tls?: ConnectionOptions;
  readonly disconnectTimeout: number;
}

/** The connections of one participant, which can be broken from this side: that harms no server. */
export class Way {
  readonly #sockets = new Set<Socket>();
  #open = true;

  /** What ioredis connects with. */
  connector(sentinels: boolean): NonNullable<RedisOptions['Connector']> {
    const way = this;
    if (sentinels) {
      return class extends SentinelConnector {
        override async connect(...args: Parameters<SentinelConnector['connect']>) {
          way.#check();
          return way.#watch(await super.connect(...args));
        }
      } as NonNullable<RedisOptions['Connector']>;
    }
    return class extends AbstractConnector {
      readonly #place: Place;

      constructor(options: unknown) {
        super((options as Place).disconnectTimeout);
        this.#place = options as Place;
      }

      async connect() {
        way.#check();
        this.stream = way.#watch(open(this.#place));
        return this.stream;
      }
    };
  }

  /** Breaks every connection once. Resolves when they have noticed. */
  async cut(): Promise<void> {
    await Promise.all([...this.#sockets].map((socket) => once(socket.destroy(), 'close')));
  }

  /** Breaks every connection, and lets no new one be made. */
  async end(): Promise<void> {
    this.#open = false;
    await this.cut();
  }

  #check(): void {
    if (!this.#open) throw Object.assign(new Error('cut off'), { code: 'ECONNREFUSED' });
  }

  #watch<Stream extends Socket>(socket: Stream): Stream {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}

function open({ host, port, path, family, tls }: Place): Socket {
  const place = (path === undefined ? { host, port, family } : { path }) as NetConnectOpts;
  return tls === undefined ? connect(place) : connectTls({ ...place, ...tls });
}
