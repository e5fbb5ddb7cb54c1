import type { ServiceBusReceivedMessage, ServiceBusReceiver } from '@azure/service-bus';
import { type PolycastError, pause, settlesWithin } from '@polycast/core/adapter';
import { AttemptCounter } from '../attempt-counter.ts';
import type { Connection } from '../connection.ts';
import { OPERATIONS } from '../manifest.ts';
import { mapError } from '../map-error.ts';
import type { MessageSource } from '../message-buffer.ts';
import type { MessageLease } from '../message-lease.ts';
import { operationsFor } from '../operations.ts';
import { peek } from '../peek.ts';
import { QuietSignal } from '../quiet-signal.ts';
import { numberOf } from '../resumption.ts';
import { closeQuietly, closeReceiver } from '../sdk-internals/quiet-close.ts';
import type { ReceiverOptions } from '../subscription-receiver.ts';
import { drained } from './drained.ts';
import { OutcomeTurns } from './outcome-turns.ts';

/** How often it is looked whether the service has more for a subscription that is closing, ms. Each look at one of its own is an operation. */
const CAUGHT_UP_AGAIN_MS = 50;
/** A subscription that others read as well has no more for us when nothing came for so long, ms. */
const QUIET_MS = 250;
/** Messages in one look. */
const PEEKED = 250;

/**
 * Messages of one subscription, through the SDK's public face alone. The SDK attaches again whatever happens, and does not say so: what was on its
 * way when a connection was lost comes when its lock has run out, after what the new link brought.
 */
export class PublicSubscriptionReceiver implements MessageSource {
  readonly connection: Connection;
  readonly lockMs: number;
  readonly isSession = false;
  readonly keepsOrder: boolean;
  readonly attempts = new AttemptCounter();
  readonly isOurs: boolean;
  readonly maxAttempts: number;
  readonly receiver: OutcomeTurns;
  readonly unsettled = 0;
  readonly #options: ReceiverOptions;
  readonly #sdk: ServiceBusReceiver;
  readonly #taken = new Set<MessageLease>();
  readonly #ended = new QuietSignal(() => {});
  #credits = 0;
  #arrived = 0;
  /** The subscription was made by us. */
  #isNew = false;
  /** It is known to be there. */
  #isThere = false;
  #failOpening: ((error: PolycastError) => void) | undefined;
  #subscriber: { close(): Promise<void> } | undefined;
  #drained: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.connection = options.connection;
    this.lockMs = options.lockMs;
    this.isOurs = options.isOurs;
    this.keepsOrder = options.isExclusive;
    this.maxAttempts = options.maxAttempts;
    this.#sdk = options.connection.client.createReceiver(options.topic, options.subscription, {
      // Core renews.
      maxAutoLockRenewalDurationInMs: 0,
      skipParsingBodyAsJson: true,
      skipConvertingDate: true,
    });
    this.receiver = new OutcomeTurns(this.#sdk);
  }

  get generation(): number {
    return this.connection.generation;
  }

  meter(unit: string, count: number): void {
    this.#options.meter(unit, count);
  }

  async renew(message: ServiceBusReceivedMessage): Promise<void> {
    await this.connection.call(this.#sdk.renewMessageLock(message));
    this.meter(OPERATIONS, 1);
  }

  settled(): void {
    this.#options.buffer.look();
  }

  taken(lease: MessageLease): void {
    this.#taken.add(lease);
  }

  gone(lease: MessageLease): void {
    this.#taken.delete(lease);
  }

  returned(): void {}

  isNew(): boolean {
    return this.#isNew;
  }

  /** The subscription is new: nobody has been sent anything of it. */
  began(): void {
    this.#isNew = true;
  }

  /** The subscription was found, or made. */
  found(): void {
    this.#isThere = true;
  }

  /** What is published from now on waits in the subscription, attached or not. @throws PolycastError what the service said to the first try */
  async open(): Promise<void> {
    const { buffer, prefetch, maxUnsettled, lost } = this.#options;
    this.#credits = Math.min(prefetch, buffer.room || maxUnsettled);
    const failed = new Promise<never>((_, reject) => {
      this.#failOpening = reject;
    });
    failed.catch(() => {});
    this.#subscriber = this.#sdk.subscribe(
      {
        processMessage: (message) => this.#take(message),
        processError: async ({ error, errorSource }) => {
          if (errorSource !== 'receive') return;
          const mapped = mapError(error);
          if (this.#failOpening !== undefined) this.#failOpening(mapped);
          else if (mapped.code === 'not-found' || mapped.code === 'unauthorized') lost(mapped);
          else if (mapped.code === 'disconnected') this.connection.suspect(mapped);
        },
      },
      { autoCompleteMessages: false, maxConcurrentCalls: this.#credits },
    );
    try {
      // Of what is known to be there it is told later, should it fail.
      if (!this.#isThere) await this.connection.call(Promise.race([this.#peek(1), failed]));
      this.#failOpening = undefined;
    } catch (thrown) {
      void this.close();
      throw thrown;
    }
  }

  async #peek(count: number): Promise<readonly bigint[]> {
    const numbers = await peek(this.#sdk, 0n, count, this.#ended);
    this.meter(OPERATIONS, 1);
    return numbers;
  }

  /** One more is fetched when this resolves. */
  async #take(message: ServiceBusReceivedMessage): Promise<void> {
    this.meter(OPERATIONS, operationsFor(message));
    this.#arrived++;
    this.#credits--;
    try {
      const room = this.#options.buffer.take(this, message, () => this.#credits);
      if (room !== undefined) await room;
    } finally {
      this.#credits++;
    }
  }

  /** Resolves when all that the service had for this subscription was handed on. Never rejects; ends with the connection. */
  async caughtUp(): Promise<void> {
    const { buffer } = this.#options;
    while (this.#stopping === undefined && !this.connection.isDown) {
      const hasNoMore = await (this.keepsOrder ? this.#isEmpty() : this.#isQuiet()).catch(() => undefined);
      if (hasNoMore === undefined) return;
      await buffer.handedOn();
      if (hasNoMore) return;
      await pause(CAUGHT_UP_AGAIN_MS);
    }
  }

  /** Is all that it has here? */
  async #isEmpty(): Promise<boolean> {
    const here = new Set([...this.#taken].map(({ message }) => numberOf(message.sequenceNumber)));
    const numbers = await this.connection.call(this.#peek(PEEKED));
    for (const { message } of this.#taken) here.add(numberOf(message.sequenceNumber));
    return numbers.length < PEEKED && numbers.every((number) => here.has(number));
  }

  async #isQuiet(): Promise<boolean> {
    const arrived = this.#arrived;
    await pause(QUIET_MS);
    return this.#credits > 0 && arrived === this.#arrived;
  }

  /** Nothing more is fetched. Leases stay valid. */
  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      this.#ended.abort();
      if (this.#subscriber === undefined) return;
      closeQuietly(this.#sdk);
      this.#drained = this.connection.ending(drained(this.#subscriber));
      await settlesWithin(this.connection.settings.closeTimeoutMs, this.#drained);
    })();
    return this.#stopping;
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.stop();
      const ending = this.connection.ending(this.#drained.then(() => closeReceiver(this.#sdk)));
      await settlesWithin(this.connection.settings.closeTimeoutMs, ending);
    })();
    return this.#closing;
  }
}
