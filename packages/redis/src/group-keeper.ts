import type { LinkContext } from '@polycast/core/adapter';
import type { Commands } from './client.ts';
import type { CommandWatch } from './command-watch.ts';
import { type GroupKeys, groupKeys } from './group-keys.ts';
import { LEASE_MS, STREAM_GRACE_MS } from './group-lua.ts';
import * as groups from './group-scripts.ts';
import type { ServerClock } from './server-clock.ts';
import type { Settings } from './settings.ts';

/** How often a member gives a sign of life, at least, in ms: two may get lost. */
export const BEAT_INTERVAL_MS = LEASE_MS / 3;
/** How often a beat is tried again that failed, in ms. */
const RETRY_MS = 1_000;
/** How often streams are kept from expiring, at most and at least, in ms. */
const REFRESH_MS = { most: BEAT_INTERVAL_MS, least: STREAM_GRACE_MS / 2 };

/** A source whose memberships are kept. */
export interface Kept {
  readonly memberships: readonly groups.Membership[];
  /**
   * What a beat found, in the order of the memberships. Never rejects.
   * @returns after how many ms it wants to know again
   */
  seen(states: readonly groups.GroupState[]): Promise<number>;
}

/**
 * Keeps the groups of a link alive: one command for all of its sources, three times a minute while nothing is to be done, and as
 * often as a source asks for otherwise. It takes away what dead members left, too, and learns the server's time.
 */
export class GroupKeeper {
  readonly keys: GroupKeys;
  readonly clock: ServerClock;
  readonly #commands: Commands;
  readonly #watch: CommandWatch;
  readonly #keepMs: number;
  readonly #kept = new Set<Kept>();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, by the monotonic clock, as all times here. */
  #dueAtMs = Number.POSITIVE_INFINITY;
  #beating: Promise<void> | undefined;
  #heardAtMs: number | undefined;
  /** Others may have been as cut off as we were: until then nobody is taken for dead. */
  #buryFromMs = 0;
  #buriedAtMs = Number.NEGATIVE_INFINITY;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;
  #knowsStrangers = false;

  constructor(commands: Commands, watch: CommandWatch, settings: Settings, context: LinkContext, clock: ServerClock) {
    this.#commands = commands;
    this.#watch = watch;
    this.clock = clock;
    this.#keepMs = settings.maxAgeMs;
    this.keys = groupKeys(settings.prefix, context.topic);
  }

  /** Resolves after a first beat, which takes away what the dead left. Never rejects. */
  async add(one: Kept): Promise<void> {
    this.#kept.add(one);
    await this.#beating;
    this.#buriedAtMs = Number.NEGATIVE_INFINITY;
    await this.#beatOnce();
  }

  /** No sign of life for it is sent after it resolves. */
  async remove(one: Kept): Promise<void> {
    this.#kept.delete(one);
    if (this.#kept.size === 0) this.#stopTimer();
    await this.#beating;
  }

  /** @param withinMs the next beat comes no later than that */
  hurry(withinMs: number): void {
    const dueAtMs = performance.now() + withinMs;
    if (this.#kept.size === 0 || dueAtMs >= this.#dueAtMs) return;
    this.#stopTimer();
    this.#dueAtMs = dueAtMs;
    this.#timer = setTimeout(() => void this.#beatOnce(), withinMs);
    this.#timer.unref();
  }

  close(): void {
    this.#kept.clear();
    this.#stopTimer();
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dueAtMs = Number.POSITIVE_INFINITY;
  }

  async #beatOnce(): Promise<void> {
    this.#stopTimer();
    // What asks for a beat meanwhile gets the next.
    this.#beating ??= this.#beat()
      .catch(() => RETRY_MS)
      .then((waitMs) => {
        this.#beating = undefined;
        this.hurry(waitMs);
      });
    await this.#beating;
  }

  /** @returns when the next one is due, ms from now */
  async #beat(): Promise<number> {
    const kept = [...this.#kept];
    if (kept.length === 0) return Number.POSITIVE_INFINITY;
    const nowMs = performance.now();
    if (this.#heardAtMs !== undefined && nowMs - this.#heardAtMs > 2 * BEAT_INTERVAL_MS) {
      this.#buryFromMs = nowMs + LEASE_MS;
    }
    const bury = nowMs >= this.#buryFromMs && nowMs - this.#buriedAtMs >= LEASE_MS * 0.9;
    const refreshMs = Math.min(REFRESH_MS.least, Math.max(REFRESH_MS.most, this.#keepMs / 4));
    const refresh = nowMs - this.#refreshedAtMs >= refreshMs;
    const all = kept.flatMap(({ memberships }) => memberships);
    const options = { keepMs: this.#keepMs, refresh, bury, strangers: bury && !this.#knowsStrangers };
    const { serverMs, states } = await this.#watch.run(() =>
      groups.beat(this.#commands.client, this.keys, all, options),
    );
    this.clock.learn(serverMs, nowMs);
    this.#heardAtMs = performance.now();
    if (refresh) this.#refreshedAtMs = nowMs;
    if (bury) this.#buriedAtMs = nowMs;
    if (options.strangers) this.#knowsStrangers = true;
    let from = 0;
    const waits = kept.map((one) => {
      const own = states.slice(from, from + one.memberships.length);
      from += one.memberships.length;
      return this.#kept.has(one) ? one.seen(own) : Number.POSITIVE_INFINITY;
    });
    return Math.min(BEAT_INTERVAL_MS, ...(await Promise.all(waits)));
  }
}
