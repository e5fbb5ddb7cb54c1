import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { Socket } from 'node:net';

/**
 * The sockets that one participant opens, whatever client library does it: those connected while it works, and while what it started
 * works. They can be broken from this side, which harms no server, with TLS and without.
 */
export class OwnSockets {
  readonly #sockets = new Set<Socket>();
  #isCutOff = false;

  /** What `work` connects, now or later, is ours. */
  watch<Result>(work: () => Result): Result {
    watchSockets();
    return owner.run(this, work);
  }

  /** Breaks every connection once. Resolves when its users can have noticed. */
  async cut(): Promise<void> {
    await Promise.all([...this.#sockets].map((socket) => once(socket.destroy(), 'close')));
  }

  /** Breaks every connection, and lets no new one be made. */
  async cutOff(): Promise<void> {
    this.#isCutOff = true;
    await this.cut();
  }

  get isCutOff(): boolean {
    return this.#isCutOff;
  }

  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

const owner = new AsyncLocalStorage<OwnSockets>();
/** Nothing listens there: a participant that is cut off is refused in the same way, and at the same moment, as by a machine that is gone. */
const NOWHERE = { host: '127.0.0.1', port: 1 };
let isWatching = false;

/** TLS connects its sockets by the same method. Nothing changes for a socket that no participant opens. */
function watchSockets(): void {
  if (isWatching) return;
  isWatching = true;
  const connect = Socket.prototype.connect as (...args: unknown[]) => Socket;
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
    const own = owner.getStore();
    own?.add(this);
    return connect.apply(this, own?.isCutOff ? [NOWHERE] : args);
  } as typeof Socket.prototype.connect;
}
