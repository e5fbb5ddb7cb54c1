import { identityOf } from './deduplicator.ts';
import type { BroadcastEvent } from './event.ts';
import { GapDetector } from './gap-detector.ts';
import { IdMemory } from './id-memory.ts';
import type { Runtime } from './runtime.ts';
import type { LiveSubscription } from './subscription.ts';

/** What came through one source: knows what comes again, and tells what is missing. */
export class Arrivals {
  readonly #gaps: GapDetector | undefined;
  readonly #ids: IdMemory;
  /** Events that some subscriptions did not handle for good, should they come again. By identity. Bounded. */
  #reopened: Map<string, Reopened> | undefined;

  /** @param onGap left out where not every event is owed to us */
  constructor(runtime: Runtime, onGap: ((source: string, count: number) => void) | undefined) {
    this.#ids = new IdMemory(runtime);
    if (onGap !== undefined) this.#gaps = new GapDetector(onGap);
  }

  /**
   * An event came for the first time, as far as the service knows.
   * @param isOwed false: the service withholds others of the same publisher from us, so that a hole in its numbers says nothing
   * @returns false for a duplicate
   */
  isNew(event: BroadcastEvent, isOwed: boolean): boolean {
    if (!this.#ids.add(event)) return false;
    if (isOwed) this.#watch(event, false);
    return true;
  }

  /** An event comes again because it was not settled: never a duplicate. */
  again(event: BroadcastEvent, isOwed: boolean): void {
    this.#ids.add(event);
    if (isOwed) this.#watch(event, true);
  }

  #watch(event: BroadcastEvent, isRedelivery: boolean): void {
    const { sequence } = event;
    if (this.#gaps === undefined || sequence === undefined) return;
    this.#gaps.add(event.source, sequence, typeof event.to === 'string' ? event.to : '*', isRedelivery);
  }

  /** Nothing was done with the event: should it be published again, that is news. */
  forget(event: BroadcastEvent): void {
    this.#ids.forget(event);
  }

  /** One of several subscriptions set the event aside: should it be published again, that is news to this one alone. */
  reopen(event: BroadcastEvent, subscription: LiveSubscription): void {
    this.#reopened ??= new Map();
    const key = identityOf(event);
    const waiting = this.#reopened.get(key);
    if (waiting !== undefined) waiting.subscriptions.add(subscription);
    else this.#reopened.set(key, { event, subscriptions: new Set([subscription]) });
    if (this.#reopened.size <= MAX_REOPENED) return;
    // Twice to those who have handled it is better than not at all to those who have not.
    const [oldest, { event: forgotten }] = this.#reopened.entries().next().value as [string, Reopened];
    this.#reopened.delete(oldest);
    this.#ids.forget(forgotten);
  }

  /** A duplicate to most: those to whom it is not. */
  takeReopened(event: BroadcastEvent): ReadonlySet<LiveSubscription> | undefined {
    if (this.#reopened === undefined) return undefined;
    const key = identityOf(event);
    const waiting = this.#reopened.get(key);
    this.#reopened.delete(key);
    return waiting?.subscriptions;
  }
}

interface Reopened {
  readonly event: BroadcastEvent;
  readonly subscriptions: Set<LiveSubscription>;
}

const MAX_REOPENED = 10_000;
