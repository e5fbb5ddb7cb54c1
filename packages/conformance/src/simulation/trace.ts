import type { Broadcaster, Signal } from '@polycast/core';
import type { SubscriptionPlan } from './history.ts';

/** One event as its publisher asked for it. Its number is its data, by which it is known wherever it comes to light. */
export interface Published {
  readonly number: number;
  readonly slot: number;
  readonly source: string;
  readonly to: readonly string[];
  readonly key: string | undefined;
  readonly ttlMs: number;
  /** The id is the user's own: others may have the same. */
  readonly id: number | undefined;
  readonly carbonCopy: boolean;
  readonly kind: 'event' | 'request' | 'forged';
  readonly calledAt: Moment;
  /** When the promise settled, and how; undefined for one that resolves at once. */
  resolvedAt: Moment | undefined;
  rejected: unknown;
  /** Each time that the service took it. */
  readonly taken: Moment[];
}

/** Where something stands among all that happened, and when. */
export interface Moment {
  readonly tick: number;
  readonly ms: number;
}

/** An event that was handed to core. */
export interface Handed {
  readonly number: number;
  readonly at: Moment;
  readonly sequence: string | undefined;
  readonly lane: string;
  readonly attempt: number | undefined;
  /** Which of the service's messages brought it, where it keeps them: an event may be in several. */
  readonly offset: number | undefined;
  /** Did the sink say that it took it? */
  wasTaken: boolean;
  /** What core did with the lease, if there was one. */
  settled: string | undefined;
  /** Did core try to settle it? */
  wasSettled: boolean;
  settledAt?: Moment;
  /** The lease was lost: the service has it again. */
  isVoid: boolean;
}

/** One source as the service saw it. */
export interface SourceRecord {
  readonly slot: number;
  /** The subscription that has it to itself; undefined for one that serves several. */
  readonly sub: number | undefined;
  /** It brings only what is for the instance alone, and roll calls and replies. */
  readonly isDirect: boolean;
  readonly openedAt: Moment;
  stoppedAt: Moment | undefined;
  closedAt: Moment | undefined;
  readonly handed: Handed[];
  /** Events that it was owed and the service lost. */
  readonly lost: { readonly number: number; readonly at: Moment }[];
}

/** One call of a handler. */
export interface Call {
  readonly sub: number;
  readonly number: number;
  readonly eventId: string;
  readonly attempt: number;
  readonly startedAt: Moment;
  endedAt: Moment | undefined;
  outcome: 'running' | 'accepted' | 'failed' | 'rejected' | 'released';
  /** It closed its own subscription and awaited that, with this drain time. */
  closesWithinMs: number | undefined;
  /** It failed with what is not tried again. */
  isFinal: boolean;
  /** Its delivery's signal was aborted before it ended. */
  readonly wasAbandoned: boolean;
}

export interface SubscriptionRecord {
  readonly plan: SubscriptionPlan;
  readonly slot: number;
  readonly role: string;
  readonly instance: string;
  readonly calledAt: Moment;
  openedAt: Moment | undefined;
  /** From when on it may end: `close`, `leave`, an abort, a crash. */
  closeCalledAt: Moment | undefined;
  closedAt: Moment | undefined;
  crashedAt?: Moment;
  /** The longest that was given to a close. */
  drainMs: number;
  /** What was given to the first: it counts. */
  firstDrainMs: number | undefined;
  wasPaused: boolean;
  /** A handler of its participant closed it. */
  isClosedWithin: boolean;
  maxPending: number;
  readonly signals: Heard[];
}

export interface Heard {
  readonly signal: Signal;
  readonly at: Moment;
}

export interface SlotRecord {
  readonly slot: number;
  readonly role: string;
  readonly instance: string;
  readonly source: string;
  leaveCalledAt: Moment | undefined;
  leftAt: Moment | undefined;
  drainMs: number;
  crashedAt: Moment | undefined;
  /** What its broadcaster counted, when everything had come to rest. */
  dropped: Broadcaster['dropped'] | undefined;
  readonly signals: Heard[];
}

/** A promise that our interface returned. */
export interface Awaited {
  readonly what: string;
  readonly slot: number;
  isSettled: boolean;
}

/** Everything that happened in one run of a history, in order. */
export class Trace {
  readonly #nowMs: () => number;
  #tick = 0;
  readonly published: Published[] = [];
  readonly sources: SourceRecord[] = [];
  readonly calls: Call[] = [];
  readonly subscriptions = new Map<number, SubscriptionRecord>();
  readonly slots: SlotRecord[] = [];
  readonly promises: Awaited[] = [];
  /** Events that came to rest among the dead letters, by number. */
  readonly deadLetters: { readonly number: number; readonly at: Moment }[] = [];
  /** Numbers that the service took, by publisher's epoch and address list; with the event that had them first. */
  readonly takenNumbers = new Map<string, Map<number, string>>();
  /** What still waited then for an open subscription, by its name in the history. */
  readonly waitingAtRest = new Map<number, readonly number[]>();
  /** The same of what is for the instance of a participant, past its groups, by its slot. */
  readonly waitingDirectly = new Map<number, readonly number[]>();
  /** When everything had come to rest, before the participants left. */
  restedAt: Moment = { tick: Number.POSITIVE_INFINITY, ms: Number.POSITIVE_INFINITY };
  /** What was seen to be wrong at once. */
  readonly wrong: string[] = [];
  /** Faults that were brought about, by name. */
  readonly faults = new Set<string>();
  /** What is unclear for good: a stranger used the numbers of a publisher. */
  wasForged = false;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  now(): Moment {
    return { tick: this.#tick++, ms: this.#nowMs() };
  }

  watch(what: string, slot: number, promise: PromiseLike<unknown>): void {
    const awaited: Awaited = { what, slot, isSettled: false };
    this.promises.push(awaited);
    const settled = () => {
      awaited.isSettled = true;
    };
    promise.then(settled, settled);
  }

  /** All that happened, as text: the same for the same history. */
  fingerprint(): string {
    return JSON.stringify(
      [this.published, this.sources, this.calls, this.slots, this.deadLetters, this.wrong],
      (_, value) => (value instanceof Error ? value.message : value),
    );
  }
}

/** `<epoch>|<lane>` and number of a sequence; undefined for one that Polycast did not write. */
export function placeOf(sequence: string | undefined, lane: string): { lane: string; number: number } | undefined {
  if (sequence === undefined) return undefined;
  const end = sequence.lastIndexOf('.');
  const number = Number(sequence.slice(end + 2));
  return end > 0 && Number.isSafeInteger(number) ? { lane: `${sequence.slice(0, end)}|${lane}`, number } : undefined;
}

/** The number that an event carries as its data; -1 for one of core's own. */
export function numberOf(event: { readonly type: string; readonly data: unknown }): number {
  return event.type.startsWith('sim.') && typeof event.data === 'number' ? event.data : -1;
}
