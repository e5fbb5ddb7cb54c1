import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { checkShape, isShaped, type LinkShape, makeSchedule } from './link-shape.ts';

export type { LinkShape } from './link-shape.ts';

/** Maximum number of bytes held per direction before the sender must wait. Above what 100 ms at 1 Gbit/s needs. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

export interface ProxyOptions extends LinkShape {
  /** The target of connections: a URL (its host and port), or host and port. */
  readonly target: string | URL | ProxyTarget;
  /** Port to listen on, on 127.0.0.1. @default 0: a free one */
  readonly port?: number;
}

/** A TCP proxy that makes loopback behave like a real link, and can break it. Neither it nor its connections keep the process alive. */
export interface ProxyHandle extends AsyncDisposable {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** The target's URL through the proxy, with user, password, path and query. Undefined if the target was not a URL. */
  readonly url: string | undefined;
  /** The same for any other URL of that server. */
  through(url: string | URL): string;
  readonly stats: ProxyStats;
  /** The target of new connections, for example after a failover. */
  target: ProxyTarget;
  /** Added to the delay of the shape from now on, ms in each direction; 0 again after `restore`. */
  addedDelayMs: number;
  /** Closes every open connection; new ones are accepted. */
  cut(): void;
  /** Closes one open connection, if there is one. @param dice chooses it, in [0, 1) */
  cutOne(dice: number): void;
  /** Resets every connection; new ones are reset at once, until `restore`. */
  refuse(): void;
  /** Holds all data and closes nothing, until `restore`, which delivers it. New connections are accepted, but get no answer. */
  freeze(): void;
  /** Discards all data and closes nothing, until `restore`, which closes the affected connections. */
  lose(): void;
  /** Ends `refuse`, `freeze`, `lose` and the added delay. */
  restore(): void;
  /** Resets every connection and frees the port. Idempotent. */
  stop(): Promise<void>;
}

export interface ProxyStats {
  /** Connections made so far. */
  connections: number;
  /** Connections open now. */
  open: number;
  bytesToServer: number;
  bytesToClient: number;
}

/** Ports that a URL may leave out, by scheme. */
const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'redis:': 6379,
  'rediss:': 6379,
  'http:': 80,
  'https:': 443,
  'ws:': 80,
  'wss:': 443,
  'amqp:': 5672,
  'amqps:': 5671,
};

/**
 * Starts a proxy on a free port of 127.0.0.1.
 * @throws TypeError for a shape without meaning, and for a URL without host or port. An error of node:net when the port cannot be had
 */
export async function startProxy(options: ProxyOptions): Promise<ProxyHandle> {
  checkShape(options);
  const proxy = new TcpProxy(options);
  await proxy.listen(options.port ?? 0);
  return proxy;
}

/** The current mode of the proxy. */
type State = 'open' | 'refusing' | 'frozen' | 'losing';

class TcpProxy implements ProxyHandle {
  readonly host = '127.0.0.1';
  readonly url: string | undefined;
  readonly stats: ProxyStats = { connections: 0, open: 0, bytesToServer: 0, bytesToClient: 0 };
  readonly shape: LinkShape;
  target: ProxyTarget;
  addedDelayMs = 0;
  port = 0;
  readonly #given: ProxyOptions['target'];
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #state: State = 'open';
  #stopped: Promise<void> | undefined;

  constructor(options: ProxyOptions) {
    this.shape = options;
    this.#given = options.target;
    this.target = hostAndPortOf(options.target);
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#join(client));
    this.#server.unref();
  }

