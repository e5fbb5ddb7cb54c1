import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { PolycastError } from '@polycast/core';
import { checkShape, isShaped, type LinkShape, makeSchedule } from './link-shape.ts';

/** Bytes one direction may hold before its sender is made to wait. Above what 100 ms at 1 Gbit/s needs. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;

export interface ProxyOptions extends LinkShape {
  /** Where connections go: a URL (its host and port), or both apart. */
  readonly target: string | URL | { readonly host: string; readonly port: number };
  /** Port to listen on, on 127.0.0.1. @default 0: a free one */
  readonly port?: number;
}

/** A TCP proxy that makes loopback behave like a real link, and can break it. */
export interface ProxyHandle extends AsyncDisposable {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** The target's URL led through the proxy; user, password, path and query stay. Undefined if the target was no URL. */
  readonly url: string | undefined;
  /** The same for any other URL of that server. */
  through(url: string | URL): string;
  readonly stats: ProxyStats;
  /** Resets every connection; new ones are reset at once, until `restore`. */
  cut(): void;
  /** Passes nothing on and closes nothing, as if packets vanished, until `restore`. New connections are made, and hear nothing. */
  stall(): void;
  /** Ends `cut` or `stall`; held bytes pass on. */
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
 * @throws TypeError for a shape without meaning. @throws PolycastError `invalid-configuration` for a URL without host or port.
 */
export async function startProxy(options: ProxyOptions): Promise<ProxyHandle> {
  checkShape(options);
  const target = hostAndPortOf(options.target);
  const stats: ProxyStats = { connections: 0, open: 0, bytesToServer: 0, bytesToClient: 0 };
  const pairs = new Set<Pair>();
  let state: 'open' | 'cut' | 'stalled' = 'open';

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (state === 'cut') {
      client.on('error', ignore);
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ ...target, allowHalfOpen: true, noDelay: true });
    const pair = new Pair(client, upstream, options, stats);
    stats.connections += 1;
    stats.open += 1;
    pairs.add(pair);
    pair.onClosed = () => {
      pairs.delete(pair);
      stats.open -= 1;
    };
    if (state === 'stalled') pair.hold();
  });
  const port = await listen(server, options.port ?? 0);

  const resetAll = () => {
    for (const pair of [...pairs]) pair.reset();
  };
  const through = (url: string | URL) => leadThrough(url, port);
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= new Promise((resolve) => {
      server.close(() => resolve());
      resetAll();
    });
    return stopped;
  };
  return {
    host: '127.0.0.1',
    port,
    url: typeof options.target === 'string' || options.target instanceof URL ? through(options.target) : undefined,
    through,
    stats,
    cut() {
      state = 'cut';
      resetAll();
    },
    stall() {
      state = 'stalled';
      for (const pair of pairs) pair.hold();
    },
    restore() {
      state = 'open';
      for (const pair of pairs) pair.release();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** One client connection and its own connection to the server. */
class Pair {
  onClosed: () => void = ignore;
  readonly #sockets: readonly [Socket, Socket];
  readonly #ways: readonly [Way, Way];
  #closed = false;

  constructor(client: Socket, upstream: Socket, shape: LinkShape, stats: ProxyStats) {
    const stream = stats.connections * 2;
    this.#sockets = [client, upstream];
    this.#ways = [
      new Way(client, upstream, shape, stream, (bytes) => {
        stats.bytesToServer += bytes;
      }),
      new Way(upstream, client, shape, stream + 1, (bytes) => {
        stats.bytesToClient += bytes;
      }),
    ];
    // An error of either side ends both abruptly: what a peer sees of a broken connection.
    for (const socket of this.#sockets) {
      socket.on('error', () => this.reset());
      socket.on('close', () => {
        if (client.destroyed && upstream.destroyed) this.#finish();
      });
    }
  }

  reset(): void {
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy();
    this.#finish();
  }

  hold(): void {
    for (const way of this.#ways) way.hold();
  }

  release(): void {
    for (const way of this.#ways) way.release();
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const way of this.#ways) way.stop();
    this.onClosed();
  }
}

interface Held {
  /** Undefined: the sender has ended. */
  readonly bytes: Buffer | undefined;
  readonly outAtMs: number;
}

/** One direction: reads from one socket, holds as long as the shape says, writes to the other. */
class Way {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #outAtMs: ((nowMs: number, bytes: number) => number) | undefined;
  readonly #count: (bytes: number) => void;
  #queue: Held[] = [];
  #heldBytes = 0;
  #holding = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, shape: LinkShape, stream: number, count: (bytes: number) => void) {
    this.#from = from;
    this.#to = to;
    this.#count = count;
    this.#outAtMs = isShaped(shape) ? makeSchedule(shape, stream) : undefined;
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
    if (bytes !== undefined) this.#count(bytes.length);
    const nowMs = performance.now();
    this.#queue.push({ bytes, outAtMs: this.#outAtMs?.(nowMs, bytes?.length ?? 0) ?? nowMs });
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
        // A proxy alone must not keep a process alive; the sockets it serves do.
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
    throw new PolycastError(
      'invalid-configuration',
      `a link can only be shaped to a URL with host and port, not ${url.protocol}`,
    );
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
