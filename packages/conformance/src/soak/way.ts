import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

/** The way of one participant to the service, which can be broken for it alone. */
export class Way {
  /** Where the service is; changed when another server takes over. New connections go there. */
  target: { readonly host: string; readonly port: number };
  /** Bytes are so long on their way, ms, in each direction. */
  delayMs = 0;
  /** Connections stay open and nothing passes; what is sent meanwhile is gone for good. */
  #swallows = false;
  readonly #pairs = new Set<Pair>();
  /** Connections that lost bytes: they can never be used again. */
  readonly #spoilt = new Set<Pair>();
  readonly #server: Server;

  static async to(host: string, port: number): Promise<Way> {
    const way = new Way(host, port);
    way.#server.listen(0, '127.0.0.1');
    await once(way.#server, 'listening');
    return way;
  }

  private constructor(host: string, port: number) {
    this.target = { host, port };
    this.#server = createServer((near) => this.#join(near));
    this.#server.unref();
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks every connection. */
  cut(): void {
    for (const pair of [...this.#pairs]) this.#end(pair);
  }

  /** Breaks one connection. @param dice chooses it, in [0, 1) */
  cutOne(dice: number): void {
    const pairs = [...this.#pairs];
    const pair = pairs[Math.floor(dice * pairs.length)];
    if (pair !== undefined) this.#end(pair);
  }

  swallow(): void {
    this.#swallows = true;
  }

  /** Everything passes again. Connections that lost bytes are broken: a real network would have sent the bytes again. */
  heal(): void {
    this.#swallows = false;
    this.delayMs = 0;
    for (const pair of this.#spoilt) this.#end(pair);
    this.#spoilt.clear();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }

  #join(near: Socket): void {
    const far = connect(this.target.port, this.target.host);
    const pair = { near, far };
    this.#pairs.add(pair);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.unref();
      socket.on('error', () => {});
      socket.on('close', () => this.#end(pair));
    }
    this.#pass(pair, near, far);
    this.#pass(pair, far, near);
  }

  #pass(pair: Pair, from: Socket, to: Socket): void {
    const waiting: { readonly dueMs: number; readonly bytes: Buffer }[] = [];
    const send = () => {
      while (waiting.length > 0 && waiting[0]!.dueMs <= performance.now()) {
        const { bytes } = waiting.shift()!;
        if (!to.destroyed) to.write(bytes);
      }
      if (waiting.length > 0) setTimeout(send, Math.max(1, waiting[0]!.dueMs - performance.now()));
    };
    from.on('data', (bytes: Buffer) => {
      if (this.#swallows) {
        this.#spoilt.add(pair);
        return;
      }
      if (this.delayMs === 0 && waiting.length === 0) {
        to.write(bytes);
        return;
      }
      const dueMs = Math.max(performance.now() + this.delayMs, waiting.at(-1)?.dueMs ?? 0);
      waiting.push({ dueMs, bytes });
      if (waiting.length === 1) setTimeout(send, this.delayMs);
    });
    // A clean end passes on, so that what was written before it arrives.
    from.on('end', () => {
      if (!this.#swallows) to.end();
    });
  }

  #end(pair: Pair): void {
    this.#pairs.delete(pair);
    this.#spoilt.delete(pair);
    pair.near.destroy();
    pair.far.destroy();
  }
}
