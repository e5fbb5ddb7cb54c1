import type { Delivered, Outcome, ReceiveMode } from './api.ts';
import { LinkReceiver, type ReceiverHost } from './link-receiver.ts';
import type { MessageQueue } from './message-queue.ts';

/** Hands the messages of a queue without sessions to its receivers, which take turns. */
export class Dispatcher implements ReceiverHost {
  readonly #queue: MessageQueue;
  readonly #receivers = new Set<LinkReceiver>();
  /** Those with credit, the next one first; perhaps some that have none any more. */
  readonly #ready: LinkReceiver[] = [];
  #running = false;

  constructor(queue: MessageQueue) {
    this.#queue = queue;
  }

  get size(): number {
    return this.#receivers.size;
  }

  add(mode: ReceiveMode, onMessage: (delivered: Delivered) => void): LinkReceiver {
    const receiver = new LinkReceiver(this, mode, onMessage);
    this.#receivers.add(receiver);
    return receiver;
  }

  wants(receiver: LinkReceiver): void {
    if (!receiver.isReady) {
      receiver.isReady = true;
      this.#ready.push(receiver);
    }
    this.run();
  }

  /** As long as there are messages and receivers with credit. Within itself it does nothing: the outer run goes on. */
  run(): void {
    if (this.#running || this.#ready.length === 0) return;
    const queue = this.#queue;
    this.#running = true;
    try {
      const now = queue.owner.now();
      while (!queue.owner.isPaused) {
        if (this.#first() === undefined) return;
        const copy = queue.take(queue.line, now);
        if (copy === undefined) return;
        // Taking may have dead-lettered expired messages, to receivers who did anything.
        const receiver = this.#first();
        if (receiver === undefined) return queue.untake(copy);
        if (this.#ready.length > 1) this.#ready.push(this.#ready.shift()!);
        queue.deliver(copy, receiver, now);
      }
    } finally {
      this.#running = false;
    }
  }

  settle(receiver: LinkReceiver, lockToken: string, outcome: Outcome): void {
    this.#queue.settle(lockToken, outcome, undefined, receiver);
  }

  left(receiver: LinkReceiver): void {
    this.#receivers.delete(receiver);
    const at = this.#ready.indexOf(receiver);
    if (at >= 0) this.#ready.splice(at, 1);
    this.#queue.owner.receiverLeft();
  }

  fault(error: unknown): void {
    this.#queue.owner.fault(error);
  }

  close(): void {
    for (const receiver of this.#receivers) receiver.close();
  }

  /** The next one with credit. */
  #first(): LinkReceiver | undefined {
    for (;;) {
      const receiver = this.#ready[0];
      if (receiver === undefined || receiver.takes) return receiver;
      receiver.isReady = false;
      this.#ready.shift();
    }
  }
}
