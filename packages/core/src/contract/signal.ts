import type { PolycastError } from './error.ts';

/**
 * A condition that a broadcaster reports outside of any promise.
 * Listeners must not throw; their errors are ignored. If no listener is registered for the broadcaster or the subscription, a signal is printed
 * with `process.emitWarning` (in browsers `console.warn`), once per kind and broadcaster.
 */
export type Signal =
  /** Events are missing: the publisher numbered them and they never arrived. */
  | {
      readonly kind: 'gap';
      /** `sequence`: numbers jumped. `overflow`: a full buffer dropped them. `trimmed`: the service removed them before they were read. `chunk`: a chunk of a large event is missing. */
      readonly reason: 'sequence' | 'overflow' | 'trimmed' | 'chunk';
      /** The publisher's CloudEvents `source`; absent when unknown. */
      readonly source?: string;
      /** How many are missing; absent when unknown. */
      readonly count?: number;
    }
  /** The connection is lost; Polycast is reconnecting. */
  | { readonly kind: 'disconnected'; readonly error: PolycastError }
  /** The connection is back. `mayHaveLost`: events published meanwhile may be lost. */
  | { readonly kind: 'reconnected'; readonly downMs: number; readonly mayHaveLost: boolean }
  /** No progress: the server is not responding (`server`), or a handler has not returned (`handler`). */
  | { readonly kind: 'stalled'; readonly what: 'server' | 'handler'; readonly sinceMs: number }
  /**
   * Events expired before delivery. Signalled once per publisher, whose clock or `ttlMs` may need attention. The count is in
   * the broadcaster's `dropped`.
   */
  | { readonly kind: 'expired'; readonly source: string; readonly eventId: string }
  /** A message was not a valid event. It was counted and skipped. */
  | { readonly kind: 'corrupt'; readonly error: PolycastError }
  /** Another process uses this instance id on this topic. */
  | { readonly kind: 'duplicate-instance'; readonly instance: string }
  /** An event was dead-lettered. `kept`: where it is stored; absent if it was dropped. */
  | {
      readonly kind: 'dead-lettered';
      readonly eventId: string;
      readonly reason: string;
      readonly attempts: number;
      readonly kept?: string;
    }
  /** A publish with `confirm: 'none'` failed, or a settlement did. */
  | { readonly kind: 'failed'; readonly what: 'publish' | 'settle' | 'source'; readonly error: PolycastError };

export type SignalKind = Signal['kind'];
export type SignalListener = (signal: Signal) => void;
