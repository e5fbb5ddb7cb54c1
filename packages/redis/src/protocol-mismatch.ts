import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { PolycastError } from '@polycast/core/adapter';
import type { HostAndPort } from './options.ts';
import { hostAndPort, type Settings } from './settings.ts';

/** Longest wait for what a server says when it is spoken to in the other protocol, in ms. */
const PROBE_TIMEOUT_MS = 1_000;

/**
 * Finds out whether a connection could not be opened because one side speaks TLS and the other does not: a server
 * without TLS waits for the end of a command that never comes, and one with TLS hangs up without a word.
 */
export interface MismatchProbe {
  /** The error to throw instead of `error`, if that was it. Takes no longer than {@link PROBE_TIMEOUT_MS}. */
  reason(error: PolycastError): Promise<PolycastError | undefined>;
  stop(): void;
}

/** Half way to the time limit, it looks already: the answer is there when the time is over. */
export function protocolMismatch(settings: Settings): MismatchProbe | undefined {
  const endpoint = settings.cluster?.[0] ?? settings;
  // Sentinels speak a TLS of their own; and how somebody else's connector connects cannot be known.
  if (settings.sentinels !== undefined || settings.ioredis?.Connector !== undefined) return undefined;
  if (settings.ioredis !== undefined && 'path' in settings.ioredis) return undefined;
  const probe = settings.tls === undefined ? speaksTls : speaksPlain;
  let speaksOther: Promise<boolean> | undefined;
  const look = () => {
    speaksOther ??= probe(endpoint);
    return speaksOther;
  };
  const timer = setTimeout(look, settings.connectTimeoutMs / 2);
  return {
    reason: async (error) => {
      if (!isSuspicious(error) || !(await look())) return undefined;
      const place = hostAndPort(endpoint);
      return new PolycastError(
        'protocol-mismatch',
        settings.tls === undefined
          ? `${place} speaks TLS; use rediss: or the option tls`
          : `${place} does not speak TLS; use redis: or tls: false`,
        { cause: error.cause },
      );
    },
    stop: () => clearTimeout(timer),
  };
}

/** Where no connection was made at all there is nothing to ask. */
function isSuspicious({ code, cause }: PolycastError): boolean {
  if (code === 'protocol-mismatch') return !/CERT|SELF_SIGNED|^UNABLE_TO|^DEPTH_ZERO/.test(codeOf(cause));
  return code === 'unreachable' && /^$|^timeout$|^ECONNRESET$|^EPIPE$|^ETIMEDOUT$/.test(codeOf(cause));
}

function codeOf(cause: unknown): string {
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

function speaksTls({ host, port }: HostAndPort): Promise<boolean> {
  return new Promise((resolve) => {
    const servername = isIP(host) === 0 ? { servername: host } : {};
    // Nothing is sent over it: who the server is does not matter.
    const socket = connectTls({ host, port, rejectUnauthorized: false, ...servername });
    answer(socket, resolve);
    socket.once('secureConnect', () => end(socket, resolve, true));
  });
}

function speaksPlain({ host, port }: HostAndPort): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    answer(socket, resolve);
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (reply) => end(socket, resolve, /^(\+PONG|-[A-Z]+ )/.test(reply.toString('latin1'))));
  });
}

type Socket = ReturnType<typeof connect>;

function answer(socket: Socket, resolve: (answered: boolean) => void): void {
  socket.setTimeout(PROBE_TIMEOUT_MS, () => end(socket, resolve, false));
  socket.once('error', () => end(socket, resolve, false));
  socket.once('close', () => resolve(false));
}

function end(socket: Socket, resolve: (answered: boolean) => void, answered: boolean): void {
  resolve(answered);
  socket.on('error', () => {});
  socket.destroy();
}
