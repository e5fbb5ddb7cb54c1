import type { Cluster, Redis } from 'ioredis';
import { mapError } from './map-error.ts';

/** Most streams whose last entry is remembered. */
const MAX_STREAMS = 1_000;

/**
 * The last entry that was written to each stream. A server that comes back without some of its data, or a replica that
 * takes over behind its primary, has lost the end: if the last entry is there, so is all that was written before.
 */
export class WrittenEntries {
  readonly #ids = new Map<string, string>();

  add(stream: string, id: unknown): void {
    if (typeof id !== 'string') return;
    if (this.#ids.size >= MAX_STREAMS && !this.#ids.has(stream)) {
      this.#ids.delete(this.#ids.keys().next().value as string);
    }
    this.#ids.set(stream, id);
  }

  /**
   * False, too, where an entry was trimmed since, or the user may not look. Then what comes next starts afresh.
   * @throws PolycastError where no answer came: it may be asked again
   */
  async areThere(client: Redis | Cluster): Promise<boolean> {
    try {
      const found = await Promise.all(
        [...this.#ids].map(async ([stream, id]) => {
          const isThere = (await client.xrange(stream, id, id)).length > 0;
          if (!isThere && this.#ids.get(stream) === id) this.#ids.delete(stream);
          return isThere;
        }),
      );
      return found.every(Boolean);
    } catch (thrown) {
      const error = mapError(thrown);
      if (error.retryable) throw error;
      return false;
    }
  }
}
