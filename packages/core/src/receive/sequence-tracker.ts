import { type BroadcastEvent, eventOf, type Identity, identityOf } from '../envelope/event.ts';
import type { Runtime } from '../timing/runtime.ts';
import type { GapDetector } from './gap-detector.ts';
import { IdMemory } from './id-memory.ts';

/** What came through one source: knows what comes again, and tells what is missing. */
export class SequenceTracker {
  readonly #gaps: GapDetector | undefined;
  readonly #ids: IdMemory;
  readonly #runtime: Runtime;
  /** What was accepted of what the service settles; undefined where nothing is. */
  #accepted: IdMemory | undefined;
  /** Events that some subscriptions did not handle for good, should they come again. By identity. Bounded. */
  #reopened: Map<string, Reopened> | undefined;

  /** @param gaps left out where not every event is owed to us */
  constructor(runtime: Runtime, gaps: GapDetector | undefined) {
    this.#runtime = runtime;
    this.#ids = new IdMemory(runtime);
    this.#gaps = gaps;
  }

  /**
   * An event came for the first time, as far as the service knows.
   * @param isOwed false: the service withholds others of the same publisher from us, so that a hole in its numbers says nothing
   * @returns false for a duplicate
   */
  isNew(event: BroadcastEvent, isOwed: boolean): boolean {
    const isNew = this.#ids.add(event);
    if (isOwed) this.#watch(event, !isNew);
    return isNew;
  }

  /**
   * The service hands an event over again, since it was not settled as far as the service knows.
   * @returns was it accepted here? Then only the settlement was lost. Or seen at least?
   */
  again(event: BroadcastEvent, isOwed: boolean): 'accepted' | 'seen' | 'new' {
    const isFirst = this.#ids.add(event);
    // What an earlier life of a durable subscription left says nothing about those that it handled.
    if (isOwed) this.#watch(event, true, false);
    if (this.wasAccepted(event)) return 'accepted';
    return isFirst ? 'new' : 'seen';
  }

  /** By a handler, of what the service settles. */
  wasAccepted(event: Identity): boolean {
    return this.#accepted?.has(event) === true;
  }

  /** A handler has accepted an event that the service settles. */
  accept(event: BroadcastEvent): void {
    this.#accepted ??= new IdMemory(this.#runtime);
    this.#accepted.add(event);
    // It may have come past a group: should it be published again, through the group, it is a duplicate.
    this.#ids.add(event);
    // It was given up before the handler was done with it.
    if (this.#reopened !== undefined && this.#reopened.size > 0) this.#reopened.delete(identityOf(event));
  }

  /** One more subscription hears of gaps. @returns its number */
  join(): number {
    return this.#gaps ? ++this.#gaps.joins : 0;
  }

  /** Was it accepted, or given up for good? */
  isSettled(event: BroadcastEvent): boolean | undefined {
    return this.wasAccepted(event) || this.#reopened?.has(identityOf(event));
  }

  /** An event came that is not for us: its number did. */
  pass(event: BroadcastEvent, isOwed: boolean): void {
    if (isOwed) this.#watch(event, true);
  }

  #watch(event: BroadcastEvent, isRedelivery: boolean, begins = true): void {
    const { sequence } = event;
    if (this.#gaps === undefined || sequence === undefined) return;
    this.#gaps.add(event.source, sequence, typeof event.to === 'string' ? event.to : '*', isRedelivery, begins);
  }

  /**
   * The event was not handled for good: should it be published again, that is news.
   * @param subscription the one to which it is; left out: to all
   */
  reopen(event: BroadcastEvent, subscription?: object): void {
    this.#reopened ??= new Map();
    const key = identityOf(event);
    const waiting = this.#reopened.get(key);
    const publish = publishOf(event);
    if (subscription === undefined) this.#reopened.set(key, { publish, subscriptions: undefined });
    else if (waiting === undefined) this.#reopened.set(key, { publish, subscriptions: new Set([subscription]) });
    else waiting.subscriptions?.add(subscription);
    if (this.#reopened.size <= MAX_REOPENED) return;
    // Twice to those who have handled it is better than not at all to those who have not.
    const oldest = this.#reopened.keys().next().value as string;
    this.#reopened.delete(oldest);
    this.#ids.forget(eventOf(oldest));
  }

  /** Of an event whose id was here before: to whom it is news all the same. Undefined: a duplicate. */
  takeReopened(event: BroadcastEvent): Reopened | undefined {
    if (this.#reopened === undefined) return undefined;
    const key = identityOf(event);
    const waiting = this.#reopened.get(key);
    // A second copy of that one publish has its number, too: it came by another address, or its answer was lost.
    if (waiting === undefined) return undefined;
    if (event.sequence !== undefined && publishOf(event) === waiting.publish) return undefined;
    this.#reopened.delete(key);
    return waiting;
  }
}

/** An event that may be published again. Without the event: its data may be large. */
export interface Reopened {
  readonly publish: string;
  /** Undefined: all. */
  readonly subscriptions: Set<object> | undefined;
}

/** Which publish of an event this is. A string of its own: a part of the message would keep the whole message. */
function publishOf({ sequence, to }: BroadcastEvent): string {
  return JSON.stringify([sequence, to]);
}

const MAX_REOPENED = 10_000;
