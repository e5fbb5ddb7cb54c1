import type { Address } from '@polycast/core/adapter';
import type { Cluster, Redis } from 'ioredis';
import type { GroupKeeper } from './group-keeper.ts';
import * as groups from './group-scripts.ts';
import { mapError } from './map-error.ts';
import { type SourceParts, unblock } from './stream-reader.ts';
import { startIdOf } from './wire.ts';

/** What we know of our group in one stream. */
interface Known {
  readonly making: string;
  progress: string;
  /** Where a loss was signalled that could not be counted. */
  mayBeBehind: string;
  /** Entries lost to trimming that were signalled, or are not ours to signal, as the server's run counts; undefined before the first look. */
  lost: { readonly run: string; readonly entries: number } | undefined;
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
  /** The reader that the server knows as ours. */
  #registered: number | undefined;

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

  /** An entry was read. */
  reached(key: string, id: string): void {
    this.#lastIds.set(key, id);
  }

  lastId(key: string): string {
    return this.#lastIds.get(key) ?? '0-0';
  }

  /** On a new connection. @param reader see {@link groups.join} */
  async joinAll(redis: Redis, reader: number | undefined): Promise<void> {
    this.#reader = reader;
    await Promise.all(this.all.map((one) => this.#join(redis, one)));
    this.#registered = reader;
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
    const found = await groups.look(redis, this.#keeper.keys, one);
    if (known === undefined) return;
    if (found.mayBeBehind !== '' && found.mayBeBehind !== known.mayBeBehind) {
      known.mayBeBehind = found.mayBeBehind;
      this.signalGap(undefined);
    }
    if (found.lost === undefined) return;
    // A server that came back counts from wherever it saved its counts last.
    const before = known.lost?.run === found.run ? known.lost.entries : found.known;
    known.lost = { run: found.run, entries: found.lost };
    if (found.lost > before) this.signalGap(found.lost - before);
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
    const { commands, settings } = this.#parts;
    const { client } = commands;
    const options = { keepMs: settings.maxAgeMs, reader: this.#registered };
    const left = await Promise.all(this.all.map((one) => groups.leave(client, this.#keeper.keys, one, options)));
    const key = this.all[0]?.key ?? '';
    for (const reader of new Set(left.flat())) await unblock(commands, key, Number(reader));
  }

  async #join(redis: Redis | Cluster, one: groups.Membership): Promise<void> {
    const { request, settings } = this.#parts;
    const start = this.#lastIds.get(one.key) ?? startIdOf(request.from, one.address) ?? '$';
    const sentAtMs = performance.now();
    const joined = await groups
      .join(redis, this.#keeper.keys, one, { start, keepMs: settings.maxAgeMs, reader: this.#reader })
      .catch((thrown) => {
        throw mapError(thrown);
      });
    this.#keeper.clock.learn(joined.serverMs, sentAtMs);
    const known = this.#known.get(one.key);
    this.#lastIds.set(one.key, joined.lastId);
    if (known?.making !== joined.making) {
      // Another group than ours under the same name: what ours had not read, and what it held, is gone.
      if (known !== undefined) this.signalGap(undefined);
      this.#known.set(one.key, { making: joined.making, progress: '', mayBeBehind: '', lost: undefined });
    }
    await this.look(redis, one);
  }
}

/** Only what is unread can be lost. True where the server does not count. @param lost entries that will never be read */
function hasUnread(progress: string, lost: number): boolean {
  const behind = progress.slice(progress.indexOf(' ') + 1);
  return behind === '' || Number(behind) > lost;
}
