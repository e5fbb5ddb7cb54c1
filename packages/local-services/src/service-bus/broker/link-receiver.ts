import type { Delivered, Outcome, ReceiveMode, Receiver } from './api.ts';

/** Who hands a receiver its messages. */
export interface ReceiverHost {
  /** It has credit now. */
  wants(receiver: LinkReceiver): void;
  settle(receiver: LinkReceiver, lockToken: string, outcome: Outcome): void;
  left(receiver: LinkReceiver): void;
  /** Its handler threw. */
  fault(error: unknown): void;
}

export class LinkReceiver implements Receiver {
  readonly mode: ReceiveMode;
  readonly #host: ReceiverHost;
  readonly #onMessage: (delivered: Delivered) => void;
  #credit = 0;
  #closed = false;
  /** Whether it stands in its host's list of those with credit. */
  isReady = false;

  constructor(host: ReceiverHost, mode: ReceiveMode, onMessage: (delivered: Delivered) => void) {
    this.#host = host;
    this.mode = mode;
    this.#onMessage = onMessage;
  }

  get credit(): number {
    return this.#credit;
  }

  set credit(credit: number) {
    this.#credit = Math.max(0, credit);
    if (this.takes) this.#host.wants(this);
  }

  get takes(): boolean {
    return this.#credit > 0 && !this.#closed;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  hand(delivered: Delivered): void {
    this.#credit--;
    try {
      this.#onMessage(delivered);
    } catch (error) {
      // Not the fault of whoever sends or settles at the moment: their call goes on.
      this.close();
      this.#host.fault(error);
    }
  }

  settle(lockToken: string, outcome: Outcome): void {
    this.#host.settle(this, lockToken, outcome);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.left(this);
  }
}
