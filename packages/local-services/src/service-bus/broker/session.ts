import type { Delivered, Gone, Outcome, ReceiveMode, Receiver, SessionLock } from './api.ts';
import type { BrokerError } from './error.ts';
import { Line } from './line.ts';
import { LinkReceiver, type ReceiverHost } from './link-receiver.ts';
import type { Lock } from './lock.ts';
import type { Sessions } from './sessions.ts';

/** Messages of one session id. Exists as long as it has messages or state, or is held. */
export class Session {
  readonly id: string;
  readonly line = new Line();
  readonly #sessions: Sessions;
  held: HeldSession | undefined = undefined;
  state: Uint8Array | null = null;
  /** When it got a message or a state last, epoch ms; 0: never. */
  updatedAtMs = 0;
  /** Of all phases. */
  messages = 0;
  /** Whether it stands in the list of those to hand out from. */
  isDirty = false;

  constructor(sessions: Sessions, id: string) {
    this.#sessions = sessions;
    this.id = id;
  }

  /** A message waits. */
  hasMore(): void {
    this.#sessions.hasMore(this);
  }

  /** A message left the queue. */
  left(): void {
    this.messages--;
    this.#sessions.tidy(this);
  }
}

/** One link has the session to itself. */
export class HeldSession implements SessionLock, ReceiverHost {
  readonly session: Session;
  readonly mode: ReceiveMode;
  /** Of messages handed out. */
  readonly locks = new Set<Lock>();
  readonly #sessions: Sessions;
  readonly #onLost: Gone[] = [];
  #receiver: LinkReceiver | undefined;
  #running = false;
  #ending = false;
  lockedUntilMs: number;

  constructor(sessions: Sessions, session: Session, mode: ReceiveMode, lockedUntilMs: number) {
    this.#sessions = sessions;
    this.session = session;
    this.mode = mode;
    this.lockedUntilMs = lockedUntilMs;
  }

  get sessionId(): string {
    return this.session.id;
  }

  get isHeld(): boolean {
    return this.session.held === this;
  }

  start(onMessage: (delivered: Delivered) => void): Receiver {
    if (this.#receiver !== undefined) throw new TypeError('a session is received from once');
    this.#receiver = new LinkReceiver(this, this.mode, onMessage);
    if (!this.isHeld) this.#receiver.close();
    return this.#receiver;
  }

  onLost(listener: Gone): void {
    this.#onLost.push(listener);
  }

  wants(): void {
    this.run();
  }

  /** Within itself it does nothing: the outer run goes on. */
  run(): void {
    const receiver = this.#receiver;
    if (receiver === undefined || this.#running || this.#ending) return;
    const { queue } = this.#sessions;
    const now = queue.owner.now();
    this.#running = true;
    try {
      while (receiver.takes && this.isHeld && this.lockedUntilMs > now && !queue.owner.isPaused) {
        const copy = queue.take(this.session.line, now);
        if (copy === undefined) return;
        // Taking may have dead-lettered expired messages, to receivers who did anything.
        if (!receiver.takes || !this.isHeld) {
          queue.letGo(copy, now);
          return;
        }
        queue.deliver(copy, receiver, now);
      }
    } finally {
      this.#running = false;
    }
  }

  settle(receiver: LinkReceiver, lockToken: string, outcome: Outcome): void {
    this.#sessions.queue.settle(lockToken, outcome, this.session.id, receiver);
  }

  left(): void {
    this.#giveBack(false);
  }

  fault(error: unknown): void {
    this.#sessions.queue.owner.fault(error);
  }

  release(): void {
    this.#end(false);
  }

  /** @param error what the link is told */
  lose(error: BrokerError): void {
    if (!this.isHeld || this.#ending) return;
    this.#end(true);
    for (const listener of this.#onLost) listener(error);
  }

  #end(isFailure: boolean): void {
    if (!this.isHeld || this.#ending) return;
    // What is given back may be dead-lettered to a receiver that does anything, this again included.
    this.#ending = true;
    this.#giveBack(isFailure);
    this.#sessions.ended(this);
    this.#receiver?.close();
    this.#sessions.queue.run();
  }

  /** Lets go of what was handed out. @param isFailure whether that counts as a failed delivery */
  #giveBack(isFailure: boolean): void {
    const { queue } = this.#sessions;
    const now = queue.owner.now();
    for (const { message } of this.locks) {
      if (isFailure) queue.fail(message);
      queue.letGo(message, now);
    }
  }
}
