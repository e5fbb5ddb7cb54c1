import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Valve } from './holdable-stream.ts';
import { AMQP_HEADER_BYTES, Peek, type Protocol } from './protocol-detector.ts';

/** What may be held: a stage of a connection, from its first byte to its protocol. */
interface Stage {
  hold(): void;
  release(): void;
}

/** Where a connection goes once it is known what it speaks. */
export interface Switchboard {
  readonly held: boolean;
  /** Begins TLS on the socket; `onSecure` is called when the handshake is through. */
  secure(socket: Socket, onSecure: (socket: Socket) => void): void;
  amqp(stream: Valve, connection: Connection): void;
  http(stream: Valve, connection: Connection): void;
}

const NOTHING_TO_HOLD: Stage = { hold() {}, release() {} };

/** One TCP connection of a client. It ends when the socket closes, when its deadline passes, or when it is destroyed. */
export class Connection {
  /** `address:port` of the client. */
  readonly remote: string;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #switchboard: Switchboard;
  #top: Duplex;
  #stage: Stage = NOTHING_TO_HOLD;
  #deadline: NodeJS.Timeout | undefined;

  constructor(socket: Socket, switchboard: Switchboard) {
    this.#socket = socket;
    this.#top = socket;
    this.#switchboard = switchboard;
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`;
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.clearDeadline();
        resolve();
      });
    });
    socket.unref();
    this.#peek(socket, false);
  }

  /** Destroys it in so many ms, unless that is taken back. Time in which the gate is frozen does not count. */
  setDeadline(ms: number): void {
    clearTimeout(this.#deadline);
    if (this.#socket.destroyed) return;
    const onTime = () => (this.#switchboard.held ? this.setDeadline(ms) : this.destroy());
    this.#deadline = setTimeout(onTime, ms).unref();
  }

  clearDeadline(): void {
    clearTimeout(this.#deadline);
  }

  hold(): void {
    this.#stage.hold();
  }

  release(): void {
    this.#stage.release();
  }

  destroy(): void {
    this.#top.destroy();
    this.#socket.destroy();
  }

  #peek(socket: Socket, secure: boolean): void {
    this.#stage = new Peek(socket, secure, this.#switchboard.held, (protocol, head) => {
      this.#route(socket, secure, protocol, head);
    });
  }

  #route(socket: Socket, secure: boolean, protocol: Protocol, head: Buffer): void {
    if (protocol === 'tls' || protocol === 'amqp-tls') {
      const rest = protocol === 'tls' ? head : head.subarray(AMQP_HEADER_BYTES);
      if (protocol === 'amqp-tls') socket.write(head.subarray(0, AMQP_HEADER_BYTES));
      if (rest.length > 0) socket.unshift(rest);
      this.#stage = NOTHING_TO_HOLD;
      this.#switchboard.secure(socket, (secured) => {
        this.#top = secured;
        this.#peek(secured, true);
      });
      return;
    }
    const valve = new Valve(socket, head, secure);
    valve.on('error', () => {});
    this.#top = valve;
    this.#stage = valve;
    this.#switchboard[protocol](valve, this);
  }
}
