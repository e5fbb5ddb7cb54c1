import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { pause } from '@polycast/core/adapter';

/** How often it is looked whether what lies before has become free, ms: a part of the lock. Each look is three operations. */
const LOOKS_PER_LOCK = 6;
const MAX_LOOK_MS = 5_000;

/** What a resumption needs of the receiver whose link was lost. */
export interface Resuming {
  /** Of the service. */
  readonly lockMs: number;
  /** Renews what was taken before and is still here, and lets go of what comes behind what is lost. Never rejects. */
  keep(): Promise<void>;
  /** The number of the first message behind the last one that was taken; undefined when there is none. */
  first(): Promise<bigint | undefined>;
  /** Lets the service send one message. */
  fetchOne(): void;
  giveBack(message: ServiceBusReceivedMessage): Promise<void>;
  /** Hands on the next message. Resolves when there is room for another. */
  hand(message: ServiceBusReceivedMessage): void | Promise<void>;
  /** All may come. @param message came meanwhile, and goes before them */
  done(message: ServiceBusReceivedMessage | undefined): void;
}

/**
 * Keeps the order over a link that was lost. What the service had sent over it stays locked until its lock runs out, each by itself,
 * and meanwhile the service would send what comes after. So a new link is given one message after the other, each only if it is the
 * first that there is, until there is one that was never sent before: nothing behind that was either.
 *
 * What came over the lost link and waits here for its turn could not be renewed meanwhile. It is renewed first of all: what would lose
 * its lock a moment later would come again behind what comes now.
 */
export class Resumption {
  readonly #resuming: Resuming;
  /** Locks taken before now have run out by then. Who holds one longer is somebody else, and has it renewed. */
  readonly #untilMs: number;
  readonly #lookMs: number;
  #message: ServiceBusReceivedMessage | undefined;
  #onMessage: () => void = () => {};
  #ended = false;

  /** One message may come already. */
  constructor(resuming: Resuming) {
    this.#resuming = resuming;
    this.#lookMs = Math.min(resuming.lockMs / LOOKS_PER_LOCK, MAX_LOOK_MS);
    this.#untilMs = performance.now() + 2 * resuming.lockMs;
    void this.#run();
  }

  take(message: ServiceBusReceivedMessage): void {
    this.#message = message;
    this.#onMessage();
  }

  /** The link is lost as well, or nothing more is wanted. @returns what came and was not handed on */
  end(): ServiceBusReceivedMessage | undefined {
    this.#ended = true;
    this.#onMessage();
    return this.#message;
  }

  async #run(): Promise<void> {
    const { keep, first, fetchOne, giveBack, hand, done } = this.#resuming;
    await keep();
    while (!this.#ended) {
      const [isKnown, number] = await first().then(
        (found) => [true, found] as const,
        () => [false, undefined] as const,
      );
      if (this.#ended) return;
      const isLate = performance.now() > this.#untilMs;
      if (isLate || (isKnown && number === undefined)) return done(this.#message);
      if (isKnown) {
        const message = await this.#come();
        if (this.#ended || message === undefined) return;
        if (isFirst(message, number as bigint)) {
          if (!message.deliveryCount) return done(message);
          this.#message = undefined;
          await hand(message);
          if (!this.#ended) fetchOne();
          continue;
        }
      }
      await pause(this.#lookMs);
      const message = this.#message;
      if (this.#ended || message === undefined) continue;
      this.#message = undefined;
      await giveBack(message).catch(() => {});
      if (!this.#ended) fetchOne();
    }
  }

  async #come(): Promise<ServiceBusReceivedMessage | undefined> {
    if (this.#message === undefined) {
      await new Promise<void>((resolve) => {
        this.#onMessage = resolve;
      });
    }
    return this.#message;
  }
}

/** Is nothing before the message locked? Numbers of two partitions say nothing of each other. */
function isFirst({ sequenceNumber }: ServiceBusReceivedMessage, first: bigint): boolean {
  const number = numberOf(sequenceNumber);
  return number <= first || number >> PARTITION_BITS !== first >> PARTITION_BITS;
}

/** The upper 16 bits name the partition. */
const PARTITION_BITS = 48n;

/** The SDK has numbers of three kinds. */
export function numberOf(sequenceNumber: unknown): bigint {
  return BigInt(String(sequenceNumber ?? 0));
}
