import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { PolycastError, pause, settlesWithin } from '@polycast/core/adapter';
import { AttemptCounter } from './attempt-counter.ts';
import type { Connection } from './connection.ts';
import { OPERATIONS } from './manifest.ts';
import { mapError } from './map-error.ts';
import type { MessageBuffer, MessageSource } from './message-buffer.ts';
import { MessageLease } from './message-lease.ts';
import { operationsFor } from './operations.ts';
import { QuietSignal } from './quiet-signal.ts';
import { numberOf, Resumption } from './resumption.ts';
import { KEPT, StreamReceiver } from './sdk-internals/stream-receiver.ts';

/** While handlers have all that they may have, there is no credit to ask with; it is looked for again after this, ms. */
const CAUGHT_UP_AGAIN_MS = 10;
/** What has less than this share of its lock left when the link is back is renewed at once. Core renews the rest in time: each third of a lock. */
const RENEW_AT_ONCE_SHARE = 0.5;

export interface ReceiverOptions {
  readonly connection: Connection;
  readonly topic: string;
  readonly subscription: string;
  readonly buffer: MessageBuffer;
  readonly prefetch: number;
  /** Of the service. */
  readonly lockMs: number;
  readonly maxUnsettled: number;
  readonly isOurs: boolean;
  /** Nobody else reads it meanwhile: its order is that of its messages. */
  readonly isExclusive: boolean;
  readonly maxAttempts: number;
  meter(unit: string, count: number): void;
  /** The subscription is gone, or may not be read any more. It goes on trying meanwhile. */
  lost(error: PolycastError): void;
}

