import type { Runtime } from './runtime.ts';

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

  /** True if this identity was seen within the window; else it is remembered. */
  isDuplicate(source: string, id: string): boolean {
    const key = `${id}\n${source}`;
    const now = this.#runtime.nowMs();
    const seenAtMs = this.#seenAtMs.get(key);
    if (seenAtMs !== undefined && now - seenAtMs < DEDUPE_WINDOW_MS) return true;
    this.#seenAtMs.delete(key);
    this.#seenAtMs.set(key, now);
    if (this.#seenAtMs.size > DEDUPE_MAX_ENTRIES) this.#seenAtMs.delete(this.#seenAtMs.keys().next().value as string);
    return false;
  }
}
