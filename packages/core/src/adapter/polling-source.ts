import { PolycastError, retryAfterMsOf } from '../contract/error.ts';
import type { Sink, Source } from '../contract/transport.ts';
import { pause } from './within.ts';

/** What is polled for. */
export interface Poller<Message> {
  /**
   * Asks the service for messages. A rejection that is not `retryable` ends the source: it is `failed`.
   * @param maxMessages no more than this: may be 0 for a moment, while the source is being stopped
   * @param waitMs how long the service may wait for the first of them; 0: answer at once
   */
  poll(maxMessages: number, waitMs: number): Promise<readonly Message[]>;
  /** Hands one on to the sink, with its lease. Must not throw. */
  deliver(message: Message): void;
  /**
   * Has the service answer the poll that waits, if one does: what it answers is handed on. Resolves when it has, or after a bounded time.
   * Rejections are ignored. What comes later is dropped, and comes again when its lock has run out.
   */
  interrupt(): Promise<unknown>;
  /** Removes what a non-durable subscription left on the service: `Source.close`. Called once. Rejections are ignored. */
  close(): Promise<unknown>;
  /** How long one poll may wait: `SourceRequest.pollTimeoutMs`. */
  readonly pollTimeoutMs: number;
  /** Maximum number of messages in one poll. */
  readonly maxMessages: number;
}

/** Polls that failed are tried again after a random part of a time that doubles, ms. */
const RETRY_MS = 10;
const MAX_RETRY_MS = 250;

/**
 * The source of a service that is polled: asks for as much as the sink has room for, one poll at a time, until it is stopped. A poll that failed
 * is tried again, for as long as its error is `retryable`.
 */
export function pollingSource<Message>(sink: Sink, poller: Poller<Message>): Source {
  let state: 'open' | 'stopping' | 'stopped' = 'open';
  let stopping: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  const isOver = () => state !== 'open';
  /** @returns how many came */
  const pollOnce = async (waitMs: number): Promise<number> => {
    await sink.ready();
    if (isOver()) return 0;
    const maxMessages = Math.max(0, Math.min(sink.capacity, poller.maxMessages));
    const messages = await poller.poll(maxMessages, waitMs);
    if (state === 'stopped') return 0;
    for (const message of messages) poller.deliver(message);
    return messages.length;
  };
  const run = async () => {
    for (let failures = 0; !isOver(); ) {
      try {
        await pollOnce(poller.pollTimeoutMs);
        failures = 0;
      } catch (thrown) {
        const error = PolycastError.from(thrown);
        if (isOver()) return;
        if (!error.retryable) return sink.failed(error);
        const limitMs = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** failures++);
        await pause(Math.max(retryAfterMsOf(error), Math.random() * limitMs));
      }
    }
  };
  void run();
  return {
    async caughtUp() {
      // Until nothing is left. What fails is polled for again by the loop.
      while (!isOver() && (await pollOnce(0).catch(() => 0)) > 0);
    },
    stop() {
      stopping ??= (async () => {
        state = 'stopping';
        await poller.interrupt().catch(() => {});
        state = 'stopped';
      })();
      return stopping;
    },
    close() {
      closing ??= poller.close().then(
        () => {},
        () => {},
      );
      return closing;
    },
  };
}
