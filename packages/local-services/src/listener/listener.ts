import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Connection, type Switchboard } from './connection.ts';
import type { HoldableStream } from './holdable-stream.ts';
import { type Destination, destinationOf, type StreamClient, type StreamProtocol } from './protocol-detector.ts';
import type { SecureContextSource } from './test-authority.ts';
import { TlsLayer } from './tls-layer.ts';
import { type WebSocketEndpoint, WebSockets } from './web-sockets.ts';

/** How long a client may take to say what it speaks: its first bytes, a TLS handshake, the head of its first HTTP request. */
export const FIRST_BYTES_TIMEOUT_MS = 20_000;
/** How long an HTTP connection is kept open for its next request. */
export const KEEP_ALIVE_TIMEOUT_MS = 120_000;
/** How long the body of an HTTP request may take. */
export const BODY_TIMEOUT_MS = 300_000;
/** @default for `maxHeaderBytes` */
const MAX_HEADER_BYTES = 16 * 1_024;

const NO_TUNNELS = 'HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

export interface ListenerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly tls: SecureContextSource;
  /** Every HTTP request, plain or over TLS. */
  readonly http: (request: IncomingMessage, response: ServerResponse) => void;
  /** How large the headers of a request may be; larger ones are answered with 431. @default 16 KiB */
  readonly maxHeaderBytes?: number;
  /** Protocols that share the port, asked in this order. @default none */
  readonly protocols?: readonly StreamProtocol[];
  /** @default none */
  readonly webSockets?: readonly WebSocketEndpoint[];
  /** @default FIRST_BYTES_TIMEOUT_MS */
  readonly firstBytesTimeoutMs?: number;
}

/** One TCP port for HTTP, WebSockets and further protocols, plain and over TLS. Neither it nor its sockets keep the process alive. */
export interface Listener {
  readonly port: number;
  /** Open TCP connections, whatever they speak. */
  readonly connections: number;
  /** Listens no more and destroys every socket. The port is then free again. Idempotent. */
  close(): Promise<void>;
  /** Destroys every open socket; new ones are welcome. */
  cut(): void;
  /**
   * As if the process were stopped (SIGSTOP): sockets stay open, clients may connect, nothing is read and nothing answered.
   * A TLS handshake that is under way comes to its end.
   */
  freeze(): void;
  /** Undoes `freeze`: what arrived and what was answered meanwhile follows, in order. */
  thaw(): void;
}

/** @throws Error of node:net when the port cannot be had, with code `EADDRINUSE`, `EACCES`, `ENOTFOUND` … */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const listener = new TcpListener(options);
  await listener.listen(options.host, options.port);
  return listener;
}

class TcpListener implements Listener, Switchboard {
  readonly #handleHttp: ListenerOptions['http'];
  readonly #protocols: readonly StreamProtocol[];
  readonly #firstBytesTimeoutMs: number;
  readonly #server: Server;
  readonly #http: HttpServer;
  readonly #webSockets: WebSockets;
  readonly #tls: TlsLayer;
  readonly #connections = new Set<Connection>();
  readonly #connectionOf = new WeakMap<Duplex, Connection>();
  #port = 0;
  #held = false;
  #closed: Promise<void> | undefined;

  constructor(options: ListenerOptions) {
    const { maxHeaderBytes = MAX_HEADER_BYTES } = options;
    this.#handleHttp = options.http;
    this.#protocols = options.protocols ?? [];
    this.#firstBytesTimeoutMs = options.firstBytesTimeoutMs ?? FIRST_BYTES_TIMEOUT_MS;
    this.#tls = new TlsLayer(options.tls);
    this.#webSockets = new WebSockets(options.webSockets ?? []);
    this.#http = createHttpServer({ maxHeaderSize: maxHeaderBytes, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS });
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.#http.on('request', (request, response) => this.#request(request, response));
    // Node would close the connection without a word.
    this.#http.on('connect', (_request, socket) => void socket.end(NO_TUNNELS));
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  async listen(host: string, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
    // A socket that cannot be accepted (EMFILE) is the client's trouble; the others go on.
    this.#server.on('error', () => {});
    this.#server.unref();
  }

  get port(): number {
    return this.#port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  get held(): boolean {
    return this.#held;
  }

  cut(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  freeze(): void {
    this.#held = true;
    for (const connection of this.#connections) connection.hold();
  }

  thaw(): void {
    this.#held = false;
    for (const connection of this.#connections) connection.release();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const silent = new Promise((resolve) => this.#server.ref().close(resolve));
    const open = [...this.#connections].map(({ closed }) => closed);
    this.cut();
    await Promise.all([silent, ...open]);
  }

  #accept(socket: Socket): void {
    const connection = new Connection(socket, this);
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
    connection.setDeadline(this.#firstBytesTimeoutMs);
  }

  secure(socket: Socket, onSecure: (socket: Socket) => void): void {
    this.#tls.secure(socket, onSecure).catch((error: Error) => {
      process.emitWarning(error);
      socket.destroy();
    });
  }

  detect(head: Buffer, secure: boolean): Destination | undefined {
    return destinationOf(head, secure, this.#protocols);
  }

  http(stream: HoldableStream, connection: Connection): void {
    this.#connectionOf.set(stream, connection);
    this.#http.emit('connection', stream);
  }

  accept(protocol: StreamProtocol, stream: Duplex, connection: Connection, client: StreamClient): void {
    connection.clearDeadline();
    stream.allowHalfOpen = false;
    this.#guard(connection, () => protocol.accept(stream, client));
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connectionOf.get(request.socket);
    if (connection === undefined) return;
    connection.setDeadline(BODY_TIMEOUT_MS);
    request.once('end', () => {
      if (!response.writableEnded) connection.clearDeadline();
    });
    response.once('close', () => connection.setDeadline(KEEP_ALIVE_TIMEOUT_MS));
    this.#guard(connection, () => this.#handleHttp(request, response));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const connection = this.#connectionOf.get(socket);
    if (connection === undefined) return;
    const client = { secure: (socket as HoldableStream).encrypted, remote: connection.remote };
    this.#webSockets.upgrade(request, socket, head, (endpoint, webSocket) => {
      connection.clearDeadline();
      this.#guard(connection, () => endpoint.accept(webSocket, client, request, socket));
    });
  }

  /** A defect of ours costs one client its connection, and is told; it does not take the process down. */
  #guard(connection: Connection, action: () => void): void {
    try {
      action();
    } catch (error) {
      process.emitWarning(error as Error);
      connection.destroy();
    }
  }
}
