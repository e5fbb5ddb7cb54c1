import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** The way of one participant to a service beside us, which can be broken for this participant alone. Keeps nothing alive. */
export class Way {
  readonly #host: string;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #server: Promise<Server> | undefined;
  #ended = false;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  /** The port at which it begins. */
  async port(): Promise<number> {
    this.#server ??= this.#listen();
    return ((await this.#server).address() as AddressInfo).port;
  }

  /** Breaks every connection, and lets no new one be made. */
  async end(): Promise<void> {
    this.#ended = true;
    const server = await this.#server;
    server?.close();
    await Promise.all([...this.#sockets].map((socket) => once(socket.destroy(), 'close')));
  }

  async #listen(): Promise<Server> {
    const server = createServer((near) => this.#join(near));
    server.unref().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }

  #join(near: Socket): void {
    if (this.#ended) {
      near.destroy();
      return;
    }
    const far = connect(this.#port, this.#host);
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true).unref();
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  }
}
