import type { Contests } from './contests.ts';
import type { HeldEntry } from './held-entry.ts';
import { mapError } from './map-error.ts';
import type { SourceParts } from './stream-reader.ts';

/** Wait before the server is asked again to take what it did not take, in ms. */
const RETRY_MS = 100;

/** Tells the server what was accepted: one XACK a stream and turn of the event loop. */
export class Acknowledger {
  readonly #parts: SourceParts;
  readonly #group: string;
  readonly #contests: Contests;
  readonly #taken: (entry: HeldEntry) => void;
  #accepted: HeldEntry[] = [];
  #flushing: Promise<void> | undefined;
  #flushSoon: NodeJS.Immediate | undefined;
  #isOpen = true;

  /** @param taken the server knows */
  constructor(parts: SourceParts, group: string, contests: Contests, taken: (entry: HeldEntry) => void) {
    this.#parts = parts;
    this.#group = group;
    this.#contests = contests;
    this.#taken = taken;
  }

  add(entry: HeldEntry): void {
    this.#accepted.push(entry);
    this.#flushSoon ??= setImmediate(() => {
      this.#flushSoon = undefined;
      void this.#flush();
    });
  }

  /** Tells the rest, once. */
  async close(): Promise<void> {
    this.#isOpen = false;
    clearImmediate(this.#flushSoon);
    await this.#flushing;
    await this.#flush();
  }

  /** What the server did not take is asked again by the next, after a while. */
  #flush(): Promise<void> {
    this.#flushing ??= this.#acknowledgeAll().finally(() => {
      this.#flushing = undefined;
      if (this.#accepted.length > 0 && this.#flushSoon === undefined && this.#isOpen) void this.#flush();
    });
    return this.#flushing;
  }

  async #acknowledgeAll(): Promise<void> {
    const entries = this.#accepted;
    this.#accepted = [];
    const byKey = new Map<string, HeldEntry[]>();
    for (const entry of entries) {
      const ofKey = byKey.get(entry.key);
      if (ofKey === undefined) byKey.set(entry.key, [entry]);
      else ofKey.push(entry);
    }
    await Promise.all([...byKey].map(([key, ofKey]) => this.#acknowledge(key, ofKey)));
  }

  async #acknowledge(key: string, entries: readonly HeldEntry[]): Promise<void> {
    const { commands, watch, context } = this.#parts;
    try {
      const ids = entries.flatMap(({ id, contestant }) => (contestant === undefined ? [id] : []));
      await Promise.all([
        ids.length > 0 && watch.run(() => commands.client.xack(key, this.#group, ...ids)),
        ...entries.map(({ contestant }) => contestant && this.#contests.finish(contestant)),
      ]);
      for (const entry of entries) this.#taken(entry);
    } catch (thrown) {
      const error = mapError(thrown);
      if (error.retryable && this.#isOpen) {
        await new Promise((resolve) => {
          setTimeout(resolve, RETRY_MS).unref();
        });
        this.#accepted.push(...entries);
      } else context.signal({ kind: 'failed', what: 'settle', error });
    }
  }
}
