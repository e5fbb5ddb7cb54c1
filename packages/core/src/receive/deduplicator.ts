import { type BroadcastEvent, type Identity, identityOf } from '../envelope/event.ts';
import type { Runtime } from '../timing/runtime.ts';

/** @default how long an id is remembered */
export const DEDUPE_WINDOW_MS = 600_000;
/** @default how many ids are remembered */
export const DEDUPE_MAX_ENTRIES = 10_000;

/** Remembers the latest event ids, bounded in number and time. */
export class Deduplicator {
  readonly #runtime: Runtime;
  readonly #seenAtMs = new Map<string, number>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Remembers an event. @returns false if it was here within the window */
  add(event: BroadcastEvent): boolean {
    const key = identityOf(event);
    const nowMs = this.#runtime.nowMs();
    const seenAtMs = this.#seenAtMs.get(key);
    if (seenAtMs !== undefined && nowMs - seenAtMs < DEDUPE_WINDOW_MS) return false;
    this.#seenAtMs.delete(key);
    this.#seenAtMs.set(key, nowMs);
    if (this.#seenAtMs.size > DEDUPE_MAX_ENTRIES) this.#seenAtMs.delete(this.#seenAtMs.keys().next().value as string);
    return true;
  }

  /** Was it here within the window? */
  has(event: Identity): boolean {
    const seenAtMs = this.#seenAtMs.get(identityOf(event));
    return seenAtMs !== undefined && this.#runtime.nowMs() - seenAtMs < DEDUPE_WINDOW_MS;
  }

  remove(event: Identity): void {
    this.#seenAtMs.delete(identityOf(event));
  }
}
