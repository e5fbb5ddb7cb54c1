import type { Address, Manifest } from '@polycast/core';

/**
 * What happened in one history, in order of time: written by participants and by what plays the history, read by the judge.
 * Plain JSON. `at` is in ms of one monotonic clock that all processes of a machine share.
 */
export type Entry = { readonly at: number } & Happening;

export type Happening =
  // ── broadcasters: one life lasts from connect until close or the end of its process ──
  | {
      readonly what: 'join';
      readonly life: string;
      readonly instance: string;
      readonly role: string;
      readonly process: string;
    }
  | { readonly what: 'joined'; readonly life: string }
  /** Connecting or subscribing failed; it is tried again. Of connecting only the first failure is written down. */
  | {
      readonly what: 'barred';
      readonly life: string;
      readonly sub?: string;
      readonly code: string;
      readonly message: string;
    }
  /** `close` was called, and resolved. */
  | { readonly what: 'leave' | 'left'; readonly life: string }
  /** The history killed the process. */
  | { readonly what: 'crash'; readonly process: string }
  /** The process ended, and the history has no part in it. */
  | { readonly what: 'died'; readonly process: string; readonly how: string }
  /** The process did not answer a watchdog for so long. */
  | { readonly what: 'silent'; readonly process: string; readonly forMs: number }

  // ── subscriptions ──
  | ({ readonly what: 'subscribe'; readonly sub: string; readonly life: string } & Subscribed)
  | { readonly what: 'subscribed'; readonly sub: string }
  /** `close` was called, and resolved. */
  | { readonly what: 'close' | 'closed'; readonly sub: string }
  | { readonly what: 'pause' | 'resume'; readonly sub: string }

  // ── events: `n` is the event, `copy` counts its publications from 0 ──
  | {
      readonly what: 'publish';
      readonly life: string;
      readonly n: number;
      readonly copy: number;
      readonly to: readonly Address[];
      readonly key?: string;
      /** Absent: the default, which outlives every history. */
      readonly ttlMs?: number;
      readonly carbonCopy?: boolean;
      /** Sent at the end of a history, so that what is missing can be noticed. */
      readonly marker?: boolean;
    }
  | { readonly what: 'published'; readonly n: number; readonly copy: number }
  | { readonly what: 'refused'; readonly n: number; readonly copy: number; readonly code: string }
  /** A handler was called with an event, and ended. */
  | {
      readonly what: 'call';
      readonly call: string;
      readonly sub: string;
      readonly n: number;
      readonly id: string;
      readonly attempt: number;
    }
  | { readonly what: 'done'; readonly call: string; readonly outcome: CallOutcome }

  // ── what was said ──
  | { readonly what: 'signal'; readonly life: string; readonly sub?: string; readonly signal: RecordedSignal }
  /** `broadcaster.dropped` before it was closed. */
  | {
      readonly what: 'dropped';
      readonly life: string;
      readonly expired: number;
      readonly duplicates: number;
      readonly overflow: number;
    }

  // ── what was done to them ──
  | {
      readonly what: 'fault';
      readonly fault: string;
      readonly kind: string;
      /** The service may lose, by this, what it had promised to keep. */
      readonly loses?: boolean;
      /** And who listens: subscriptions are gone as if they had never been. */
      readonly forgets?: boolean;
    }
  | { readonly what: 'healed'; readonly fault: string }
  /** The machine gave a process no time, as if it had been frozen: to one who took part, or to the one in which a local service runs. */
  | { readonly what: 'starved'; readonly forMs: number }

  // ── what was left ──
  /** All faults were healed, and nothing more was to come: what is owed now is lost. */
  | { readonly what: 'settled' }
  | { readonly what: 'residue'; readonly where: string; readonly names: readonly string[] }
  /** What an idle participant spent. */
  | { readonly what: 'idle'; readonly process: string; readonly forMs: number; readonly cpuMs: number };

export interface Subscribed {
  readonly kind: 'plain' | 'durable' | 'group';
  /** Of the group, or of the durable subscription. */
  readonly name?: string;
  /** Only events whose number leaves the rest `1` when divided by 2. */
  readonly odd?: boolean;
  readonly tries: number;
  readonly concurrency: number;
}

/** `abandoned`: `delivery.signal` was aborted before the handler ended. */
export type CallOutcome = 'accepted' | 'failed' | 'rejected' | 'released' | 'abandoned';

/** A signal of a broadcaster, as far as a judge reads it. */
export interface RecordedSignal {
  readonly kind: string;
  readonly reason?: string;
  readonly source?: string;
  readonly count?: number;
  readonly mayHaveLost?: boolean;
  readonly eventId?: string;
  readonly attempts?: number;
  readonly what?: string;
  readonly code?: string;
  readonly message?: string;
}

/** What the manifest of the transport promises, as far as histories are judged by it. */
export interface Promises {
  readonly atLeastOnce: boolean;
  /** Events of one publisher to the same addresses stay in order. */
  readonly order: boolean;
  readonly partitionKey: boolean;
  readonly dedupe: boolean;
  /** The plain subscriptions of a broadcaster share what comes: where the service settles, each has its own. */
  readonly sharesPlain: boolean;
  /** What was under way when a member of a group, or the owner of a durable subscription, was killed comes again. */
  readonly crashRedelivery: boolean;
  /** Expired events are dropped by this process, which counts them, and not by the service. */
  readonly countsExpired: boolean;
  /** What the service has taken when `close` is called is delivered by `close`. */
  readonly closeDelivers: boolean;
}

export function promisesOf({ guarantee, capabilities }: Manifest): Promises {
  const has = (name: keyof typeof capabilities) => capabilities[name].level !== 'none';
  return {
    atLeastOnce: guarantee !== 'at-most-once',
    order: has('order'),
    partitionKey: has('partitionKey'),
    dedupe: has('dedupe'),
    sharesPlain: capabilities.settlement.level !== 'native',
    crashRedelivery: has('crashRedelivery'),
    countsExpired: capabilities.ttl.level === 'emulated',
    closeDelivers: true,
  };
}
