import type { Socket } from 'node:net';
import { createServer, type Server } from 'node:tls';
import type { SecureContextSource } from './test-authority.ts';

/** TLS over sockets that somebody else accepted. The certificate is asked for with the first of them. */
export class TlsLayer {
  readonly #source: SecureContextSource;
  readonly #waiting = new Map<string, (socket: Socket) => void>();
  #server: Promise<Server> | undefined;

  constructor(source: SecureContextSource) {
    this.#source = source;
  }

  /** Bytes that were read already must have been put back. A handshake that fails destroys the socket. */
  async secure(socket: Socket, onSecure: (socket: Socket) => void): Promise<void> {
    const peer = peerOf(socket);
    this.#waiting.set(peer, onSecure);
    socket.once('close', () => this.#waiting.delete(peer));
    // Who leaves in the middle of a handshake is gone; after it, a client may end its half and still read an answer.
    socket.allowHalfOpen = false;
    this.#server ??= this.#start();
    const server = await this.#server;
    // "Any Duplex stream can be passed": https://nodejs.org/api/tls.html#event-connection
    if (!socket.destroyed) server.emit('connection', socket);
  }

  async #start(): Promise<Server> {
    const { cert, key } = await this.#source.identity();
    const server = createServer({ cert, key });
    server.on('secureConnection', (secured) => {
      secured.on('error', () => {});
      secured.allowHalfOpen = true;
      const peer = peerOf(secured);
      const onSecure = this.#waiting.get(peer);
      this.#waiting.delete(peer);
      if (onSecure === undefined) secured.destroy();
      else onSecure(secured);
    });
    server.on('tlsClientError', (_error, secured) => secured.destroy());
    return server;
  }
}

/** What a secured socket and the socket below it have in common. */
function peerOf(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}:${socket.localPort}`;
}
