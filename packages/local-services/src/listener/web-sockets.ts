import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import type { StreamClient } from './protocol-detector.ts';

/** How long a client may take to answer the closing of a WebSocket, in ms. */
const CLOSE_TIMEOUT_MS = 2_000;

/** A path at which WebSockets are served. */
export interface WebSocketEndpoint {
  /** Begins with a slash and does not end with one: `/client`. Compared without case, query and a slash at the end. */
  readonly path: string;
  /** The one that clients must offer. @default any, and none is chosen */
  readonly subprotocol?: string;
  /** Size of the largest message; a larger one closes the WebSocket with 1009. */
  readonly maxMessageBytes: number;
  /** @param socket the connection beneath: to be destroyed where a client no longer keeps to the protocol */
  accept(webSocket: WebSocket, client: StreamClient, request: IncomingMessage, socket: Duplex): void;
}

/** Turns HTTP upgrades into WebSockets. */
export class WebSockets {
  readonly #servers: ReadonlyMap<WebSocketEndpoint, WebSocketServer>;

  constructor(endpoints: readonly WebSocketEndpoint[]) {
    this.#servers = new Map(endpoints.map((endpoint) => [endpoint, serverOf(endpoint)]));
  }

  /** Answers an upgrade that no endpoint serves with the status that says why, and ends the socket. */
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    onOpen: (endpoint: WebSocketEndpoint, webSocket: WebSocket) => void,
  ): void {
    const found = this.#find(request);
    if (Array.isArray(found)) refuse(socket, ...found);
    else this.#servers.get(found)!.handleUpgrade(request, socket, head, (webSocket) => onOpen(found, webSocket));
  }

  #find({ headers, url = '' }: IncomingMessage): WebSocketEndpoint | [status: number, reason: string] {
    if (headers.upgrade?.toLowerCase() !== 'websocket') return [400, 'only WebSockets are upgraded to'];
    const path = url.split('?', 1)[0]!.replace(/\/$/, '').toLowerCase();
    const endpoints = [...this.#servers.keys()];
    const here = endpoints.filter((endpoint) => endpoint.path.toLowerCase() === path);
    if (here.length === 0) {
      const paths = endpoints.map((endpoint) => `${endpoint.path}/`).join(', ');
      return [404, paths === '' ? 'there are no WebSockets here' : `WebSockets are served at ${paths}`];
    }
    const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    const found = here.find(({ subprotocol }) => subprotocol === undefined || offered.includes(subprotocol));
    return found ?? [400, `the sub-protocol must be ${here.map(({ subprotocol }) => subprotocol).join(' or ')}`];
  }
}

function serverOf({ subprotocol, maxMessageBytes }: WebSocketEndpoint): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handleProtocols: () => subprotocol ?? false,
    // ws knows it, its types do not yet.
    ...{ closeTimeout: CLOSE_TIMEOUT_MS },
  });
}

function refuse(socket: Duplex, status: number, reason: string): void {
  const headers = `Connection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(reason)}`;
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers}\r\n\r\n${reason}`);
}

/** The bytes of a WebSocket's binary messages, one after another. A text message closes it with 1003 and `refusal`. */
export function binaryStreamOf(webSocket: WebSocket, socket: Duplex, refusal: string): Duplex {
  const stream = createWebSocketStream(webSocket, { allowHalfOpen: false });
  stream.on('error', () => {});
  // After a fault ws waits for the client to close; this one will not be believed any more.
  webSocket.on('error', () => setImmediate(() => socket.destroy()));
  webSocket.on('message', (_data, binary) => {
    if (!binary) webSocket.close(1003, refusal);
  });
  return stream;
}
