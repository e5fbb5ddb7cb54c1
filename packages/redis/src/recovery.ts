import type { Cluster, Redis } from 'ioredis';
import * as entries from './entry-scripts.ts';
import { IDLE_FOREVER_MS } from './group-lua.ts';

/** Most entries of one page. */
const PAGE_SIZE = 100;

/** Entries that are ours, and how many were trimmed while somebody held them. */
export interface PendingPage {
  readonly handed: readonly entries.Handed[];
  readonly gone: number;
}

type PendingReply = readonly (readonly [id: string, consumer: string, idleMs: number, count: number])[];

/**
 * Finds what is pending for us and was never handed on: what an earlier life of ours held, and what a reply brought that was
 * lost. Only the former had its try: what never reached a handler does not count as an attempt.
 */
export class Recovery {
  readonly #places: ReadonlyMap<string, entries.Place>;
  readonly #isHeld: (key: string, id: string) => boolean;
  /** Read up to there, by key. Empty once all of it was. */
  readonly #after = new Map<string, string>();
  /** Streams whose first page was not read to the end yet: what is pending there was an earlier life's. */
  readonly #firstTime: Set<string>;
  /** The attempts that an earlier life's entries are to be, by key and id: a reply that is lost must not raise them twice. */
  readonly #attempts = new Map<string, number>();
  readonly #strays = new Set<string>();

  constructor(places: ReadonlyMap<string, entries.Place>, isHeld: (key: string, id: string) => boolean) {
    this.#places = places;
    this.#isHeld = isHeld;
    this.#firstTime = new Set(places.keys());
  }

  /** The stream to read next. */
  get next(): string | undefined {
    return this.#after.keys().next().value;
  }

  startAll(): void {
    for (const key of this.#places.keys()) this.#after.set(key, '-');
  }

  strayed(key: string): void {
    this.#strays.add(key);
  }

  isStray(key: string): boolean {
    return this.#strays.has(key);
  }

  async read(redis: Redis, key: string, count: number): Promise<PendingPage> {
    const page = await this.#page(redis, key, this.#after.get(key) ?? '-', Math.min(PAGE_SIZE, count));
    if (page.last === undefined) {
      this.#after.delete(key);
      if (this.#firstTime.delete(key) && this.#firstTime.size === 0) this.#attempts.clear();
    } else this.#after.set(key, `(${page.last}`);
    return page;
  }

  /** All of it, at once: there is little. */
  async readStrays(redis: Redis | Cluster, key: string): Promise<PendingPage> {
    // The read loop will come by it.
    if (this.#after.has(key)) return { handed: [], gone: 0 };
    this.#strays.delete(key);
    const handed: entries.Handed[] = [];
    let gone = 0;
    try {
      for (let after: string | undefined = '-'; after !== undefined; ) {
        const page: PendingPage & { last: string | undefined } = await this.#page(redis, key, after, PAGE_SIZE);
        handed.push(...page.handed);
        gone += page.gone;
        after = page.last === undefined ? undefined : `(${page.last}`;
      }
    } catch {
      this.#strays.add(key);
    }
    return { handed, gone };
  }

  async #page(
    redis: Redis | Cluster,
    key: string,
    after: string,
    count: number,
  ): Promise<PendingPage & { last: string | undefined }> {
    const place = this.#places.get(key) as entries.Place;
    const pending = (await redis.xpending(key, place.group, after, '+', count, place.consumer)) as PendingReply;
    const isEarlier = this.#firstTime.has(key);
    const wanted: [string, number][] = [];
    for (const [id, , idleMs, tries] of pending) {
      // What was given back in this life comes by a claim.
      if (this.#isHeld(key, id) || (!isEarlier && idleMs >= IDLE_FOREVER_MS / 2)) continue;
      wanted.push([id, isEarlier ? this.#attemptOf(`${key} ${id}`, tries) : 0]);
    }
    const last = pending.at(-1)?.[0];
    if (wanted.length === 0) return { handed: [], gone: 0, last };
    return { ...(await entries.take(redis, place, wanted)), last };
  }

  /** Of an entry that an earlier life held. */
  #attemptOf(name: string, tries: number): number {
    const attempt = this.#attempts.get(name) ?? tries + 1;
    this.#attempts.set(name, attempt);
    return attempt;
  }
}
