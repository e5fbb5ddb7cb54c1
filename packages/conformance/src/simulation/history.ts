import type { ProfileName } from './profile.ts';

/** What may be thrown at a history: everything that happens in it, as data. The same history always runs the same. */
export interface History {
  readonly profile: ProfileName;
  /** Of jitter and names. */
  readonly seed: number;
  readonly steps: readonly Step[];
}

/** A participant: one of a few. */
export type Slot = number;

/** `afterMs`: virtual time since the step before. 0: within the same turn of the event loop. */
export type Step = { readonly afterMs: number } & Deed;

export type Deed =
  | { readonly kind: 'join'; readonly slot: Slot; readonly role: string; readonly wallOffsetMs: number }
  | ({ readonly kind: 'subscribe'; readonly slot: Slot } & SubscriptionPlan)
  | ({ readonly kind: 'publish'; readonly slot: Slot } & PublishPlan)
  | { readonly kind: 'request'; readonly slot: Slot; readonly expect: number; readonly timeoutMs: number }
  | { readonly kind: 'members'; readonly slot: Slot }
  | { readonly kind: 'pause' | 'resume' | 'drain' | 'abort'; readonly sub: number }
  | { readonly kind: 'close'; readonly sub: number; readonly drainMs: number }
  | { readonly kind: 'leave'; readonly slot: Slot; readonly drainMs: number }
  | { readonly kind: 'crash'; readonly slot: Slot }
  | { readonly kind: 'clock'; readonly slot: Slot; readonly byMs: number }
  | {
      readonly kind: 'fault';
      readonly slot: Slot;
      readonly call: FaultyCall;
      readonly how: Fault;
      readonly times?: number;
      /** What the call after those meets. */
      readonly next?: Fault;
    }
  | { readonly kind: 'cut'; readonly slot: Slot; readonly downMs: number }
  | { readonly kind: 'restart'; readonly keeps: boolean; readonly downMs: number }
  | { readonly kind: 'lose-locks'; readonly slot: Slot }
  | { readonly kind: 'forge'; readonly as: Slot; readonly number: number };

export interface SubscriptionPlan {
  /** Its name in the history. */
  readonly sub: number;
  readonly group?: string;
  readonly durable?: string;
  readonly concurrency?: number;
  readonly bufferSize?: number;
  readonly tries?: number;
  readonly deadLetter?: 'drop';
  /** Read with `for await`. */
  readonly isRead?: boolean;
  /** What the handler does at its first calls; afterwards it returns. */
  readonly acts?: readonly Act[];
}

export interface PublishPlan {
  readonly count: number;
  /** @default everyone */
  readonly to?: readonly string[];
  readonly key?: string;
  readonly ttlMs?: number;
  /** An id of the user's own: the same number is the same id and source. */
  readonly id?: number;
  readonly carbonCopy?: boolean;
  readonly confirm?: 'none';
}

/** What a handler does when it is called. */
export type Act =
  | { readonly act: 'return'; readonly afterMs?: number }
  | { readonly act: 'throw'; readonly odd?: number; readonly afterMs?: number }
  | { readonly act: 'hang' }
  | { readonly act: 'reject'; readonly afterMs?: number }
  | { readonly act: 'release'; readonly delayMs: number; readonly afterMs?: number }
  | { readonly act: 'close'; readonly isAwaited: boolean; readonly drainMs: number }
  | { readonly act: 'leave'; readonly isAwaited: boolean; readonly drainMs: number }
  | { readonly act: 'publish'; readonly isAwaited: boolean }
  | { readonly act: 'reply' }
  | { readonly act: 'pause' }
  | { readonly act: 'return-odd'; readonly odd: number };

export type FaultyCall = 'open' | 'publish' | 'subscribe' | 'settle' | 'renew' | 'caughtUp' | 'stop' | 'deliver';

/** What the service does to the next such call. */
export type Fault =
  /** Refuses it; nothing is taken. */
  | { readonly how: 'refuse'; readonly isFinal: boolean }
  /** Refuses every event of a batch whose place is even. */
  | { readonly how: 'refuse-some'; readonly isFinal: boolean }
  | { readonly how: 'late'; readonly byMs: number }
  /** Does it; the answer is lost. */
  | { readonly how: 'lose-answer' }
  /** Never answers. */
  | { readonly how: 'never'; readonly isTaken: boolean }
  /** Loses an event on its way (deliver). */
  | { readonly how: 'lose' }
  /** Throws within the call. */
  | { readonly how: 'throw' };
