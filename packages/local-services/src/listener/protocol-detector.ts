import type { Socket } from 'node:net';

/** What a client speaks, as its first bytes tell. `amqp-tls`: it asks for TLS within AMQP (AMQP 1.0 §5.2.1). */
export type Protocol = 'tls' | 'amqp-tls' | 'amqp' | 'http';

/** An AMQP protocol header: `AMQP`, protocol id, major, minor, revision. */
export const AMQP_HEADER_BYTES = 8;
const AMQP = 'AMQP';
const AMQP_TLS_ID = 2;
/** The record type every TLS connection begins with: handshake. */
const TLS_HANDSHAKE = 0x16;

/** Undefined: more bytes are needed. Whatever is neither TLS nor AMQP is for HTTP to refuse. */
export function protocolOf(head: Buffer, secure: boolean): Protocol | undefined {
  if (head.length === 0) return undefined;
  if (head[0] === TLS_HANDSHAKE && !secure) return 'tls';
  if (!AMQP.startsWith(head.toString('latin1', 0, AMQP.length))) return 'http';
  if (head.length <= AMQP.length) return undefined;
  if (head[AMQP.length] !== AMQP_TLS_ID || secure) return 'amqp';
  return head.length < AMQP_HEADER_BYTES ? undefined : 'amqp-tls';
}

/** Reads as much of a socket as tells what it speaks, and then leaves it paused. */
export class Peek {
  readonly #socket: Socket;

  /** @param held begin to read when `release` is called */
  constructor(socket: Socket, secure: boolean, held: boolean, onKnown: (protocol: Protocol, head: Buffer) => void) {
    this.#socket = socket;
    let head: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      const protocol = protocolOf(head, secure);
      if (protocol === undefined) return;
      socket.pause();
      socket.off('data', onData).off('end', onEnd);
      onKnown(protocol, head);
    };
    const onEnd = () => socket.destroy();
    socket.pause();
    socket.on('data', onData).on('end', onEnd);
    if (!held) socket.resume();
  }

  hold(): void {
    this.#socket.pause();
  }

  release(): void {
    this.#socket.resume();
  }
}
