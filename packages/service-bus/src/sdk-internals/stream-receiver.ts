import type { MessageHandlers, ServiceBusReceivedMessage, ServiceBusReceiver } from '@azure/service-bus';
import { PolycastError } from '@polycast/core/adapter';
import { peek } from '../peek.ts';
import type { QuietSignal } from '../quiet-signal.ts';

import { failSettlements } from './guard.ts';
import { asReceived, LinkMessage, type RheaDelivery, type RheaMessage } from './link-message.ts';

/** What waits for the service's word on a delivery. */
interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** What the SDK itself waits for has one. */
  readonly timer: NodeJS.Timeout | undefined;
}

interface SdkLink {
  readonly credit?: number;
  drain?: boolean;
  isOpen(): boolean;
  addCredit(credits: number): void;
  drainCredit?(): void;
  once?(event: 'receiver_drained', listener: () => void): unknown;
}

/** What the SDK keeps for a receiver that subscribes. */
interface SdkStream {
  readonly link?: SdkLink;
  readonly _receiverHelper: { isSuspended(): boolean };
  readonly _deliveryDispositionMap: Map<number, Waiting>;
  _onAmqpMessage(context: { message: RheaMessage; delivery: RheaDelivery }): Promise<void>;
  /** Closes the link if it is open, and attaches another one. */
  onDetached(): Promise<void>;
}

interface SdkReceiver {
  readonly _streamingReceiver?: SdkStream;
  readonly _context: { getReceiverFromCache(name: string): unknown };
}

export interface StreamHandlers {
  /** @returns resolves when one more message may be fetched; undefined for at once, {@link KEPT} for when `allow` is called */
  onMessage(message: ServiceBusReceivedMessage): void | Promise<void>;
  onError: MessageHandlers['processError'];
  /** A link is attached: the first, or another one after it was lost. */
  onAttached(): void;
}

/** What the SDK calls when a link is ready, though its types do not say so. */
type Handlers = MessageHandlers & { postInitialize(): Promise<void> };

/**
 * A receiver of the SDK that subscribes, without what the SDK does for every message between its connection and us: two spans, a
 * timer, a dozen promises and three copies, more than half of the time that a message takes
 * (`benchmarks/README.md`). Connection, authorisation, link and credit stay the SDK's, and so does every settlement but plain acceptance.
 * Looks beneath version 7.9.5, as `connection-watch.ts` does.
 */
export class StreamReceiver {
  readonly #receiver: ServiceBusReceiver;
  #stream: SdkStream | undefined;
  /** The link whose credit is being used up, or taken back by the service. */
  #draining: SdkLink | undefined;

  constructor(receiver: ServiceBusReceiver) {
    this.#receiver = receiver;
  }

