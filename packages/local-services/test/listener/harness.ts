import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import {
  binaryStreamOf,
  type Detection,
  type Listener,
  type ListenerOptions,
  openListener,
  type StreamClient,
  TestAuthority,
} from '../../src/listener/index.ts';

/** What a client of the echo says first. */
export const HELLO = Buffer.from('ECHO\x03\x01\x00\x00', 'latin1');
/** The same, and it asks for TLS within the protocol. */
export const HELLO_TLS = Buffer.from('ECHO\x02\x01\x00\x00', 'latin1');
export const WEB_SOCKET_PATH = '/echo/websocket/';
export const SUBPROTOCOL = 'echo1';

/** One authority for all tests of a file: making it is not what they test. */
export const authority = new TestAuthority();

export interface Seen extends StreamClient {
  readonly webSocket: boolean;
}

type Options = Partial<ListenerOptions> & {
  /** What is done with a stream of the protocol. @default it is echoed */
  readonly accept?: (stream: Duplex) => void;
};

/** A listener behind which a protocol of ours is echoed, and HTTP says what arrived. It goes with the test. */
export async function echoListener(options: Options = {}): Promise<Listener & { readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const { accept = (stream: Duplex) => void stream.pipe(stream) } = options;
  const listener = await openListener({
    host: '127.0.0.1',
    port: 0,
    tls: authority,
    http: answer,
    protocols: [
      {
        detect: detectEcho,
        accept(stream, client) {
          seen.push({ ...client, webSocket: false });
          accept(stream);
        },
      },
    ],
    webSockets: [
      {
        path: WEB_SOCKET_PATH.slice(0, -1),
        subprotocol: SUBPROTOCOL,
        maxMessageBytes: 2_000_000,
        accept(webSocket, client, _request, socket) {
          seen.push({ ...client, webSocket: true });
          accept(binaryStreamOf(webSocket, socket, 'the echo is binary'));
        },
      },
    ],
    ...options,
  });
  onTestFinished(() => listener.close());
  return Object.assign(listener, { seen });
}

export function detectEcho(head: Buffer, secure: boolean): Detection {
  if (!'ECHO'.startsWith(head.toString('latin1', 0, 4))) return 'another-protocol';
  if (head.length < 5) return 'undecided';
  if (head[4] !== HELLO_TLS[4] || secure) return 'accepted';
  return head.length < HELLO_TLS.length ? 'undecided' : { startTlsAfter: HELLO_TLS.length };
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { encrypted } = request.socket as { encrypted?: boolean };
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method: request.method, url: request.url, encrypted, body }));
  });
}

export async function plain(port: number): Promise<Socket> {
  const socket = connectTcp({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  return tidy(socket);
}

export async function secure(port: number, under?: Socket): Promise<TLSSocket> {
  const { caCert } = await authority.identity();
  const to = under === undefined ? { port, host: '127.0.0.1' } : { socket: under };
  const socket = connectTls({ ...to, ca: caCert, servername: 'localhost' });
  await once(socket, 'secureConnect');
  return tidy(socket);
}

function tidy<S extends Duplex>(socket: S): S {
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Reads that many bytes, or all there are until the end if fewer come. */
export function read(stream: Duplex, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve) => {
    const take = () => {
      while (length < bytes && stream.readableLength > 0) {
        const chunk = stream.read(Math.min(bytes - length, stream.readableLength)) as Buffer | null;
        if (chunk === null) break;
        chunks.push(chunk);
        length += chunk.length;
      }
      // Nothing but a read tells a stream to look for its end.
      if (length < bytes) stream.read(0);
      if (length >= bytes || stream.readableEnded || stream.destroyed) finish();
    };
    const finish = () => {
      for (const event of EVENTS) stream.off(event, take);
      resolve(Buffer.concat(chunks));
    };
    for (const event of EVENTS) stream.on(event, take);
    take();
  });
}

const EVENTS = ['readable', 'end', 'close'] as const;

export async function readToEnd(stream: Duplex): Promise<string> {
  return (await read(stream, Number.POSITIVE_INFINITY)).toString('latin1');
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
