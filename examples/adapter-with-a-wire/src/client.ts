/**
 * A client of the broker, as a vendor's SDK would be: one connection, numbered requests and their answers, one JSON object per line. It knows
 * nothing of Polycast, and does not reconnect.
 */
import { connect, type Socket } from 'node:net';

/** Longest line, in characters: a peer that sends more is not ours. */
const MAX_LINE_LENGTH = 64_000_000;

/** A message as the broker hands it out. */
export interface Entry {
  readonly id: number;
  /** How often it was handed out, this time included. */
  readonly attempt: number;
  readonly ageMs: number;
  readonly event: string;
}

/** Which of these an answer has, its request says. */
export interface Answer {
  readonly n: number;
  readonly error?: { readonly code: string; readonly message: string; readonly retryAfterMs?: number };
  readonly newestId: number;
  readonly entries: readonly Entry[];
  readonly losses: number;
  readonly isNew: boolean;
}

interface Pending {
  resolve(answer: Answer): void;
  reject(reason: unknown): void;
}

export class Client {
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  #lastNumber = 0;
  #reason: Error = Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });

  /** Connects. The first answer shows that it does. */
  constructor(host: string, port: number) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on('error', (error) => {
      this.#reason = error;
    });
    this.#socket.on('close', () => {
      for (const { reject } of this.#pending.values()) reject(this.#reason);
    });
    readLines(this.#socket, (line) => this.#read(line));
  }

  /** Calls back, once, when the connection has ended. */
  onClose(listener: (reason: Error) => void): void {
    if (this.#socket.closed) queueMicrotask(() => listener(this.#reason));
    else this.#socket.once('close', () => listener(this.#reason));
  }

  /** @throws Error of node:net, with its `code`; what the broker refused with, with its `code` */
  call(request: object): Promise<Answer> {
    const n = ++this.#lastNumber;
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(this.#reason);
      this.#pending.set(n, { resolve, reject });
      this.#socket.write(`${JSON.stringify({ n, ...request })}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(line: string): void {
    let answer: Answer;
    try {
      answer = JSON.parse(line) as Answer;
    } catch {
      this.#socket.destroy(Object.assign(new Error('the answer is not JSON'), { code: 'not-a-broker' }));
      return;
    }
    const pending = this.#pending.get(answer.n);
    this.#pending.delete(answer.n);
    if (answer.error === undefined) pending?.resolve(answer);
    else pending?.reject(answer.error);
  }
}

/** Calls back with each line that comes. */
export function readLines(socket: Socket, onLine: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) onLine(line);
    if (rest.length > MAX_LINE_LENGTH) socket.destroy(new Error('a line is too long'));
  });
}
