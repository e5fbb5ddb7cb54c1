import { setTimeout as pass } from 'node:timers/promises';
import type { Address } from '@polycast/core/adapter';
import type { Cluster, Redis } from 'ioredis';
import type { GroupKeeper } from './group-keeper.ts';
import * as groups from './group-scripts.ts';
import { mapError } from './map-error.ts';
import { isConnected, type RawEntry, type SourceParts, unblock } from './stream-reader.ts';
import { compareIds, startIdOf } from './wire.ts';

/** Connections over which joining was not answered, remembered at most. */
const MAX_UNANSWERED = 16;
/** How often, and after how many ms each, it is asked whether the server is done with such a connection. */
const DONE = { asked: 20, intervalMs: 50 };

/** What we know of our group in one stream. */
interface Known {
  readonly making: string;
  progress: string;
  /** Where a loss was signalled that could not be counted. */
  mayBeBehind: string;
  /** Entries lost to trimming that were signalled, or are not ours to signal, as the server's run counts; undefined before the first look. */
  lost: { readonly run: string; readonly entries: number } | undefined;
  /** Entries of the stream that were accounted for at the last look: read by the group, or signalled as lost. */
  accounted: number | undefined;
  /** Where nobody else reads: what was accounted for, by our own count, which a restart of the server does not lose. */
  upTo: groups.UpTo | undefined;
}

/** One source's places in its group, a stream each: joins, notices what the group lost, and leaves. */
export class GroupMembership {
  readonly all: readonly groups.Membership[];
  readonly #parts: SourceParts;
  readonly #keeper: GroupKeeper;
  readonly #known = new Map<string, Known>();
  /** Last entry handed to the group, by key: where it is made again should it get lost. */
  readonly #lastIds = new Map<string, string>();
  #reader: number | undefined;
  /** The reader that the server knows as ours, unless one of the unanswered took its place. */
  #registered: number | undefined;
  /** Readers as which we joined without an answer, so far: the server may know them as ours, or may yet read that they join. */
  readonly #unanswered = new Set<number>();
  /** Was the server ever asked to let us join? */
  #hasTried = false;

  constructor(
    parts: SourceParts,
    keeper: GroupKeeper,
    streams: ReadonlyMap<string, Address>,
    member: { readonly group: string; readonly consumer: string },
  ) {
    this.#parts = parts;
    this.#keeper = keeper;
    const durable = parts.request.durable !== undefined;
    this.all = [...streams].map(([key, address]) => ({ key, address, ...member, durable }));
  }

  /** @param read not empty, in order */
  reached(key: string, read: readonly RawEntry[]): void {
    const id = (read.at(-1) as RawEntry)[0];
    this.#lastIds.set(key, id);
    const known = this.#known.get(key);
    if (known?.upTo === undefined) return;
    const { id: from, count } = known.upTo;
    // A look may have come by while they were on their way.
    const isNew = ([each]: RawEntry) => compareIds(each, from) > 0;
    const fresh = isNew(read[0] as RawEntry) ? read.length : read.filter(isNew).length;
    if (fresh > 0) known.upTo = { id, count: count + fresh };
  }

  lastId(key: string): string {
    return this.#lastIds.get(key) ?? '0-0';
  }

