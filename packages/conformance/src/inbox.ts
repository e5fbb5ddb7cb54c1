import type { BroadcastEvent, Broadcaster, Delivery, Signal, SubscribeOptions, Subscription } from '@polycast/core';
import { check, same, sameSet, show } from './assert.ts';
import type { SignalNotes } from './signal-notes.ts';
import { until } from './wait.ts';

/** Type of the marker events that fence off what was published before them. */
export const FENCE = 'conformance.fence';

/** One delivery as an inbox saw it. */
export interface Received {
  readonly event: BroadcastEvent;
  readonly attempt: number;
  readonly position: string | undefined;
}

/** What an inbox does with a delivery after noting it down; throwing has it tried again. */
export type Reaction = (event: BroadcastEvent, delivery: Delivery, count: number) => unknown;

/** A subscription that notes down all it is handed. Fences are kept apart. */
export class Inbox {
  readonly received: Received[] = [];
  readonly fences = new Set<string>();
  readonly signals: Signal[] = [];
  readonly owner: Broadcaster;
  readonly #patienceMs: number;
  readonly #react: Reaction | undefined;
  readonly #notes: SignalNotes | undefined;
  #subscription: Subscription | undefined;

  constructor(owner: Broadcaster, patienceMs: number, react: Reaction | undefined, notes?: SignalNotes) {
    this.#notes = notes;
    this.owner = owner;
    this.#patienceMs = patienceMs;
    this.#react = react;
  }

  /** Subscribes; called once. */
  async listen(options: SubscribeOptions): Promise<this> {
    this.#subscription = await this.owner.subscribe((event, delivery) => this.#take(event, delivery), {
      ...options,
      onSignal: (signal) => {
        this.signals.push(signal);
        this.#notes?.add(signal);
        options.onSignal?.(signal);
      },
    });
    return this;
  }

  #take(event: BroadcastEvent, delivery: Delivery): unknown {
    if (event.type === FENCE) {
      this.fences.add(String(event.data));
      return undefined;
    }
    this.received.push({ event, attempt: delivery.attempt, position: delivery.position });
    return this.#react?.(event, delivery, this.received.length);
  }

  get subscription(): Subscription {
    check(this.#subscription !== undefined, 'the inbox does not listen yet');
    return this.#subscription;
  }

  /** The data of all events so far, in order of delivery. */
  get data(): readonly unknown[] {
    return this.received.map(({ event }) => event.data);
  }

  get count(): number {
    return this.received.length;
  }

  /** Waits for that many deliveries, or more. */
  async until(count: number): Promise<void> {
    await until(
      () => this.received.length >= count,
      this.#patienceMs,
      () => `expected ${count} deliveries, got ${this.received.length}: ${show(this.data)}`,
    );
  }

  /** Waits until the deliveries so far say so. */
  async untilThat(condition: (received: readonly Received[]) => boolean, what: string): Promise<void> {
    await until(
      () => condition(this.received),
      this.#patienceMs,
      () => `expected ${what}; deliveries: ${show(this.data)}`,
    );
  }

  /** Waits for these data in this order. Says nothing about what comes later: fence first for that. */
  async expect(data: readonly unknown[], what = 'data in order of delivery'): Promise<void> {
    await this.until(data.length);
    same(this.data, data, what);
  }

  /** Waits for these data in any order, each once. */
  async expectSet(data: readonly unknown[], what = 'data delivered'): Promise<void> {
    await this.until(data.length);
    sameSet(this.data, data, what);
  }
}
