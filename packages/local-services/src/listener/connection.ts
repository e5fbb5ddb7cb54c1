import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HoldableStream } from './holdable-stream.ts';
import { type Destination, ProtocolDetector, type StreamClient, type StreamProtocol } from './protocol-detector.ts';

/** What may be held: a stage of a connection, from its first byte to its protocol. */
interface Stage {
  hold(): void;
  release(): void;
}

/** What a connection is part of. */
export interface Switchboard {
  readonly held: boolean;
  /** Undefined: more bytes are needed. */
  detect(head: Buffer, secure: boolean): Destination | undefined;
  /** Begins TLS on the socket; `onSecure` is called when the handshake is through. */
  secure(socket: Socket, onSecure: (socket: Socket) => void): void;
  accept(protocol: StreamProtocol, stream: Duplex, connection: Connection, client: StreamClient): void;
  http(stream: HoldableStream, connection: Connection): void;
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
    this.#detect(socket, false);
  }

  /** Destroys it in so many ms, unless that is taken back. Time in which the listener is frozen does not count. */
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

  #detect(socket: Socket, secure: boolean): void {
    this.#stage = new ProtocolDetector(
      socket,
      this.#switchboard.held,
      (head) => this.#switchboard.detect(head, secure),
      (destination, head) => this.#route(socket, secure, destination, head),
    );
  }

  #route(socket: Socket, secure: boolean, destination: Destination, head: Buffer): void {
    if (typeof destination === 'object' && 'startTlsAfter' in destination) {
      const consent = destination.startTlsAfter;
      if (consent > 0) socket.write(head.subarray(0, consent));
      if (head.length > consent) socket.unshift(head.subarray(consent));
      this.#stage = NOTHING_TO_HOLD;
      this.#switchboard.secure(socket, (secured) => {
        this.#top = secured;
        this.#detect(secured, true);
      });
      return;
    }
    const stream = new HoldableStream(socket, head, secure);
    stream.on('error', () => {});
    this.#top = stream;
    this.#stage = stream;
    if (destination === 'http') this.#switchboard.http(stream, this);
    else this.#switchboard.accept(destination, stream, this, { secure, remote: this.remote });
  }
}