  /** On a new connection. @param reader see {@link groups.join} */
  async joinAll(redis: Redis, reader: number | undefined): Promise<void> {
    this.#reader = reader;
    this.#hasTried = true;
    if (reader !== undefined) this.#unanswered.add(reader);
    for (const oldest of this.#unanswered) {
      if (this.#unanswered.size <= MAX_UNANSWERED) break;
      this.#unanswered.delete(oldest);
    }
    await Promise.all(this.all.map((one) => this.#join(redis, one)));
    this.#registered = reader;
    if (reader !== undefined) this.#unanswered.delete(reader);
  }

  /** Compares what a beat found with what we know. @returns false if the group is another than the one we joined */
  async check(one: groups.Membership, state: groups.GroupState): Promise<boolean> {
    const { client } = this.#parts.commands;
    const known = this.#known.get(one.key);
    if (known === undefined || state.making !== known.making) {
      await this.#join(client, one);
      return false;
    }
    if (state.progress !== known.progress || hasUnread(state.progress, known.lost?.entries ?? 0)) {
      await this.look(client, one);
      known.progress = state.progress;
    }
    return true;
  }

  async lookAtAll(): Promise<void> {
    await Promise.all(this.all.map((one) => this.look(this.#parts.commands.client, one)));
  }

  /** Were entries trimmed that the group had not read? */
  async look(redis: Redis | Cluster, one: groups.Membership): Promise<void> {
    const known = this.#known.get(one.key);
    const found = await groups.look(redis, this.#keeper.keys, one, { run: known?.lost?.run, upTo: known?.upTo });
    if (known === undefined) return;
    const isSameRun = known.lost?.run === found.run;
    // Its counts are gone with a server that was restarted. Removed was what followed the last look: who can tell whether it was read?
    const isUntold = !isSameRun && known.lost !== undefined && found.missed === undefined;
    const mayBeUnread = isUntold && (found.removed ?? 0) > (known.accounted ?? Number.POSITIVE_INFINITY);
    if (mayBeUnread || (found.mayBeBehind !== '' && found.mayBeBehind !== known.mayBeBehind)) {
      known.mayBeBehind = found.mayBeBehind;
      this.signalGap(undefined);
    }
    // A server that came back counts from wherever it saved its counts last.
    const before = isSameRun ? known.lost?.entries : found.known;
    const counted = found.lost === undefined || before === undefined ? 0 : Math.max(0, found.lost - before);
    // Told without a number: an old connection may have been handed more than we counted.
    const missed = isSameRun ? undefined : found.missed;
    const more = missed ?? counted;
    if (more > 0) this.signalGap(missed === undefined ? more : undefined);
    if (found.lost !== undefined) known.lost = { run: found.run, entries: found.lost };
    known.accounted = found.lost === undefined || found.read === undefined ? undefined : found.read + found.lost;
    if (this.#parts.request.group === undefined) this.#account(one.key, known, found, more);
  }

  /** @param more entries that were just found to be lost */
  #account(key: string, known: Known, found: groups.Loss, more: number): void {
    const { lastId, read, run } = found;
    const lost = known.lost?.run === run ? known.lost.entries : found.known;
    // Unless we have read on since.
    if (read !== undefined && lost !== undefined && compareIds(this.lastId(key), lastId) <= 0) {
      known.upTo = { id: lastId, count: read + lost };
    } else if (known.upTo !== undefined) known.upTo = { ...known.upTo, count: known.upTo.count + more };
  }

  /** @param entries of which each may hold several events; undefined where it cannot be known */
  signalGap(entries: number | undefined): void {
    const { context, settings } = this.#parts;
    const count = settings.batch === 'off' ? entries : undefined;
    context.signal({ kind: 'gap', reason: 'trimmed', ...(count === undefined ? {} : { count }) });
  }

  /** A durable subscription that the server has lost is made again, and the loss signalled, while somebody knows of it. */
  async restoreAll(): Promise<void> {
    await Promise.all(this.all.map((one) => this.#join(this.#parts.commands.client, one)));
  }

  /** Also wakes some of those who stay, if we leave them something. */
  async leaveAll(): Promise<void> {
    if (!this.#hasTried) return;
    await this.#leaveAll();
    if (this.#unanswered.size === 0) return;
    // What was sent over another connection may come after that: once the server is done with it, we leave again.
    await this.#untilDone([...this.#unanswered]);
    await this.#leaveAll();
  }

  async #leaveAll(): Promise<void> {
    const { commands, settings } = this.#parts;
    const { client } = commands;
    const readers = [...this.#unanswered];
    if (this.#registered !== undefined) readers.push(this.#registered);
    const options = { keepMs: settings.maxAgeMs, readers };
    const left = await Promise.all(this.all.map((one) => groups.leave(client, this.#keeper.keys, one, options)));
    for (const reader of new Set(left.flat())) await unblock(commands, this.#anyKey, Number(reader));
  }

  async #untilDone(readers: readonly number[]): Promise<void> {
    for (let asked = 0; asked < DONE.asked; asked++) {
      if (!(await isConnected(this.#parts.commands, this.#anyKey, readers))) return;
      await pass(DONE.intervalMs);
    }
  }

  get #anyKey(): string {
    return this.all[0]?.key ?? '';
  }

  async #join(redis: Redis | Cluster, one: groups.Membership): Promise<void> {
    const { request, settings } = this.#parts;
    const start = this.#lastIds.get(one.key) ?? startIdOf(request.startFrom, one.address) ?? '$';
    const sentAtMs = performance.now();
    const joined = await groups
      .join(redis, this.#keeper.keys, one, { start, keepMs: settings.maxAgeMs, reader: this.#reader })
      .catch((thrown) => {
        throw mapError(thrown);
      });
    this.#keeper.clock.learn(joined.serverMs, sentAtMs);
    const known = this.#known.get(one.key);
    this.#lastIds.set(one.key, joined.lastId);
    // A life that saw it happen has had it from its own connection.
    if (joined.isUntold && known === undefined) this.signalGap(undefined);
    if (known?.making !== joined.making) {
      // Another group than ours under the same name: what ours had not read, and what it held, is gone.
      if (known !== undefined) this.signalGap(undefined);
      this.#known.set(one.key, {
        making: joined.making,
        progress: '',
        mayBeBehind: '',
        lost: undefined,
        accounted: undefined,
        upTo: undefined,
      });
    }
    await this.look(redis, one);
  }
}

/** Only what is unread can be lost. True where the server does not count. @param lost entries that will never be read */
function hasUnread(progress: string, lost: number): boolean {
  const behind = progress.slice(progress.indexOf(' ') + 1);
  return behind === '' || Number(behind) > lost;
}
