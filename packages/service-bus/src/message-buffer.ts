import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { divideLease, PolycastError, ReceiveBuffer, type Sink } from '@polycast/core/adapter';
import { type LeaseOwner, MessageLease } from './message-lease.ts';
import { readMessage } from './read-message.ts';

/** A renewal that failed is tried again after this part of the time between two. */
const RENEW_AGAIN_SHARE = 0.25;

/** Where a message came from. */
export interface MessageSource extends LeaseOwner {
  /** Nobody else reads what it reads: what is held for want of room stays held, as giving it back would change the order. */
  readonly keepsOrder: boolean;
  /** Of a session: how many of its messages are here, held or handed on. */
  readonly unsettled: number;
  /** A message went back that was not handed on. */
  returned(message: ServiceBusReceivedMessage): void;
  /** A message is held, or handed on, until the lease is gone. */
  taken?(lease: MessageLease): void;
}

interface Held {
  readonly source: MessageSource;
  readonly message: ServiceBusReceivedMessage;
  /** Made when it came: it knows over which link. */
  readonly lease: MessageLease;
  /** When its lock was taken, ms of the monotonic clock. */
  sinceMs: number;
}

/**
 * Between the receivers of one source and its sink: a buffer of messages under lock. What waits too long for room goes back to the service, or
 * has its lock renewed where going back would change the order.
 */
export class MessageBuffer {
  readonly #sink: Sink;
  readonly #topic: string;
  readonly #holdMs: number;
  readonly #buffer: ReceiveBuffer<Held>;
  #timer: NodeJS.Timeout | undefined;
  readonly #settling = new Set<Promise<void>>();

  /** @param lockMs of the service: half of it may pass before something held is given back */
  constructor(sink: Sink, topic: string, lockMs: number) {
    this.#sink = sink;
    this.#topic = topic;
    this.#holdMs = lockMs / 2;
    this.#buffer = new ReceiveBuffer(sink, ({ message, lease }) => this.#hand(message, lease));
  }

  /** How many messages may be fetched to begin with. */
  get room(): number {
    return this.#buffer.room;
  }

  /**
   * Takes a message.
   * @param credits how many more the receiver may be sent already
   * @returns resolves when one more may be fetched
   */
  take(source: MessageSource, message: ServiceBusReceivedMessage, credits: () => number): void | Promise<void> {
    const lease = new MessageLease(source, message);
    if (this.#buffer.isStopped) {
      this.#track(lease.giveBack());
      return;
    }
    source.taken?.(lease);
    if (!this.#buffer.push({ source, message, lease, sinceMs: performance.now() })) this.#watchHeld();
    return this.#buffer.roomBeyond(credits);
  }

  /** Something before them comes again: what no handler was given of them goes back. */
  recall(leases: ReadonlySet<MessageLease>): void {
    this.#giveBack(this.#buffer.held.filter(({ lease }) => leases.has(lease)));
    this.#sink.recall?.(leases);
  }

  /** Something was settled: there may be room. */
  look(): void {
    this.#buffer.look();
  }

  /** Resolves when nothing is held for want of room, or nothing is handed on any more. */
  handedOn(): Promise<void> {
    return this.#buffer.handedOn();
  }

  /** Nothing is handed on any more; what is held goes back. Resolves when it has. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    for (const { lease } of this.#buffer.stop()) this.#track(lease.giveBack());
    await Promise.all(this.#settling);
  }

  /** Before its lock runs out somebody else may have it, if there is somebody else; then it is not renewed. */
  #watchHeld(): void {
    const { held } = this.#buffer;
    if (this.#timer !== undefined || held.length === 0) return;
    const leftMs = Math.min(...held.map(({ sinceMs }) => sinceMs)) + this.#holdMs - performance.now();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const nowMs = performance.now();
      const late = this.#buffer.held.filter(({ sinceMs }) => sinceMs + this.#holdMs <= nowMs);
      for (const one of late) if (this.#staysHeld(one)) this.#renew(one);
      const back = late.filter((one) => !this.#staysHeld(one));
      // A session goes back whole, and is let go: another member has its messages in order.
      this.#giveBack(
        this.#buffer.held.filter((one) =>
          back.some((other) => other === one || (other.source === one.source && one.source.isSession)),
        ),
      );
      this.#watchHeld();
    }, leftMs);
    this.#timer.unref();
  }

  /** What of a session was handed on comes first, whatever becomes of it. */
  #staysHeld({ source }: Held): boolean {
    if (!source.isSession) return source.keepsOrder;
    return source.unsettled > this.#buffer.held.filter((one) => one.source === source).length;
  }

  #renew(held: Held): void {
    const { source, message } = held;
    held.sinceMs = performance.now();
    held.lease.renew().catch((thrown: unknown) => {
      const from = this.#buffer.held.indexOf(held);
      if (from < 0) return;
      if (PolycastError.from(thrown).code !== 'lock-lost') {
        // Perhaps only the connection is.
        held.sinceMs -= this.#holdMs * (1 - RENEW_AGAIN_SHARE);
        clearTimeout(this.#timer);
        this.#timer = undefined;
        this.#watchHeld();
        return;
      }
      // It comes again, and before what came after it.
      this.#giveBack(this.#buffer.held.slice(from).filter((one) => one.source === source));
      source.returned(message);
    });
  }

  #giveBack(some: readonly Held[]): void {
    for (const { lease } of this.#buffer.remove(some)) this.#track(lease.giveBack());
  }

  #hand(message: ServiceBusReceivedMessage, lease: MessageLease): void {
    const { events, errors } = readMessage(message, this.#topic);
    for (const error of errors) this.#sink.corrupt(error);
    if (events.length === 0) {
      this.#track(
        lease.settle(errors[0] === undefined ? { kind: 'accept' } : { kind: 'dead-letter', reason: errors[0].message }),
      );
      return;
    }
    const shares = events.length === 1 ? [lease] : divideLease(lease, events.length);
    for (const [at, event] of events.entries()) this.#sink.deliver(event, shares[at]);
  }

  /** What fails comes again when its lock has run out. */
  #track(settling: Promise<void>): void {
    const tracked = settling.catch(() => {}).finally(() => this.#settling.delete(tracked));
    this.#settling.add(tracked);
  }
}
