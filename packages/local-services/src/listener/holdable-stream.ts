import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

type Done = (error?: Error | null) => void;

/**
 * A socket whose traffic can be held: while it is, nothing more is read from it and nothing written to it, and what was
 * written in the meantime follows when it is released. Writes of one turn leave in one piece.
 */
export class HoldableStream extends Duplex {
  /** As node:tls names it. */
  readonly encrypted: boolean;
  readonly remoteAddress: string | undefined;
  readonly #inner: Socket;
  #held = false;
  /** The reader above wants more. */
  #wanted = false;
  /** What is to be written once it is released. */
  #waiting: (() => void) | undefined;
  #drained: Done | undefined;
  #corked = false;

  /** @param head what was already read of it */
  constructor(inner: Socket, head: Buffer, encrypted: boolean) {
    super();
    this.encrypted = encrypted;
    this.remoteAddress = inner.remoteAddress;
    this.#inner = inner;
    inner.pause();
    inner.on('data', (chunk: Buffer) => {
      if (this.push(chunk)) return;
      this.#wanted = false;
      inner.pause();
    });
    inner.on('end', () => this.push(null));
    inner.on('drain', () => {
      const drained = this.#drained;
      this.#drained = undefined;
      drained?.();
    });
    inner.on('error', (error) => this.destroy(error));
    inner.on('close', () => this.destroy());
    this.push(head);
  }

  hold(): void {
    this.#held = true;
    this.#inner.pause();
  }

  release(): void {
    this.#held = false;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
    if (this.#wanted) this.#inner.resume();
  }

  override _read(): void {
    this.#wanted = true;
    if (!this.#held) this.#inner.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#whenReleased(() => this.#send(chunk, done));
  }

  override _writev(chunks: readonly { chunk: Buffer }[], done: Done): void {
    this.#whenReleased(() => {
      const last = chunks.length - 1;
      chunks.forEach(({ chunk }, at) => {
        this.#send(chunk, at === last ? done : undefined);
      });
    });
  }

  override _final(done: Done): void {
    this.#whenReleased(() => {
      this.#inner.end();
      done();
    });
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#waiting = undefined;
    this.#drained = undefined;
    // What was written before must leave before the socket does.
    if (this.#corked) this.#inner.uncork();
    this.#inner.destroy();
    done(error);
  }

  #whenReleased(action: () => void): void {
    if (this.#held) this.#waiting = action;
    else action();
  }

  #send(chunk: Buffer, done: Done | undefined): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#inner.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#inner.uncork();
      });
    }
    if (this.#inner.write(chunk)) done?.();
    else this.#drained = done;
  }
}
