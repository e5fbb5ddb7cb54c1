import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { Writer } from '../message/encoding/writer.ts';
import { FrameSplitter, type Unit } from './frame-splitter.ts';

/** More than this waiting for a peer that does not read: no more deliveries for it. */
const CONGESTED_BYTES = 1_048_576;
/** More than this: nothing is read from it either, since answers would only add to it. */
const FLOODED_BYTES = 4_194_304;
/** How long a peer has to close its side after we closed ours. */
const LINGER_MS = 2_000;

export interface WireListener {
  /** A header or frame came. */
  unit(unit: Unit): void;
  /** Right before bytes leave: what was gathered is written now. */
  flushing(): void;
  /** The peer reads again. */
  relieved(): void;
  /** Bytes that are no AMQP, or whatever the listener threw. Must not throw. */
  fault(error: unknown): void;
  /** The socket is gone. Called once. */
  closed(): void;
}

/**
 * The socket as rhea sees it. What comes in is cut into checked frames first; what goes out in one turn leaves in one
 * write.
 */
export class Wire extends EventEmitter {
  /** What leaves at the end of this turn: written by rhea, and directly. */
  readonly out = new Writer(16_384);
  readonly #socket: Duplex;
  readonly #listener: WireListener;
  readonly #splitter: FrameSplitter;
  #flushDue = false;
  #wasCongested = false;
  #linger: NodeJS.Timeout | undefined;
  #ended = false;
  #closed = false;
  /** `performance.now()` when something came last. */
  lastReadAt = performance.now();

  constructor(socket: Duplex, maxFrameBytes: number, listener: WireListener) {
    super();
    this.#socket = socket;
    this.#listener = listener;
    this.#splitter = new FrameSplitter(maxFrameBytes);
    (socket as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => this.#drained());
    socket.on('error', () => socket.destroy());
    socket.on('end', () => this.end());
    socket.on('close', () => this.#close());
  }

  /** Is there more to write than a peer should have waiting? Who is told yes is told by `relieved` when it is no. */
  isCongested(): boolean {
    const congested = this.#socket.writableLength + this.out.length > CONGESTED_BYTES;
    if (congested) this.#wasCongested = true;
    return congested;
  }

  /** For rhea. */
  write(bytes: Buffer): boolean {
    this.out.raw(bytes);
    this.flushSoon();
    return true;
  }

  /** What is in `out` leaves at the end of the turn. */
  flushSoon(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    process.nextTick(() => this.#flush());
  }

  /** Writes what is left and closes our side. */
  end(): void {
    if (this.#ended) return;
    this.#flush();
    this.#ended = true;
    this.#socket.end();
    this.#linger = setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#ended) return;
    this.lastReadAt = performance.now();
    this.#splitter.push(chunk);
    this.#pump();
  }

  #pump(): void {
    this.#guarded(() => {
      while (!this.#ended) {
        const unit = this.#splitter.next();
        if (unit === undefined) return;
        this.#listener.unit(unit);
      }
    });
  }

  /** Nothing that goes wrong here reaches anybody but this peer. */
  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#listener.fault(error);
    }
  }

  #flush(): void {
    this.#flushDue = false;
    if (this.#ended) return;
    this.#guarded(() => this.#listener.flushing());
    if (this.out.length > 0 && !this.#socket.destroyed) this.#socket.write(this.out.takeBytes());
    if (this.#socket.writableLength > FLOODED_BYTES) this.#socket.pause();
    // A write that the kernel took at once drains nothing that could be told of later.
    if (this.#wasCongested && !this.isCongested()) setImmediate(() => this.#relieve());
  }

  #drained(): void {
    this.#socket.resume();
    this.#relieve();
  }

  #relieve(): void {
    if (this.#closed || !this.#wasCongested || this.isCongested()) return;
    this.#wasCongested = false;
    this.#guarded(() => this.#listener.relieved());
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#linger);
    this.#ended = true;
    this.#listener.closed();
  }
}
