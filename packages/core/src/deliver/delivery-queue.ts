import type { LiveDelivery } from './delivery.ts';

/** First in, first out; except that a delivery whose partition key is busy waits for it, and lets others pass. */
export class DeliveryQueue {
  /** Places before the head are emptied: what was handed out must not be kept alive. */
  #items: (LiveDelivery | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(delivery: LiveDelivery): void {
    this.#items.push(delivery);
  }

  /** Takes the first delivery that may start; undefined if none may. */
  take(isBusy: ((delivery: LiveDelivery) => boolean) | undefined): LiveDelivery | undefined {
    if (this.length === 0) return undefined;
    if (isBusy === undefined) return this.#shift();
    for (let at = this.#head; at < this.#items.length; at++) {
      const delivery = this.#items[at] as LiveDelivery;
      if (isBusy(delivery)) continue;
      if (at === this.#head) return this.#shift();
      this.#items.splice(at, 1);
      return delivery;
    }
    return undefined;
  }

  remove(delivery: LiveDelivery): boolean {
    const at = this.#items.indexOf(delivery, this.#head);
    if (at < 0) return false;
    this.#items.splice(at, 1);
    return true;
  }

  /** Empties the queue. */
  takeAll(): LiveDelivery[] {
    const all = this.#items.slice(this.#head) as LiveDelivery[];
    this.#items = [];
    this.#head = 0;
    return all;
  }

  [Symbol.iterator](): Iterator<LiveDelivery> {
    return (this.#items.slice(this.#head) as LiveDelivery[]).values();
  }

  #shift(): LiveDelivery {
    const delivery = this.#items[this.#head] as LiveDelivery;
    this.#items[this.#head] = undefined;
    this.#head++;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > 1_024) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return delivery;
  }
}
