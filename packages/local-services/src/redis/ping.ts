import { connect } from 'node:net';

/** Longest wait for one answer, in ms. */
const PING_TIMEOUT_MS = 1_000;

/** Does a Redis that is ready answer on this port? One that asks for a password is ready, one still loading is not. */
export function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(PING_TIMEOUT_MS, () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.once('connect', () => socket.write('*1\r\n$4\r\nPING\r\n'));
    socket.once('data', (reply) => end(/^(\+PONG|-NOAUTH|-NOPERM)/.test(reply.toString('latin1'))));
  });
}