  async listen(port: number): Promise<void> {
    this.port = await listen(this.#server, port);
    if (typeof this.#given === 'string' || this.#given instanceof URL) {
      (this as { url: string | undefined }).url = this.through(this.#given);
    }
  }

  get state(): State {
    return this.#state;
  }

  through(url: string | URL): string {
    return leadThrough(url, this.port);
  }

  cut(): void {
    for (const pair of [...this.#pairs]) pair.close();
  }

  cutOne(dice: number): void {
    [...this.#pairs][Math.floor(dice * this.#pairs.size)]?.close();
  }

  refuse(): void {
    this.#state = 'refusing';
    for (const pair of [...this.#pairs]) pair.reset();
  }

  freeze(): void {
    this.#state = 'frozen';
    for (const pair of this.#pairs) pair.hold();
  }

  lose(): void {
    this.#state = 'losing';
  }

  restore(): void {
    this.#state = 'open';
    this.addedDelayMs = 0;
    for (const pair of [...this.#pairs]) {
      // A real network would have sent the bytes again: without them the connection is of no use.
      if (pair.hasLost) pair.close();
      else pair.release();
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= new Promise((resolve) => {
      this.#server.ref().close(() => resolve());
      for (const pair of [...this.#pairs]) pair.reset();
    });
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #join(client: Socket): void {
    if (this.#state === 'refusing') {
      client.on('error', ignore);
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ ...this.target, allowHalfOpen: true, noDelay: true });
    const pair = new Pair(client, upstream, this, () => {
      this.#pairs.delete(pair);
      this.stats.open -= 1;
    });
    this.stats.connections += 1;
    this.stats.open += 1;
    this.#pairs.add(pair);
    if (this.#state === 'frozen') pair.hold();
  }
}

/** One client connection and its own connection to the server. */
class Pair {
  /** Bytes of it were discarded. */
  hasLost = false;
  readonly #onClosed: () => void;
  readonly #sockets: readonly [Socket, Socket];
  readonly #directions: readonly [Direction, Direction];
  #closed = false;

  constructor(client: Socket, upstream: Socket, proxy: TcpProxy, onClosed: () => void) {
    const { stats } = proxy;
    const stream = stats.connections * 2;
    this.#onClosed = onClosed;
    this.#sockets = [client, upstream];
    const onLost = () => {
      this.hasLost = true;
    };
    const parts = { proxy, onLost };
    this.#directions = [
      new Direction(client, upstream, { ...parts, stream, count: (bytes) => (stats.bytesToServer += bytes) }),
      new Direction(upstream, client, {
        ...parts,
        stream: stream + 1,
        count: (bytes) => (stats.bytesToClient += bytes),
      }),
    ];
    // An error of either side ends both abruptly: what a peer sees of a broken connection.
    for (const socket of this.#sockets) {
      socket.unref();
      socket.on('error', () => this.reset());
      socket.on('close', () => {
        if (client.destroyed && upstream.destroyed) this.#finish();
      });
    }
  }

  /** Both sides see an orderly end. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#finish();
  }

  /** Both sides see a reset. */
  reset(): void {
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy();
    this.#finish();
  }

  hold(): void {
    for (const direction of this.#directions) direction.hold();
  }

  release(): void {
    for (const direction of this.#directions) direction.release();
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const direction of this.#directions) direction.stop();
    this.#onClosed();
  }
}

interface Held {
  /** Undefined: the sender has ended. */
  readonly bytes: Buffer | undefined;
  readonly outAtMs: number;
}

/** One direction: reads from one socket, holds as long as the link takes, writes to the other. */
class Direction {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #proxy: TcpProxy;
  readonly #outAtMs: ((nowMs: number, bytes: number) => number) | undefined;
  readonly #count: (bytes: number) => void;
  readonly #onLost: () => void;
  #queue: Held[] = [];
  #heldBytes = 0;
  #lastOutAtMs = 0;
  #holding = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    from: Socket,
    to: Socket,
    parts: {
      readonly proxy: TcpProxy;
      /** Distinguishes directions and connections. */
      readonly stream: number;
      readonly count: (bytes: number) => void;
      readonly onLost: () => void;
    },
  ) {
    const { proxy, stream, count, onLost } = parts;
    this.#from = from;
    this.#to = to;
    this.#proxy = proxy;
    this.#count = count;
    this.#onLost = onLost;
    this.#outAtMs = isShaped(proxy.shape) ? makeSchedule(proxy.shape, stream) : undefined;
    from.on('data', (bytes) => this.#enter(bytes));
    from.on('end', () => this.#enter(undefined));
    to.on('drain', () => this.#resume());
  }

  hold(): void {
    this.#holding = true;
    this.#from.pause();
  }

  release(): void {
    if (!this.#holding) return;
    this.#holding = false;
    this.#flush();
    this.#resume();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#queue = [];
  }

  #enter(bytes: Buffer | undefined): void {
    if (this.#proxy.state === 'losing') {
      this.#onLost();
      return;
    }
    if (bytes !== undefined) this.#count(bytes.length);
    const nowMs = performance.now();
    const outAtMs = (this.#outAtMs?.(nowMs, bytes?.length ?? 0) ?? nowMs) + this.#proxy.addedDelayMs;
    // A delay that grows smaller lets nothing overtake what is on its way.
    this.#lastOutAtMs = Math.max(this.#lastOutAtMs, outAtMs);
    this.#queue.push({ bytes, outAtMs: this.#lastOutAtMs });
    this.#heldBytes += bytes?.length ?? 0;
    if (this.#heldBytes > MAX_HELD_BYTES) this.#from.pause();
    this.#flush();
  }

  #flush(): void {
    if (this.#holding || this.#timer !== undefined) return;
    const nowMs = performance.now();
    let done = 0;
    for (const { bytes, outAtMs } of this.#queue) {
      if (outAtMs > nowMs) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#flush();
        }, outAtMs - nowMs).unref();
        break;
      }
      done += 1;
      if (bytes === undefined) this.#to.end();
      else if (this.#to.writable) {
        this.#heldBytes -= bytes.length;
        if (!this.#to.write(bytes)) this.#from.pause();
      }
    }
    this.#queue.splice(0, done);
    this.#resume();
  }

  #resume(): void {
    if (!this.#holding && this.#heldBytes <= MAX_HELD_BYTES && !this.#to.writableNeedDrain) this.#from.resume();
  }
}

function hostAndPortOf(target: ProxyOptions['target']): { host: string; port: number } {
  if (typeof target === 'object' && !(target instanceof URL)) return { host: target.host, port: target.port };
  const url = new URL(target);
  const port = url.port === '' ? defaultPortOf(url) : Number(url.port);
  if (url.hostname === '' || port === undefined) {
    throw new TypeError(`a proxy needs a URL with host and port, not ${url.protocol}`);
  }
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

function defaultPortOf(url: URL): number | undefined {
  return DEFAULT_PORTS[url.protocol] ?? DEFAULT_PORTS[url.protocol.replace(/\+[^:]*/, '')];
}

/** By text: the `URL` setters of host and port do nothing for some schemes. */
function leadThrough(url: string | URL, port: number): string {
  const { protocol, username, password, pathname, search, hash } = new URL(url);
  const user = username === '' && password === '' ? '' : `${username}${password === '' ? '' : `:${password}`}@`;
  return `${protocol}//${user}127.0.0.1:${port}${pathname}${search}${hash}`;
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function ignore(): void {}
