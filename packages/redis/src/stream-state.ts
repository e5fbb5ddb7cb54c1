import type { Redis } from 'ioredis';
import { compareIds } from './wire.ts';

/** Lengths of streams as any source of a link saw them last: what one has just looked at, others need not. */
export class SeenLengths {
  readonly #seen = new Map<string, { readonly length: number; readonly atMs: number }>();

  add(key: string, length: number): void {
    this.#seen.set(key, { length, atMs: performance.now() });
  }

  /** @returns undefined if nobody has looked for so long */
  of(key: string, withinMs: number): number | undefined {
    const seen = this.#seen.get(key);
    return seen === undefined || performance.now() - seen.atMs > withinMs ? undefined : seen.length;
  }
}

/** What XINFO STREAM says. */
export interface StreamState {
  readonly lastId: string;
  readonly firstId: string | undefined;
  /** Entries ever added; undefined before Redis 7. */
  readonly added: number | undefined;
  readonly length: number;
}

/** How far one stream was read. */
export interface ReadUpTo {
  /** Of the last entry read. */
  readonly id: string;
  /** Entries ever added up to there; undefined where it cannot be known. */
  readonly count: number | undefined;
  /** The first entry there was when it was looked at last, and how many had been removed before; undefined if there was none. */
  readonly first: FirstEntry | undefined;
}

export interface FirstEntry {
  readonly id: string;
  readonly removed: number;
}

/**
 * What became of entries that were not read.
 * - `gone`: it is not the stream that was read: that one was deleted, lost with the server's memory, or has expired.
 * - `remade`: the same, and entries of the one that took its place have ids that were read past.
 * - `trimmed`: entries were removed before they were read.
 */
export type Fate = 'kept' | 'trimmed' | 'gone' | 'remade';

export function fateOf({ id, count, first }: ReadUpTo, { added, length, firstId, lastId }: StreamState): Fate {
  if (count === undefined || added === undefined) return 'kept';
  if (added < count || compareIds(lastId, id) < 0) return 'gone';
  const removed = added - length;
  if (firstId !== undefined && compareIds(id, firstId) >= 0) {
    // Only removing moves the first entry on.
    const isOther = first !== undefined && removed <= first.removed && compareIds(firstId, first.id) > 0;
    return isOther ? 'remade' : 'kept';
  }
  // Of what was read, nothing is there: all of it must have been removed, or it never was in this stream.
  if (removed < count) return 'gone';
  return removed > count ? 'trimmed' : 'kept';
}

export function firstOf({ added, length, firstId }: StreamState): FirstEntry | undefined {
  return added === undefined || firstId === undefined ? undefined : { id: firstId, removed: added - length };
}

export async function stateOf(redis: Redis, key: string): Promise<StreamState> {
  let reply: unknown;
  try {
    reply = await redis.xinfo('STREAM', key);
  } catch (thrown) {
    if (thrown instanceof Error && thrown.message.includes('no such key')) {
      return { lastId: '0-0', firstId: undefined, added: 0, length: 0 };
    }
    throw thrown;
  }
  const fields = new Map<string, unknown>();
  const flat = reply as readonly unknown[];
  for (let at = 0; at + 1 < flat.length; at += 2) fields.set(String(flat[at]), flat[at + 1]);
  const added = fields.get('entries-added');
  const first = fields.get('first-entry') as readonly unknown[] | null;
  return {
    lastId: String(fields.get('last-generated-id') ?? '0-0'),
    firstId: first === null || first === undefined ? undefined : String(first[0]),
    added: typeof added === 'number' ? added : undefined,
    length: Number(fields.get('length') ?? 0),
  };
}