  /** Each link that is attached may bring one message; more when {@link allow} says so. @throws TypeError for another version of the SDK */
  subscribe(handlers: StreamHandlers): { close(): Promise<void> } {
    const sdkHandlers: Handlers = {
      // Never called: see below.
      processMessage: async () => {},
      processError: handlers.onError,
      postInitialize: async () => {
        // What was said over the link before gets no answer any more.
        this.#failWaiting();
        this.#onDrainLost?.();
        handlers.onAttached();
      },
    };
    const subscriber = this.#receiver.subscribe(sdkHandlers, {
      autoCompleteMessages: false,
      maxConcurrentCalls: 1,
    });
    const stream = (this.#receiver as unknown as SdkReceiver)._streamingReceiver;
    if (typeof stream?._onAmqpMessage !== 'function' || !(stream._deliveryDispositionMap instanceof Map)) {
      throw new TypeError('@azure/service-bus has another shape');
    }
    this.#stream = stream;
    stream._onAmqpMessage = ({ message, delivery }) => {
      // Without its link a message cannot be settled: it comes again.
      const { link } = stream;
      if (link?.isOpen() !== true) return DONE;
      try {
        const room = handlers.onMessage(asReceived(new LinkMessage(message, delivery)));
        if (room === KEPT) return DONE;
        // Another link has its own credit.
        if (room !== undefined) return room.then(() => (stream.link === link ? this.#addCredit(stream) : undefined));
        this.#addCredit(stream);
        return DONE;
      } catch (thrown) {
        // Thrown on, it would end the connection. So the SDK logs it.
        return Promise.reject(thrown);
      }
    };
    return subscriber;
  }

  /** So many more messages may come over the link. */
  allow(credits: number): void {
    const { link, _receiverHelper: helper } = this.#stream as SdkStream;
    if (link === undefined || link === this.#draining || credits <= 0) return;
    if (link.isOpen() && !helper.isSuspended()) link.addCredit(credits);
  }

  /** The number of the first message from that one on, locked or not; undefined when there is none. One operation. */
  async peek(from: bigint, abortSignal: QuietSignal): Promise<bigint | undefined> {
    const [first] = await peek(this.#receiver, from, 1, abortSignal);
    return first;
  }

  /**
   * Asks the service for all it has, as far as it has credit for it, and gives the credit back when it came. Nothing is billed.
   * @param credits how many may be under way when it is over
   * @returns had the service no more? Else, or where nothing is known, false. When the link is lost, that is known when there is another, or not at all: do not wait alone for it
   */
  async drain(credits: () => number): Promise<boolean> {
    const link = this.#stream?.link;
    if (link?.isOpen() !== true || link.drainCredit === undefined || this.#draining !== undefined) return false;
    if (credits() <= 0 || (link.credit ?? 0) <= 0) return false;
    await this.#drained(link);
    const left = credits();
    if (this.#stream?.link !== link || !link.isOpen()) return false;
    // What came meanwhile and was handed on has its credit back, too.
    if (left > 0 && !this.#stream._receiverHelper.isSuspended()) link.addCredit(left);
    return left > 0;
  }

  /** Takes back all credit. Resolves when what was under way has come, or as {@link drain} does when the link is lost. */
  async takeBack(): Promise<void> {
    const link = this.#stream?.link;
    if (link?.isOpen() !== true || link.drainCredit === undefined || this.#draining !== undefined) return;
    if ((link.credit ?? 0) > 0) await this.#drained(link);
  }

  async #drained(link: SdkLink): Promise<void> {
    this.#draining = link;
    try {
      await new Promise<void>((resolve) => {
        this.#onDrainLost = resolve;
        link.once?.('receiver_drained', resolve);
        link.drainCredit?.();
      });
    } finally {
      this.#draining = undefined;
      this.#onDrainLost = undefined;
    }
    link.drain = false;
  }

  /** Leaves the link for another one, as when it is lost. What was sent over it and is not settled stays locked, and so ours. */
  reattach(): void {
    this.#stream?.onDetached().catch(() => {});
  }

  #onDrainLost: (() => void) | undefined;

  #addCredit({ link, _receiverHelper: helper }: SdkStream): void {
    // While it is drained, credit would be taken back as well, and not be told from the rest.
    if (link === this.#draining) return;
    if (link?.isOpen() === true && !helper.isSuspended()) link.addCredit(1);
  }

  /** Accepts over the link that brought the message, if it is there; else the SDK goes by the lock token. */
  completeMessage(message: ServiceBusReceivedMessage): Promise<void> {
    const { delivery } = message as unknown as LinkMessage;
    const stream = this.#stream;
    if (stream === undefined || !this.#isOverOpenLink(stream, delivery)) return this.#receiver.completeMessage(message);
    return new Promise((resolve, reject) => {
      // Time runs out for all calls together: see Connection.
      stream._deliveryDispositionMap.set(delivery.id, { resolve, reject, timer: undefined });
      delivery.accept();
    });
  }

  #isOverOpenLink(stream: SdkStream, { link, remote_settled: isSettled }: RheaDelivery): boolean {
    if (link === undefined || isSettled === true || stream.link?.isOpen() !== true) return false;
    return (this.#receiver as unknown as SdkReceiver)._context.getReceiverFromCache(link.name) === stream;
  }

  abandonMessage(message: ServiceBusReceivedMessage, properties?: Record<string, number>): Promise<void> {
    return this.#receiver.abandonMessage(message, properties);
  }

  deadLetterMessage(
    message: ServiceBusReceivedMessage,
    options: { deadLetterReason: string; deadLetterErrorDescription: string },
  ): Promise<void> {
    return this.#receiver.deadLetterMessage(message, options);
  }

  renewMessageLock(message: ServiceBusReceivedMessage): Promise<Date> {
    return this.#receiver.renewMessageLock(message);
  }

  /** What was said over its link gets no answer once this resolves. */
  async close(): Promise<void> {
    try {
      await this.#receiver.close();
    } finally {
      failSettlements(this.#stream);
      this.#onDrainLost?.();
    }
  }

  #failWaiting(): void {
    const waiting = this.#stream?._deliveryDispositionMap;
    if (waiting === undefined) return;
    const lost = new PolycastError('disconnected', 'the link was lost before the service answered');
    for (const [id, { reject, timer }] of [...waiting]) {
      waiting.delete(id);
      clearTimeout(timer);
      reject(lost);
    }
  }
}

const DONE = Promise.resolve();
/** See {@link StreamHandlers.onMessage}. */
export const KEPT = new Promise<void>(() => {});
