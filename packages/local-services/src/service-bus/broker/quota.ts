import { BrokerError } from './error.ts';

const MEGABYTE = 1024 * 1024;

/** How much an entity holds: a queue with its sub-queues, or a topic with all that its subscriptions hold. */
export class Quota {
  readonly #path: string;
  readonly #maxMegabytes: () => number;
  usedBytes = 0;

  constructor(path: string, maxMegabytes: () => number) {
    this.#path = path;
    this.#maxMegabytes = maxMegabytes;
  }

  hasRoomFor(bytes: number): boolean {
    return this.usedBytes + bytes <= this.#maxMegabytes() * MEGABYTE;
  }

  /** @throws `amqp:resource-limit-exceeded` */
  require(bytes: number): void {
    if (this.hasRoomFor(bytes)) return;
    throw new BrokerError(
      'amqp:resource-limit-exceeded',
      `'${this.#path}' is full: it holds ${this.usedBytes} bytes and may hold ${this.#maxMegabytes()} MB.`,
    );
  }
}
