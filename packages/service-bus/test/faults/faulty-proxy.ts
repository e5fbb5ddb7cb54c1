import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Frame, FrameReader } from './frame-reader.ts';

/** What is done to the connection that an awaited frame passes. */
export type Deed =
  /** The frame does not pass, and both sides see the connection break. */
  | 'cut'
  /** So, but half of the frame passes first. */
  | 'halve'
  /** Neither the frame nor anything after it passes, in both directions, and nobody is told. */
  | 'swallow';

/** A deed that waits for its frame. */
export interface Ambush {
  /** How often it was done. */
  readonly done: number;
}

interface Waiting {
  readonly fits: (frame: Frame) => boolean;
  readonly deed: Deed | 'watch';
  left: number;
  done: number;
}

/** Between clients and a service on this machine: sees the AMQP frames that pass, and breaks what it is told to. Keeps nothing alive. */
export class FaultyProxy {
  readonly #server: Server;
  readonly #target: number;
  readonly #pairs = new Set<Pair>();
  readonly #ambushes: Waiting[] = [];
  /** Frames and HTTP requests wait so long on their way, each direction. */
  delayMs = 0;
  /** New connections are swallowed as well. */
  #swallows = false;
  /** Every frame that reached the proxy. */
  readonly seen: Pick<Frame, 'way' | 'performative'>[] = [];

  static async before(port: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(port);
    proxy.#server.unref().listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((near) => {
      const pair: Pair = new Pair(near, connect(this.#target, '127.0.0.1'), this, () => this.#pairs.delete(pair));
      this.#pairs.add(pair);
      if (this.#swallows) pair.swallow();
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Open AMQP connections. */
  get connections(): number {
    return [...this.#pairs].filter(({ isAmqp, isOpen }) => isAmqp && isOpen).length;
  }

  /** Does something to the connections over which the next such frames come. `watch`: they pass, and are counted. */
  await(deed: Deed | 'watch', fits: (frame: Frame) => boolean, times = 1): Ambush {
    const waiting: Waiting = { fits, deed, left: times, done: 0 };
    this.#ambushes.push(waiting);
    return waiting;
  }

  /** For pairs: what is to be done when this frame comes. */
  deedFor(frame: Frame): Deed | undefined {
    this.seen.push({ way: frame.way, performative: frame.performative });
    const waiting = this.#ambushes.find(({ left, fits }) => left > 0 && fits(frame));
    if (waiting === undefined) return undefined;
    waiting.left--;
    waiting.done++;
    return waiting.deed === 'watch' ? undefined : waiting.deed;
  }

  /** Breaks every connection, and lets new ones through. */
  cut(): void {
    for (const pair of [...this.#pairs]) pair.destroy();
  }

  /** A black hole: nothing passes any more, nobody is told, and new connections fare no better until `heal`. */
  swallow(): void {
    this.#swallows = true;
    for (const pair of this.#pairs) pair.swallow();
  }

  /** New connections pass. What was swallowed is lost. */
  heal(): void {
    this.#swallows = false;
  }

  /** The service notices, too, what was swallowed: by its own keep-alive, minutes later. Until then it sends into the hole. */
  async reap(): Promise<void> {
    await Promise.all([...this.#pairs].filter(({ isSwallowed }) => isSwallowed).map((pair) => pair.destroy()));
  }

  async stop(): Promise<void> {
    this.#server.close();
    await Promise.all([...this.#pairs].map((pair) => pair.destroy()));
  }
}

/** One client's connection. */
class Pair {
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #proxy: FaultyProxy;
  #swallows = false;
  #isAmqp: boolean | undefined;

  constructor(near: Socket, far: Socket, proxy: FaultyProxy, onClose: () => void) {
    this.#near = near;
    this.#far = far;
    this.#proxy = proxy;
    for (const socket of [near, far]) {
      socket.setNoDelay(true).unref();
      socket.on('error', () => {});
      socket.on('close', () => {
        if (this.#swallows) return;
        void this.destroy();
        onClose();
      });
    }
    this.#join(near, far, 'up');
    this.#join(far, near, 'down');
  }

  get isAmqp(): boolean {
    return this.#isAmqp === true;
  }

  /** Has its client not hung up yet? */
  get isOpen(): boolean {
    return !this.#near.closed;
  }

  get isSwallowed(): boolean {
    return this.#swallows;
  }

  /** Whoever hangs up is not heard on the other side either. */
  swallow(): void {
    this.#swallows = true;
  }

  async destroy(): Promise<void> {
    this.#swallows = false;
    await Promise.all(
      [this.#near, this.#far].map((socket) => {
        if (socket.closed) return undefined;
        const closed = once(socket, 'close');
        socket.destroy();
        return closed;
      }),
    );
  }

  #join(from: Socket, to: Socket, way: 'up' | 'down'): void {
    const reader = new FrameReader(way);
    from.on('data', (chunk: Buffer) => {
      if (this.#swallows) return;
      this.#isAmqp ??= chunk.toString('latin1', 0, 4) === 'AMQP';
      if (!this.#isAmqp) return this.#pass(to, chunk);
      for (const frame of reader.read(chunk)) {
        if (this.#swallows || !this.#take(frame, to)) return;
      }
    });
  }

  /** @returns may more pass? */
  #take(frame: Frame, to: Socket): boolean {
    const deed = this.#proxy.deedFor(frame);
    if (deed === 'swallow') {
      this.swallow();
      return false;
    }
    if (deed === undefined) this.#pass(to, frame.bytes);
    else if (deed === 'halve') this.#pass(to, frame.bytes.subarray(0, frame.bytes.length / 2));
    if (deed === undefined) return true;
    // What has passed must arrive: a destroyed socket would take it back.
    to.end(() => void this.destroy());
    if (deed === 'cut') void this.destroy();
    return false;
  }

  #pass(to: Socket, bytes: Buffer): void {
    if (this.#proxy.delayMs === 0) to.write(bytes);
    else setTimeout(() => to.write(bytes), this.#proxy.delayMs).unref();
  }
}
