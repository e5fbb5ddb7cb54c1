import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Who is at the other end of a stream. */
export interface StreamClient {
  /** Over TLS? */
  readonly secure: boolean;
  /** `address:port` */
  readonly remote: string;
}

/** What the first bytes of a connection are to a protocol. */
export type Detection =
  | 'accepted'
  | 'another-protocol'
  /** More bytes are needed. */
  | 'undecided'
  /** The client asks for TLS within the protocol: so many bytes are sent back as consent, then TLS begins. */
  | { readonly startTlsAfter: number };

/** A protocol other than HTTP and TLS, which its first bytes tell. */
export interface StreamProtocol {
  /** @param head the first bytes of the connection, at least one @param secure is this within TLS? */
  detect(head: Buffer, secure: boolean): Detection;
  /** Whoever takes the stream sees to its errors and its end. */
  accept(stream: Duplex, client: StreamClient): void;
}

/** Where a connection goes. `startTlsAfter` bytes of its head are the protocol's own. */
export type Destination = 'http' | StreamProtocol | { readonly startTlsAfter: number };

/** The record type that every TLS connection begins with: handshake. */
const TLS_HANDSHAKE = 0x16;

/** Undefined: more bytes are needed. Whatever no protocol accepts is for HTTP to refuse. */
export function destinationOf(
  head: Buffer,
  secure: boolean,
  protocols: readonly StreamProtocol[],
): Destination | undefined {
  if (head.length === 0) return undefined;
  if (head[0] === TLS_HANDSHAKE && !secure) return { startTlsAfter: 0 };
  let isDecided = true;
  for (const protocol of protocols) {
    const detection = protocol.detect(head, secure);
    if (detection === 'accepted') return protocol;
    if (typeof detection === 'object') return detection;
    if (detection === 'undecided') isDecided = false;
  }
  return isDecided ? 'http' : undefined;
}

/** Reads as much of a socket as tells where it goes, and then leaves it paused. */
export class ProtocolDetector {
  readonly #socket: Socket;

  /**
   * @param detect undefined: more bytes are needed
   * @param held begin to read when `release` is called
   */
  constructor(
    socket: Socket,
    held: boolean,
    detect: (head: Buffer) => Destination | undefined,
    onDetected: (destination: Destination, head: Buffer) => void,
  ) {
    this.#socket = socket;
    let head: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      const destination = detect(head);
      if (destination === undefined) return;
      socket.pause();
      socket.off('data', onData).off('end', onEnd);
      onDetected(destination, head);
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
