import { Outage, pause } from '@polycast/core/adapter';
import * as entries from './entry-scripts.ts';
import { mapError } from './map-error.ts';
import type { PendingEntry } from './pending-entry.ts';
import type { PendingPage } from './recovery.ts';
import type { SourceParts } from './stream-reader.ts';

/** Wait before the server is asked again to take what it did not take, and the longest, in ms. */
const RETRY_MS = 100;
const MAX_RETRY_MS = 1_000;
/** Most entries of a stream that wait to be taken. The others come again when their lock runs out, and are not handled again. */
const MAX_UNTAKEN = 4_096;

/** What the acknowledger asks of its source. */
export interface AcknowledgerParts {
  placeOf(key: string): entries.Place;
  /** Are entries still handed on? */
  isOpen(): boolean;
  /** The server knows. */
  taken(entry: PendingEntry): void;
  /** What waited for settled entries is ours. */
  next(key: string, page: PendingPage): void;
}

/** Tells the server what was accepted: one command a stream and turn of the event loop. */
export class Acknowledger {
  readonly #parts: SourceParts;
  readonly #source: AcknowledgerParts;
  #accepted: PendingEntry[] = [];
  #flushing: Promise<void> | undefined;
  #flushSoon: NodeJS.Immediate | undefined;
  #isOpen = true;
  #failures = 0;
  readonly #outage: Outage;

  constructor(parts: SourceParts, source: AcknowledgerParts) {
    this.#parts = parts;
    this.#source = source;
    this.#outage = new Outage('what was accepted cannot be acknowledged', (error) =>
      parts.context.signal({ kind: 'failed', what: 'settle', error }),
    );
  }

  add(entry: PendingEntry): void {
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
    const accepted = this.#accepted;
    this.#accepted = [];
    const byKey = new Map<string, PendingEntry[]>();
    for (const entry of accepted) {
      const ofKey = byKey.get(entry.key);
      if (ofKey === undefined) byKey.set(entry.key, [entry]);
      else ofKey.push(entry);
    }
    await Promise.all([...byKey].map(([key, ofKey]) => this.#acknowledge(key, ofKey)));
  }

  async #acknowledge(key: string, accepted: readonly PendingEntry[]): Promise<void> {
    const { commands, watch, context } = this.#parts;
    const { group } = this.#source.placeOf(key);
    try {
      const ids: string[] = [];
      const keyed: [string, string, 0 | 1][] = [];
      for (const { id, partitionKey, handedOn } of accepted) {
        if (partitionKey === undefined) ids.push(id);
        else keyed.push([id, partitionKey, handedOn ? 0 : 1]);
      }
      if (ids.length > 0) await watch.run(() => commands.client.xack(key, group, ...ids));
      const next = keyed.length > 0 ? await this.#finish(key, keyed) : undefined;
      for (const entry of accepted) this.#source.taken(entry);
      this.#failures = 0;
      this.#outage.over();
      if (next !== undefined) this.#source.next(key, next);
    } catch (thrown) {
      const error = mapError(thrown);
      if (!this.#isOpen) return context.signal({ kind: 'failed', what: 'settle', error });
      this.#outage.failed(error);
      await pause(Math.min(MAX_RETRY_MS, RETRY_MS * ++this.#failures));
      // Whatever the reason, it may pass: held for ever, an entry would hold up all of its key.
      for (const entry of accepted.slice(MAX_UNTAKEN)) this.#source.taken(entry);
      this.#accepted.push(...accepted.slice(0, MAX_UNTAKEN));
    }
  }

  #finish(key: string, settled: readonly (readonly [string, string, 0 | 1])[]): Promise<PendingPage> {
    const { commands, watch } = this.#parts;
    const place = this.#source.placeOf(key);
    return watch.run(() => entries.finish(commands.client, place, settled, this.#source.isOpen()));
  }
}
