import type { Delivery } from '../contract/contract.ts';
import { type BroadcastEvent, isExpired } from '../envelope/event.ts';
import type { Runtime } from '../timing/runtime.ts';
import type { LiveDelivery } from './delivery.ts';

interface Offer {
  readonly delivery: Delivery;
  /** Tells the subscription that the reader is done with it. */
  readonly done: () => void;
}

/** The subscription that is read, as far as its stream knows it. */
export interface StreamOwner {
  readonly runtime: Runtime;
  readonly receiver: {
    reopen(event: BroadcastEvent, subscription: object): void;
    expired(event: BroadcastEvent): void;
  };
  /** Keeps the process alive meanwhile. */
  keepAlive<Value>(promise: Promise<Value>): Promise<Value>;
  close(options: { drainMs: number }): Promise<void>;
}

/** A subscription read with `for await`: the handler of a subscription that has none. */
export class DeliveryStream {
  readonly #subscription: StreamOwner;
  readonly #offers: Offer[] = [];
  #current: Offer | undefined;
  #waiting: ((result: IteratorResult<Delivery>) => void)[] = [];
  #state: 'unread' | 'reading' | 'ended' = 'unread';

  constructor(subscription: StreamOwner) {
    this.#subscription = subscription;
  }

  /** Nobody reads: closing need not wait for a reader. */
  get isUnread(): boolean {
    return this.#state === 'unread';
  }

  /** Does the reader hold a delivery? */
  get isReading(): boolean {
    return this.#current !== undefined;
  }

  readonly handler = (_event: BroadcastEvent, delivery: Delivery): Promise<void> =>
    new Promise((done) => {
      const offer = { delivery, done };
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#offers.push(offer);
      else waiting(this.#hand(offer));
    });

  iterate(): AsyncIterator<Delivery> {
    if (this.#state === 'reading') throw new TypeError('a subscription can be iterated only once');
    if (this.#state === 'unread') this.#state = 'reading';
    return {
      next: () => {
        this.#current?.done();
        this.#current = undefined;
        const offer = this.#nextOffer();
        if (offer !== undefined) return Promise.resolve(this.#hand(offer));
        if (this.#state === 'ended') return Promise.resolve(END);
        return this.#subscription.keepAlive(new Promise((resolve) => this.#waiting.push(resolve)));
      },
      return: async () => {
        this.#current?.delivery.release({ delayMs: 0 });
        this.#current?.done();
        this.#current = undefined;
        await this.#subscription.close({ drainMs: 0 });
        return END;
      },
    };
  }

  /** What expired while it waited for a reader, or lost its lock, is not read any more. */
  #nextOffer(): Offer | undefined {
    for (let offer = this.#offers.shift(); offer !== undefined; offer = this.#offers.shift()) {
      const delivery = offer.delivery as LiveDelivery;
      const { event, isGone } = delivery;
      if (!isGone && !isExpired(event, this.#subscription.runtime)) return offer;
      if (isGone) delivery.isBegun = false;
      else {
        this.#subscription.receiver.reopen(event, this.#subscription);
        this.#subscription.receiver.expired(event);
      }
      offer.done();
    }
    return undefined;
  }

  /** Closing: what no reader has got goes elsewhere. */
  takeUnread(): LiveDelivery[] {
    return this.#offers.map(({ delivery }) => delivery as LiveDelivery);
  }

  forget(unread: readonly LiveDelivery[]): void {
    for (const offer of this.#offers.splice(0, unread.length)) offer.done();
  }

  /** No more deliveries come. */
  end(): void {
    this.#state = 'ended';
    for (const resolve of this.#waiting.splice(0)) resolve(END);
  }

  #hand(offer: Offer): IteratorResult<Delivery> {
    // Who has asked for the one after is done with this one.
    if (this.#waiting.length > 0) offer.done();
    else this.#current = offer;
    return { done: false, value: offer.delivery };
  }
}

const END: IteratorResult<Delivery> = { done: true, value: undefined };
