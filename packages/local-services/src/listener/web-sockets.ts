import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';

/** @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide */
export const WEB_SOCKET_PATH = '/$servicebus/websocket';
export const WEB_SOCKET_PROTOCOL = 'AMQPWSB10';
/** Largest WebSocket message. Clients send an AMQP frame in one, and no tier takes frames above 1 MiB. */
export const MAX_WEB_SOCKET_BYTES = 2 * 1_024 * 1_024;
/** How long a client may take to answer the closing of a WebSocket. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Turns HTTP upgrades into streams of AMQP bytes. */
export class WebSockets {
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_WEB_SOCKET_BYTES,
    handleProtocols: () => WEB_SOCKET_PROTOCOL,
    // ws knows it, its types do not yet.
    ...{ closeTimeout: CLOSE_TIMEOUT_MS },
  });

  /** Answers an upgrade that is none of ours with the status that says why, and ends the socket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, onStream: (stream: Duplex) => void): void {
    const refusal = refusalOf(request);
    if (refusal !== undefined) {
      refuse(socket, ...refusal);
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => onStream(streamOf(webSocket, socket)));
  }
}

function refusalOf({ headers, url = '' }: IncomingMessage): [status: number, reason: string] | undefined {
  if (headers.upgrade?.toLowerCase() !== 'websocket') return [400, 'only WebSockets are upgraded to'];
  const path = url.split('?', 1)[0]!.replace(/\/$/, '');
  if (path.toLowerCase() !== WEB_SOCKET_PATH) return [404, `WebSockets are served at ${WEB_SOCKET_PATH}/`];
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (!protocols.includes(WEB_SOCKET_PROTOCOL)) return [400, `the sub-protocol must be ${WEB_SOCKET_PROTOCOL}`];
  return undefined;
}

function refuse(socket: Duplex, status: number, reason: string): void {
  const headers = `Connection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(reason)}`;
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers}\r\n\r\n${reason}`);
}

function streamOf(webSocket: WebSocket, socket: Duplex): Duplex {
  const stream = createWebSocketStream(webSocket, { allowHalfOpen: false });
  stream.on('error', () => {});
  // After a fault ws waits for the client to close; this one will not be believed any more.
  webSocket.on('error', () => setImmediate(() => socket.destroy()));
  webSocket.on('message', (_data, binary) => {
    if (!binary) webSocket.close(1003, 'AMQP is binary');
  });
  return stream;
}
