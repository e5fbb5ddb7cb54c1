import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import {
  type Address,
  type BroadcastEvent,
  divideLease,
  PolycastError,
  pause,
  type Sink,
} from '@polycast/core/adapter';
import { type Holder, MessageLease } from './message-lease.ts';
import { readMessage } from './read-message.ts';

/** A sink that says it is ready and has no room is asked again after this, ms. */
const READY_AGAIN_MS = 10;

/** A renewal that failed is tried again after this part of the time between two. */
const RENEW_AGAIN_SHARE = 0.25;

/** A sink that is not ready for so long is looked at again, ms. */
const HANDED_ON_AGAIN_MS = 50;

/** Where a message came from. */
export interface Feeder extends Holder {
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
  readonly feeder: Feeder;
  readonly message: ServiceBusReceivedMessage;
  /** Made when it came: it knows over which link. */
  readonly lease: MessageLease;
  /** When its lock was taken, ms of the monotonic clock. */
  sinceMs: number;
}

/**
 * Between the receivers of one source and its sink: hands on in order what the sink has room for, holds the rest for a while,
 * and says when more may be fetched.
 */
export class Intake {
  readonly #sink: Sink;
  readonly #topic: string;
  readonly #addresses: readonly Address[];
  readonly #holdMs: number;
  #held: Held[] = [];
  #waiting: { credits: () => number; resolve: () => void }[] = [];
  #listening = false;
  #looking = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #settling = new Set<Promise<void>>();
  #stopped = false;

  /**
   * @param addresses what is for none of these is accepted: the service's rule let too much through
   * @param lockMs of the service: half of it may pass before something held is given back
   */
  constructor(sink: Sink, topic: string, addresses: readonly Address[], lockMs: number) {
    this.#sink = sink;
    this.#topic = topic;
    this.#addresses = addresses;
    this.#holdMs = lockMs / 2;
  }

