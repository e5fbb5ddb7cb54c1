import { nowMs, type ParticipantProcess } from './participant-process.ts';
import type { FaultKind } from './plan.ts';
import type { Recorder, Stage } from './stage.ts';
import type { FaultCounts } from './tally.ts';

type Deed = () => unknown;

/** Whom a fault befalls, and how. */
export interface Circumstances {
  readonly slot: number;
  /** The process of the slot, if it is there. */
  readonly process: ParticipantProcess | undefined;
  /** How long it lasts. */
  readonly forMs: number;
  /** In [0, 1): how much, or which. */
  readonly by: number;
}

/** The service can be the victim of one of these at a time: one that is down cannot be frozen, nor refuse anything. */
const OF_SERVICE: ReadonlySet<FaultKind> = new Set(['freeze-service', 'kill-service', 'refuse', 'forbid']);
const LOSES: ReadonlySet<FaultKind> = new Set(['trim', 'wipe', 'demote']);
/** Who listens is lost, too. */
const FORGETS: ReadonlySet<FaultKind> = new Set(['wipe']);

/** Causes the faults of one history, counts them, and heals those that last. */
export class Disturbances {
  readonly counts: FaultCounts = {};
  readonly #stage: Stage;
  readonly #recorder: Recorder;
  readonly #topic: string;
  readonly #healing = new Set<() => Promise<void>>();
  #service: { readonly heal: () => Promise<void>; readonly untilMs: number } | undefined;
  #latestAtMs = 0;
  #ids = 0;

  constructor(stage: Stage, recorder: Recorder, topic: string) {
    this.#stage = stage;
    this.#recorder = recorder;
    this.#topic = topic;
  }

  /** Is a fault going on, or did one happen within so long? */
  isRecent(withinMs: number): boolean {
    return this.#healing.size > 0 || nowMs() - this.#latestAtMs < withinMs;
  }

  async healAll(): Promise<void> {
    for (const heal of [...this.#healing]) await heal();
  }

  /** Resolves when it is done; one that lasts goes on meanwhile. What makes no sense now does nothing. */
  async cause(kind: FaultKind, { slot, process, forMs, by }: Circumstances): Promise<void> {
    const faults = this.#stage.target.faults ?? {};
    const proxy = this.#stage.proxies[slot];
    switch (kind) {
      case 'cut':
        return this.#brief(kind, () => proxy?.cut());
      case 'cut-one':
        return this.#brief(kind, () => proxy?.cutOne(by));
      case 'delay': {
        const slow = () => {
          if (proxy !== undefined) proxy.addedDelayMs = 5 + by * 100;
        };
        return this.#lasting(kind, forMs, slow, () => proxy?.restore());
      }
      case 'swallow': {
        const swallow = () => proxy?.lose();
        return this.#lasting(kind, forMs, swallow, () => proxy?.restore());
      }
      case 'crash': {
        if (process === undefined) return;
        this.count(kind);
        await process.kill();
        return this.#recorder.note({ what: 'crash', process: process.name });
      }
      case 'freeze-participant': {
        if (process === undefined || process.isFrozen) return;
        const freeze = () => process.freeze();
        return this.#lasting(kind, forMs, freeze, () => process.thaw());
      }
      case 'clock': {
        if (process === undefined) return;
        const offsetMs = Math.round((by - 0.5) * 2_000_000);
        return this.#brief(kind, () => process.order({ do: 'clock', offsetMs }));
      }
      case 'cut-all':
        return this.#brief(kind, () => faults.cut?.());
      case 'freeze-service': {
        const freeze = () => faults.freeze?.();
        return this.#lasting(kind, forMs, freeze, () => faults.thaw?.());
      }
      case 'kill-service': {
        const kill = () => faults.kill?.();
        return this.#lasting(kind, forMs, kill, () => faults.start?.());
      }
      case 'restart-service':
        return this.#brief(kind, () => faults.restart?.());
      case 'refuse': {
        const refuse = () => faults.refuse?.();
        return this.#lasting(kind, forMs, refuse, () => faults.relent?.());
      }
      case 'forbid': {
        const forbid = () => faults.forbid?.(this.#topic);
        return this.#lasting(kind, forMs, forbid, () => faults.permit?.(this.#topic));
      }
      case 'trim':
        return this.#brief(kind, () => faults.trim?.(this.#topic));
      case 'wipe':
        return this.#brief(kind, () => faults.wipe?.());
      case 'demote':
        return this.#brief(kind, async () => {
          const at = await faults.demote?.();
          for (const each of this.#stage.proxies) if (each !== undefined && at !== undefined) each.target = at;
        });
    }
  }

  /** @returns its name in the record */
  count(kind: FaultKind): string {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    this.#latestAtMs = nowMs();
    const fault = `${kind} ${++this.#ids}`;
    // A crash has an entry of its own.
    if (kind === 'crash') return fault;
    this.#recorder.note({
      what: 'fault',
      fault,
      kind,
      ...(LOSES.has(kind) ? { loses: true } : {}),
      ...(FORGETS.has(kind) ? { forgets: true } : {}),
    });
    return fault;
  }

  async #brief(kind: FaultKind, deed: Deed): Promise<void> {
    await this.#serviceIsThere();
    const fault = this.count(kind);
    await deed();
    this.#recorder.note({ what: 'healed', fault });
  }

  /** Goes on while the history does, for so long. */
  async #lasting(kind: FaultKind, forMs: number, begin: Deed, end: Deed): Promise<void> {
    await this.#serviceIsThere();
    const fault = this.count(kind);
    await begin();
    let healed: Promise<void> | undefined;
    const heal = () => {
      healed ??= (async () => {
        clearTimeout(timer);
        await end();
        this.#recorder.note({ what: 'healed', fault });
        this.#healing.delete(heal);
      })();
      return healed;
    };
    const timer = setTimeout(() => void heal(), forMs);
    this.#healing.add(heal);
    if (OF_SERVICE.has(kind)) this.#service = { heal, untilMs: nowMs() + forMs };
  }

  async #serviceIsThere(): Promise<void> {
    const busy = this.#service;
    if (busy === undefined) return;
    this.#service = undefined;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, busy.untilMs - nowMs())));
    await busy.heal();
  }
}