/** Messages of one subscription, as they come. The SDK attaches again whatever happens, until it is stopped. */
export class SubscriptionReceiver implements MessageSource {
  readonly connection: Connection;
  readonly lockMs: number;
  readonly isSession = false;
  readonly keepsOrder: boolean;
  readonly attempts = new AttemptCounter();
  readonly isOurs: boolean;
  readonly maxAttempts: number;
  readonly receiver: StreamReceiver;
  readonly #options: ReceiverOptions;
  #links = 0;
  #credits = 0;
  readonly #creditsNow = () => this.#credits;
  #maxCredits = 0;
  /** The last message of those that were taken in order; undefined: the next is the one behind {@link #behind}. */
  #latest: ServiceBusReceivedMessage | undefined;
  #behind = -1n;
  #resumption: Resumption | undefined;
  /** Messages that are here, where their order is ours to keep. */
  readonly #taken = new Set<MessageLease>();
  /** Of these, the ones that are being renewed before anything else may come. */
  #keeping: ReadonlySet<MessageLease> = new Set();
  /** A lock was lost while its link was there: what comes over that goes back, until there is another one. */
  #isLeaving = false;
  /** From that number on, nobody was sent anything before us. */
  #newFrom: bigint | undefined;
  /** Else the SDK would wait for an answer, and keep the process alive meanwhile. */
  readonly #ended = new QuietSignal(() => {});
  #subscriber: { close(): Promise<void> } | undefined;
  #stopping: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #opening: { resolve: () => void; reject: (error: PolycastError) => void } | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.connection = options.connection;
    this.lockMs = options.lockMs;
    this.isOurs = options.isOurs;
    this.keepsOrder = options.isExclusive;
    this.maxAttempts = options.maxAttempts;
    this.receiver = new StreamReceiver(
      options.connection.client.createReceiver(options.topic, options.subscription, {
        // Core renews.
        maxAutoLockRenewalDurationInMs: 0,
      }),
    );
  }

  /** Neither part ever falls. */
  get generation(): number {
    return this.connection.generation + this.#links;
  }

  meter(unit: string, count: number): void {
    this.#options.meter(unit, count);
  }

  async renew(message: ServiceBusReceivedMessage): Promise<void> {
    await this.connection.call(this.receiver.renewMessageLock(message));
    this.meter(OPERATIONS, 1);
  }

  settled(): void {
    this.#options.buffer.look();
  }

  taken(lease: MessageLease): void {
    if (this.keepsOrder) this.#taken.add(lease);
  }

  gone(lease: MessageLease): void {
    this.#taken.delete(lease);
  }

  /**
   * As with a process that is given no time for longer than a lock. The message comes again, perhaps has come already, and so must what
   * waits behind it; what never came must not be sent before that. So it goes on over another link: see {@link Resumption}.
   */
  lost(lease: MessageLease): void {
    if (!this.keepsOrder || this.#stopping !== undefined || this.#keeping.has(lease)) return;
    const from = numberIn(lease);
    const behind = [...this.#taken].filter((one) => numberIn(one) > from && !one.isSettling);
    this.#options.buffer.recall(new Set(behind));
    this.returned(lease.message);
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    void this.#leaveLink();
  }

  /** What is under way is waited for: over a link that is gone it could not be given back before its lock runs out. */
  async #leaveLink(): Promise<void> {
    const link = this.#links;
    const message = this.#resumption?.end();
    this.#resumption = undefined;
    if (message !== undefined) this.#giveBack(message);
    await this.connection.call(this.receiver.takeBack()).catch(() => {});
    if (link === this.#links && this.#stopping === undefined) this.receiver.reattach();
  }

  #giveBack(message: ServiceBusReceivedMessage): void {
    new MessageLease(this, message).giveBack().catch(() => {});
  }

  /**
   * Each renewal is billed: of what should have its lock for long only the one that runs out first is, as the service's clock may be
   * ahead of ours. What is lost comes again, and so must what waits behind it. What a handler was given stays with it.
   */
  async #keep(): Promise<void> {
    const here = [...this.#taken].filter(({ isSettling }) => !isSettling);
    const leastMs = Math.min(...here.map(({ lockLeftMs }) => lockLeftMs));
    const atOnceMs = Math.max(leastMs, this.lockMs * RENEW_AT_ONCE_SHARE);
    let first: MessageLease | undefined;
    const urgent = here.filter(({ lockLeftMs }) => lockLeftMs <= atOnceMs);
    this.#keeping = new Set(urgent);
    await Promise.all(
      urgent.map((lease) =>
        lease.renew().catch((error: unknown) => {
          if (PolycastError.from(error).code !== 'lock-lost' || lease.isSettling) return;
          if (first === undefined || numberIn(lease) < numberIn(first)) first = lease;
        }),
      ),
    );
    this.#keeping = new Set();
    if (first === undefined) return;
    const from = numberIn(first);
    this.#options.buffer.recall(new Set(here.filter((lease) => numberIn(lease) >= from && !lease.isSettling)));
    this.returned(first.message);
  }

  /** The number of the first message behind the last one that was taken, but for what is here and stays. */
  async #first(): Promise<bigint | undefined> {
    for (let from = this.#lastNumber + 1n; ; ) {
      const first = await this.connection.call(this.receiver.peek(from, this.#ended));
      this.meter(OPERATIONS, 1);
      if (first === undefined || !this.#isHere(first)) return first;
      from = first + 1n;
    }
  }

  #isHere(number: bigint): boolean {
    for (const lease of this.#taken) if (numberIn(lease) === number && !lease.isSettling) return true;
    return false;
  }

  /** Resolves when the link is attached. @throws PolycastError what the service said to the first try */
  async open(): Promise<void> {
    const { buffer, prefetch } = this.#options;
    this.#maxCredits = Math.min(prefetch, buffer.room || this.#options.maxUnsettled);
    const opened = new Promise<void>((resolve, reject) => {
      this.#opening = { resolve, reject };
    });
    this.#subscriber = this.receiver.subscribe({
      onMessage: (message) => this.#take(message),
      onError: async ({ error, errorSource }) => {
        if (errorSource === 'receive') this.#failed(mapError(error));
      },
      onAttached: () => {
        this.#links++;
        this.#attached();
        this.#opening?.resolve();
        this.#opening = undefined;
      },
    });
    try {
      await this.connection.call(opened);
    } catch (thrown) {
      void this.close();
      throw thrown;
    }
  }

  #failed(error: PolycastError): void {
    if (this.#opening !== undefined) {
      this.#opening.reject(error);
      this.#opening = undefined;
    } else if (error.code === 'not-found' || error.code === 'unauthorized') this.#options.lost(error);
  }

  /** The subscription is new: nobody has been sent anything of it, and its numbers may begin again. */
  began(): void {
    this.#latest = undefined;
    this.#behind = -1n;
    this.#newFrom = 0n;
  }

  /** What an earlier link was sent, of ours or of who read before us, may be locked still. */
  #attached(): void {
    this.#isLeaving = false;
    this.#resumption?.end();
    this.#resumption = undefined;
    const { isExclusive, isOurs, lockMs } = this.#options;
    if (!isExclusive || (isOurs && this.#links === 1)) return this.#allow();
    this.#credits = 0;
    this.#resumption = new Resumption({
      lockMs,
      keep: () => this.#keep(),
      first: () => this.#first(),
      fetchOne: () => this.receiver.allow(1),
      giveBack: (message) => new MessageLease(this, message).giveBack(),
      hand: (message) => {
        this.#credits = 1;
        return this.#hand(message);
      },
      done: (message) => {
        this.#resumption = undefined;
        if (!message?.deliveryCount)
          this.#newFrom ??= message === undefined ? this.#lastNumber + 1n : numberOf(message.sequenceNumber);
        this.#allow();
        if (message === undefined) return;
        const link = this.#links;
        const room = this.#hand(message);
        if (room === undefined) this.receiver.allow(1);
        else void room.then(() => link === this.#links && this.receiver.allow(1));
      },
    });
  }

  /** The link has one credit, or had it: now all may come. */
  #allow(): void {
    this.#credits = this.#maxCredits;
    this.receiver.allow(this.#maxCredits - 1);
  }

  get #lastNumber(): bigint {
    return this.#latest === undefined ? this.#behind : numberOf(this.#latest.sequenceNumber);
  }

  isNew({ sequenceNumber }: ServiceBusReceivedMessage): boolean {
    return this.#newFrom !== undefined && numberOf(sequenceNumber) >= this.#newFrom;
  }

  get unsettled(): number {
    return 0;
  }

  /** A message goes back that was not handed on: it is the next again. */
  returned(message: ServiceBusReceivedMessage): void {
    const number = numberOf(message.sequenceNumber);
    if (number > this.#lastNumber) return;
    this.#latest = undefined;
    this.#behind = number - 1n;
  }

  /** The credit goes out when this returns; a new link begins with all of it. */
  #take(message: ServiceBusReceivedMessage): void | Promise<void> {
    this.meter(OPERATIONS, operationsFor(message));
    if (this.#isLeaving) {
      this.#giveBack(message);
      return KEPT;
    }
    if (this.#resumption === undefined) return this.#hand(message);
    this.#resumption.take(message);
    return KEPT;
  }

  #hand(message: ServiceBusReceivedMessage): void | Promise<void> {
    // What came for the first time is the last so far; what comes again may be anything.
    if (!message.deliveryCount || numberOf(message.sequenceNumber) > this.#lastNumber) this.#latest = message;
    const link = this.#links;
    this.#credits--;
    const room = this.#options.buffer.take(this, message, this.#creditsNow);
    if (room === undefined) {
      this.#credits++;
      return;
    }
    return room.then(() => {
      if (link === this.#links) this.#credits++;
    });
  }

  /** Resolves when all that the service had for this subscription was handed on. Never rejects; ends with the connection. */
  async caughtUp(): Promise<void> {
    const { buffer } = this.#options;
    while (this.#stopping === undefined && !this.connection.isDown) {
      const hadNoMore = await this.connection.call(this.receiver.drain(this.#creditsNow)).catch(() => undefined);
      if (hadNoMore === undefined) return;
      await buffer.handedOn();
      if (hadNoMore) return;
      await pause(CAUGHT_UP_AGAIN_MS);
    }
  }

  /** Nothing more is fetched. Leases stay valid. */
  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      const message = this.#resumption?.end();
      this.#resumption = undefined;
      this.#ended.abort();
      if (message !== undefined) this.#giveBack(message);
      if (this.#subscriber !== undefined)
        await settlesWithin(this.connection.settings.closeTimeoutMs, this.#subscriber.close());
    })();
    return this.#stopping;
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.stop();
      await settlesWithin(this.connection.settings.closeTimeoutMs, this.receiver.close());
    })();
    return this.#closing;
  }
}

function numberIn({ message }: MessageLease): bigint {
  return numberOf(message.sequenceNumber);
}
