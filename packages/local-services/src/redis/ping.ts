import { connect } from 'node:net';

/** Maximum wait for one answer, ms. */
const PING_TIMEOUT_MS = 1_000;

/** Does a Redis that is ready answer on this port? One that asks for a password is ready, one still loading is not. */
export function answersPing(port: number): Promise<boolean> {
  return ask(port, 'PING').then(
    (reply) => /^(\+PONG|-NOAUTH|-NOPERM)/.test(reply),
    () => false,
  );
}

/** Has a server end the connections of all its clients. @throws Error in the server's words, or if it does not answer */
export async function cutClients(port: number): Promise<void> {
  for (const type of ['pubsub', 'normal']) {
    const reply = await ask(port, `CLIENT KILL TYPE ${type} SKIPME yes`);
    if (!reply.startsWith(':')) throw new Error(`redis-server did not disconnect its clients: ${reply.trim()}`);
  }
}

/** The first bytes of the answer to a command of words without spaces. */
function ask(port: number, command: string): Promise<string> {
  const words = command.split(' ');
  const request = [`*${words.length}`, ...words.flatMap((word) => [`$${word.length}`, word]), ''].join('\r\n');
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (deed: () => void) => {
      socket.destroy();
      deed();
    };
    const fail = () => end(() => reject(new Error(`redis-server on port ${port} does not answer ${words[0]}`)));
    socket.setTimeout(PING_TIMEOUT_MS, fail);
    socket.once('error', fail);
    socket.once('close', fail);
    socket.once('connect', () => socket.write(request));
    socket.once('data', (reply) => end(() => resolve(reply.toString('latin1'))));
  });
}