  /** How many messages may be fetched to begin with. */
  get room(): number {
    return Math.max(0, this.#sink.capacity - this.#held.length);
  }

  /**
   * Takes a message.
   * @param credits how many more the feed may be sent already
   * @returns resolves when one more may be fetched
   */
  take(feeder: Feeder, message: ServiceBusReceivedMessage, credits: () => number): void | Promise<void> {
    if (this.#stopped) {
      this.#track(new MessageLease(feeder, message).giveBack());
      return;
    }
    const lease = new MessageLease(feeder, message);
    feeder.taken?.(lease);
    if (this.#held.length === 0 && this.#sink.capacity > 0) this.#hand(message, lease);
    else this.#hold({ feeder, message, lease, sinceMs: performance.now() });
    if (this.room > credits()) return;
    return new Promise((resolve) => {
      this.#waiting.push({ credits, resolve });
      this.#listen();
    });
  }

  /** Something before them comes again: what no handler was given of them goes back. */
  recall(leases: ReadonlySet<MessageLease>): void {
    this.#giveBack(this.#held.filter(({ lease }) => leases.has(lease)));
    this.#sink.recall?.(leases);
  }

  /** Something was settled: there may be room. */
  look(): void {
    if (this.#looking || (this.#held.length === 0 && this.#waiting.length === 0)) return;
    this.#looking = true;
    queueMicrotask(() => {
      this.#looking = false;
      this.#pump();
    });
  }

  /** Resolves when nothing is held for want of room, or nothing is handed on any more. */
  async handedOn(): Promise<void> {
    while (this.#held.length > 0 && !this.#stopped) {
      await Promise.race([this.#sink.ready(), pause(HANDED_ON_AGAIN_MS)]);
      this.#pump();
      // Whoever takes what was handed on must get a turn.
      await pause(0);
    }
  }

  /** Nothing is handed on any more; what is held goes back. Resolves when it has. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    this.#giveBack([...this.#held]);
    await Promise.all(this.#settling);
  }

  #pump(): void {
    while (this.#held.length > 0 && this.#sink.capacity > 0 && !this.#stopped) {
      const { message, lease } = this.#held.shift() as Held;
      this.#hand(message, lease);
    }
    let at = 0;
    for (const waiting of this.#waiting) {
      if (this.room <= waiting.credits()) this.#waiting[at++] = waiting;
      else waiting.resolve();
    }
    this.#waiting.length = at;
    if (this.#held.length > 0 || at > 0) this.#listen();
  }

  /** Only of an empty sink it is told when there is room; else the next message or settlement tells. */
  #listen(): void {
    if (this.#listening || this.#stopped || this.#sink.capacity > 0) return;
    this.#listening = true;
    this.#sink.ready().then(() => {
      this.#listening = false;
      if (this.#sink.capacity > 0) return this.#pump();
      // A sink that is about to stop is ready and has no room: whoever stops it must get a turn.
      setTimeout(() => this.#pump(), READY_AGAIN_MS).unref();
    });
  }

  #hold(held: Held): void {
    this.#held.push(held);
    this.#listen();
    this.#watchHeld();
  }

  /** Before its lock runs out somebody else may have it, if there is somebody else; then it is not renewed. */
  #watchHeld(): void {
    if (this.#timer !== undefined || this.#held[0] === undefined) return;
    const leftMs = Math.min(...this.#held.map(({ sinceMs }) => sinceMs)) + this.#holdMs - performance.now();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const nowMs = performance.now();
      const late = this.#held.filter(({ sinceMs }) => sinceMs + this.#holdMs <= nowMs);
      for (const held of late) if (this.#staysHeld(held)) this.#renew(held);
      const back = late.filter((held) => !this.#staysHeld(held));
      // A session goes back whole, and is let go: another member has its messages in order.
      this.#giveBack(
        this.#held.filter((held) =>
          back.some((one) => one === held || (one.feeder === held.feeder && held.feeder.isSession)),
        ),
      );
      this.#watchHeld();
    }, leftMs);
    this.#timer.unref();
  }

  /** What of a session was handed on comes first, whatever becomes of it. */
  #staysHeld({ feeder }: Held): boolean {
    if (!feeder.isSession) return feeder.keepsOrder;
    return feeder.unsettled > this.#held.filter((held) => held.feeder === feeder).length;
  }

  #renew(held: Held): void {
    const { feeder, message } = held;
    held.sinceMs = performance.now();
    held.lease.renew().catch((thrown: unknown) => {
      const from = this.#held.indexOf(held);
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
      this.#giveBack(this.#held.slice(from).filter((one) => one.feeder === feeder));
      feeder.returned(message);
    });
  }

  #giveBack(some: readonly Held[]): void {
    if (some.length === 0) return;
    this.#held = this.#held.filter((held) => !some.includes(held));
    for (const { lease } of some) this.#track(lease.giveBack());
  }

  #hand(message: ServiceBusReceivedMessage, lease: MessageLease): void {
    const { events, errors } = readMessage(message, this.#topic);
    for (const error of errors) this.#sink.corrupt(error);
    const ours = events.filter((event) => isFor(event, this.#addresses));
    if (ours.length === 1 && events.length === 1) {
      this.#sink.deliver(ours[0] as BroadcastEvent, lease);
      return;
    }
    if (ours.length === 0) {
      this.#track(
        lease.settle(
          errors.length === 0
            ? { kind: 'accept' }
            : { kind: 'dead-letter', reason: (errors[0] as PolycastError).message },
        ),
      );
      return;
    }
    const shares = divideLease(lease, ours.length);
    for (const [at, event] of ours.entries()) this.#sink.deliver(event, shares[at]);
  }

  /** What fails comes again when its lock has run out. */
  #track(settling: Promise<void>): void {
    const tracked = settling.catch(() => {}).finally(() => this.#settling.delete(tracked));
    this.#settling.add(tracked);
  }
}

/** Is it for one of these? Without `to` it is for everyone. */
function isFor(event: BroadcastEvent, addresses: readonly Address[]): boolean {
  const { to } = event;
  if (typeof to !== 'string') return addresses.includes('*');
  if (!to.includes(',')) return addresses.includes(to as Address);
  return to.split(',').some((address) => addresses.includes(address.trim() as Address));
}
