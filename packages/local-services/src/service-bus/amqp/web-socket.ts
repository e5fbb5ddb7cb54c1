import type { Duplex } from 'node:stream';
import { binaryStreamOf, type StreamClient, type WebSocketEndpoint } from '../../listener/index.ts';

/** @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide */
export const WEB_SOCKET_PATH = '/$servicebus/websocket';
export const WEB_SOCKET_PROTOCOL = 'AMQPWSB10';
/** Largest WebSocket message. Clients send an AMQP frame in one, and no tier takes frames above 1 MiB. */
export const MAX_WEB_SOCKET_BYTES = 2 * 1_024 * 1_024;

/** AMQP over WebSockets, where the vendor's clients look for it. */
export function amqpOverWebSockets(accept: (stream: Duplex, client: StreamClient) => void): WebSocketEndpoint {
  return {
    path: WEB_SOCKET_PATH,
    subprotocol: WEB_SOCKET_PROTOCOL,
    maxMessageBytes: MAX_WEB_SOCKET_BYTES,
    accept: (webSocket, client, _request, socket) =>
      accept(binaryStreamOf(webSocket, socket, 'AMQP is binary'), client),
  };
}
