import type { Sink } from '../contract/transport.ts';
import { pause } from './within.ts';

/** A sink that is ready and has no room is about to stop: the caller that stops it must get a turn, ms. */
const READY_AGAIN_MS = 10;
/** A sink that is not ready for so long is looked at again, ms. */
const LOOK_AGAIN_MS = 50;

/**
 * Between a client that pushes and a sink: hands on in order what the sink has room for, holds the rest, and says when more may be asked for.
 * It holds as much as the client is allowed to push, which is bounded by {@link room}; a client that pushes what it likes needs none: the sink
 * drops what it cannot hold, and signals the gap.
 */
export class ReceiveBuffer<Message> {
  readonly #sink: Pick<Sink, 'capacity' | 'ready'>;
  readonly #hand: (message: Message) => void;
  #held: Message[] = [];
  #waiting: { readonly outstanding: () => number; readonly resolve: () => void }[] = [];
  #isListening = false;
  #isLooking = false;
  #isStopped = false;

  /** @param hand hands one on to the sink. Must not throw */
  constructor(sink: Pick<Sink, 'capacity' | 'ready'>, hand: (message: Message) => void) {
    this.#sink = sink;
    this.#hand = hand;
  }

  /** How many more messages the client may be asked for, those under way included. */
  get room(): number {
    return Math.max(0, this.#sink.capacity - this.#held.length);
  }

  /** Those that wait for room in the sink, in order. */
  get held(): readonly Message[] {
    return this.#held;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Hands it on, or holds it. Must not be called after `stop`. @returns was it handed on? */
  push(message: Message): boolean {
    if (this.#held.length === 0 && this.#sink.capacity > 0) {
      this.#hand(message);
      return true;
    }
    this.#held.push(message);
    this.#listen();
    return false;
  }

  /**
   * Resolves, or returns, when there is room for more than what is under way, or when it is stopped.
   * @param outstanding how many messages the client may push already
   */
  roomBeyond(outstanding: () => number): void | Promise<void> {
    if (this.room > outstanding() || this.#isStopped) return;
    return new Promise((resolve) => {
      this.#waiting.push({ outstanding, resolve });
      this.#listen();
    });
  }

  /** Takes messages out that are held: they go back to the service. @returns those that were there, in order */
  remove(messages: readonly Message[]): readonly Message[] {
    const removed = this.#held.filter((one) => messages.includes(one));
    if (removed.length > 0) this.#held = this.#held.filter((one) => !removed.includes(one));
    return removed;
  }

  /** Something was settled: there may be room. Cheap. */
  look(): void {
    if (this.#isLooking || (this.#held.length === 0 && this.#waiting.length === 0)) return;
    this.#isLooking = true;
    queueMicrotask(() => {
      this.#isLooking = false;
      this.#pump();
    });
  }

  /** Resolves when nothing is held for want of room, or nothing is handed on any more: for `Source.caughtUp`. */
  async handedOn(): Promise<void> {
    while (this.#held.length > 0 && !this.#isStopped) {
      await Promise.race([this.#sink.ready(), pause(LOOK_AGAIN_MS)]);
      this.#pump();
      // The handlers of what was handed on must get a turn.
      await pause(0);
    }
  }

  /** Hands on nothing any more. @returns what is held, in order: it goes back to the service */
  stop(): readonly Message[] {
    this.#isStopped = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    return this.#held.splice(0);
  }

  #pump(): void {
    if (this.#isStopped) return;
    while (this.#held.length > 0 && this.#sink.capacity > 0) this.#hand(this.#held.shift() as Message);
    let kept = 0;
    for (const waiting of this.#waiting) {
      if (this.room <= waiting.outstanding()) this.#waiting[kept++] = waiting;
      else waiting.resolve();
    }
    this.#waiting.length = kept;
    if (this.#held.length > 0 || kept > 0) this.#listen();
  }

  /** A sink says only when it is full that it has room again; else the next message or settlement shows it. */
  #listen(): void {
    if (this.#isListening || this.#isStopped || this.#sink.capacity > 0) return;
    this.#isListening = true;
    this.#sink.ready().then(async () => {
      this.#isListening = false;
      if (this.#sink.capacity <= 0) await pause(READY_AGAIN_MS);
      this.#pump();
    });
  }
}
