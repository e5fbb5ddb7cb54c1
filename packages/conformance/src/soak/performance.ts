import type { Address } from '@polycast/core';
import { isOwing } from '../history/judge/judge.ts';
import type { Entry, Promises } from '../history/record.ts';
import { Disturbances } from './disturbances.ts';
import type { PlannedEvent } from './order.ts';
import { nowMs, type ParticipantProcess } from './participant-process.ts';
import { type Plan, type PlannedSubscription, SLOTS, type Step } from './plan.ts';
import { Recorder, type Stage } from './stage.ts';
import { watchStarved } from './starved.ts';
import type { FaultCounts } from './tally.ts';

/** How long a step waits for what it began while there are faults, ms: then the history goes on without. */
const STEP_WAIT_MS = 400;
/** And while there are none: only the machine can be slow. */
const CALM_WAIT_MS = 20_000;
/** Maximum wait for unfinished operations after all faults are healed, ms. */
const SETTLE_WITHIN_MS = 30_000;
/** What is owed and has not come is lost when nothing at all has happened for so long, ms. */
const QUIET_MS = 5_000;
/** Of which each round takes so long at least, ms. */
const ROUND_MS = 200;
/** Maximum wait for expected deliveries, ms. */
const OWED_WITHIN_MS = 60_000;
/** Maximum duration of `close` of a broadcaster, ms. */
const LEAVE_WITHIN_MS = 15_000;
/** Maximum wait for an answer of a process at rest, ms. */
const ANSWER_WITHIN_MS = 12_000;
/** How long after a fault a participant may still be without its connection, ms. */
const TROUBLE_MS = 5_000;
const PING_EVERY_MS = 1_000;
/** For so long participants are watched at rest, ms. */
const REST_MS = 300;

interface Open {
  readonly sub: string;
  readonly plan: PlannedSubscription;
  isClosed: boolean;
  isPaused: boolean;
}

interface Joined {
  readonly life: string;
  readonly process: ParticipantProcess;
  readonly subs: Open[];
  /** Address lists it has published to. */
  readonly lanes: Map<string, readonly Address[]>;
  isLeaving: boolean;
}

export interface Performed {
  readonly entries: readonly Entry[];
  readonly faults: FaultCounts;
}

interface PerformOptions {
  /** A defect put around the transport. */
  readonly mutant?: string | undefined;
  /** Ends the history where it stands. */
  readonly signal?: AbortSignal;
}

let performances = 0;

/** Plays a plan on a stage and records what happens. */
export async function perform(
  plan: Plan,
  stage: Stage,
  promises: Promises,
  options: PerformOptions = {},
): Promise<Performed> {
  const performance = new Performance(plan, stage, promises, options);
  try {
    await performance.play();
  } finally {
    await performance.end();
  }
  return { entries: performance.recorder.entries, faults: performance.faults };
}

class Performance {
  readonly recorder: Recorder;
  readonly #plan: Plan;
  readonly #stage: Stage;
  readonly #promises: Promises;
  readonly #mutant: string | undefined;
  readonly #topic: string;
  readonly #joined: (Joined | undefined)[] = SLOTS.map(() => undefined);
  readonly #processes = new Map<ParticipantProcess, true>();
  /** Where all slots share a process. */
  #shared: ParticipantProcess | undefined;
  /** Durable subscriptions that were made, by slot and name: somebody must collect what they are kept. */
  readonly #durable = new Map<string, { readonly slot: number; readonly plan: PlannedSubscription }>();
  readonly #published: (PlannedEvent & { readonly slot: number })[] = [];
  readonly #copies = new Map<number, number>();
  /** What each life was told to publish, begun or not: one event after the other takes its time. */
  readonly #told = new Map<string, string[]>();
  readonly #disturbances: Disturbances;
  #ids = 0;
  #events = 0;
  /** Something ended that could not clean up: the service does so itself, some time later. */
  #isUnclean = false;
  #isAtRest = false;
  #watch: NodeJS.Timeout | undefined;
  #endStarved = () => {};

  constructor(plan: Plan, stage: Stage, promises: Promises, options: PerformOptions) {
    this.recorder = new Recorder(options.signal);
    this.#plan = plan;
    this.#stage = stage;
    this.#promises = promises;
    this.#mutant = options.mutant;
    this.#topic = `soak-${process.pid}-${++performances}`;
    this.#disturbances = new Disturbances(stage, this.recorder, this.#topic);
  }

  get faults(): FaultCounts {
    return this.#disturbances.counts;
  }

  async play(): Promise<void> {
    this.#watch = setInterval(() => this.#lookAfter(), PING_EVERY_MS);
    this.#endStarved = watchStarved((forMs) => this.recorder.note({ what: 'starved', forMs }));
    for (const step of this.#plan.steps) {
      if (this.recorder.isOver) return;
      await this.#step(step);
      if (step.afterMs > 0) await pass(step.afterMs);
    }
    await this.#settle();
  }

  /** Leaves nothing of the history behind, whatever became of it. */
  async end(): Promise<void> {
    clearInterval(this.#watch);
    this.#endStarved();
    await this.#disturbances.healAll();
    for (const one of this.#processes.keys()) {
      const isClean = !this.#joined.some((joined) => joined?.process === one);
      if (isClean) this.#stage.giveBack(one);
      else await one.kill();
    }
    // Who may not remove anything leaves it: it goes when it is too old to be kept.
    await this.#stage.target.forget?.(this.#topic).catch(() => {});
  }

  // ── steps ──

  async #step(step: Step): Promise<void> {
    switch (step.do) {
      case 'join':
        return this.#join(step.slot);
      case 'leave':
        await this.#leave(step.slot, STEP_WAIT_MS);
        return;
      case 'subscribe':
        return this.#subscribe(step.slot, step);
      case 'close':
      case 'pause':
      case 'resume':
        return this.#turn(step);
      case 'publish':
        return this.#publish(step);
      case 'republish':
        return this.#republish(step);
      case 'fault':
        return this.#fault(step);
    }
  }

  async #join(slot: number): Promise<void> {
    await this.#hasLeft(slot, STEP_WAIT_MS);
    if (this.#joined[slot] !== undefined) return;
    const process = this.#processFor(slot);
    const life = `${SLOTS[slot]!.instance}.${++this.#ids}`;
    const joined: Joined = { life, process, subs: [], lanes: new Map(), isLeaving: false };
    this.#joined[slot] = joined;
    const { module, urlAt } = this.#stage.remote;
    process.order({
      do: 'join',
      life,
      process: process.name,
      module,
      url: urlAt(this.#stage.proxies[slot]?.port),
      topic: this.#topic,
      ...SLOTS[slot]!,
      ...(this.#mutant === undefined ? {} : { mutant: this.#mutant }),
    });
    await this.#sees((entry) => entry.what === 'joined' && entry.life === life, this.#stepWaitMs);
  }

  #processFor(slot: number): ParticipantProcess {
    if (this.#shared !== undefined && !this.#shared.isOver) return this.#shared;
    const clockMs = this.#plan.clocksMs[slot] ?? 0;
    const taken = this.#stage.take(clockMs, this.#plan.seed);
    if (clockMs !== 0) this.#disturbances.count('clock');
    if (this.#stage.isShared) this.#shared = taken;
    this.#processes.set(taken, true);
    taken.onEntry = (entry) => this.recorder.add(entry);
    taken.onDied = (how) => {
      this.recorder.note({ what: 'died', process: taken.name, how });
      this.#forget(taken);
    };
    return taken;
  }

  get #stepWaitMs(): number {
    return this.#disturbances.isRecent(STEP_WAIT_MS) ? STEP_WAIT_MS : CALM_WAIT_MS;
  }

  #forget(process: ParticipantProcess): void {
    this.#joined.forEach((joined, slot) => {
      if (joined?.process === process) this.#joined[slot] = undefined;
    });
  }

  async #leave(slot: number, withinMs: number): Promise<boolean> {
    const leaving = this.#joined[slot];
    if (leaving === undefined) return true;
    leaving.isLeaving = true;
    // In the end all is well again, and each has shown that it is connected.
    if (!this.#isAtRest) this.#noteEnd();
    leaving.process.order({ do: 'leave', life: leaving.life });
    return this.#hasLeft(slot, withinMs);
  }

  /** A slot that is still leaving is not joined again: its instance is taken. */
  async #hasLeft(slot: number, withinMs: number): Promise<boolean> {
    const leaving = this.#joined[slot];
    if (leaving?.isLeaving !== true) return leaving === undefined;
    const hasLeft = await this.#sees((entry) => entry.what === 'left' && entry.life === leaving.life, withinMs);
    if (hasLeft && this.#joined[slot] === leaving) this.#joined[slot] = undefined;
    return hasLeft;
  }

  async #subscribe(slot: number, plan: PlannedSubscription): Promise<void> {
    const owner = this.#joined[slot];
    if (owner === undefined || owner.isLeaving) return;
    const open = owner.subs.filter(({ isClosed }) => !isClosed);
    // One instance holds a durable subscription once; and one member of a group is enough for each.
    const isTaken =
      plan.kind !== 'plain' && open.some((one) => one.plan.kind === plan.kind && one.plan.name === plan.name);
    if (open.length >= 3 || isTaken) return;
    const sub = `s${++this.#ids}`;
    owner.subs.push({ sub, plan, isClosed: false, isPaused: false });
    if (plan.kind === 'durable') this.#durable.set(`${slot} ${plan.name}`, { slot, plan });
    const { kind, name, odd, tries, concurrency, mood } = plan;
    owner.process.order({
      do: 'subscribe',
      life: owner.life,
      sub,
      seed: this.#plan.seed + this.#ids,
      lockMs: this.#stage.remote.lockMs ?? 1_000,
      kind,
      ...(name === undefined ? {} : { name }),
      odd,
      tries,
      concurrency,
      mood,
    });
    await this.#sees((entry) => entry.what === 'subscribed' && entry.sub === sub, this.#stepWaitMs);
  }

  async #turn(step: Extract<Step, { do: 'close' | 'pause' | 'resume' }>): Promise<void> {
    const owner = this.#joined[step.slot];
    const open = owner?.subs.filter(({ isClosed }) => !isClosed) ?? [];
    const one = open[step.pick % Math.max(1, open.length)];
    if (owner === undefined || one === undefined) return;
    owner.process.order({ do: step.do, sub: one.sub });
    if (step.do === 'close') this.#noteEnd();
    if (step.do === 'close') one.isClosed = true;
    else one.isPaused = step.do === 'pause';
    if (step.do !== 'close') return;
    await this.#sees((entry) => entry.what === 'closed' && entry.sub === one.sub, STEP_WAIT_MS);
  }

  async #publish(step: Extract<Step, { do: 'publish' }>): Promise<void> {
    const owner = this.#joined[step.slot];
    if (owner === undefined || owner.isLeaving) return;
    const events = Array.from({ length: step.count }, (_, at): PlannedEvent => {
      const n = ++this.#events;
      return {
        n,
        copy: 0,
        ...(step.ownIds ? { id: `${this.#topic}-${n}` } : {}),
        to: step.to,
        ...(step.keys === 0 ? {} : { key: `k${at % step.keys}` }),
        ...(step.ttlMs === undefined ? {} : { ttlMs: step.ttlMs }),
        size: step.size,
        carbonCopy: step.carbonCopy,
      };
    });
    for (const event of events) this.#published.push({ ...event, slot: step.slot });
    this.#tell(owner, events, step.oneByOne);
  }

  #tell(owner: Joined, events: readonly PlannedEvent[], oneByOne = false): void {
    const told = this.#told.get(owner.life) ?? [];
    this.#told.set(owner.life, told);
    for (const { n, copy, to } of events) {
      told.push(`${n} ${copy}`);
      owner.lanes.set(to.join(), to);
    }
    owner.process.order({ do: 'publish', life: owner.life, events, oneByOne });
  }

  async #republish({ slot, pick }: Extract<Step, { do: 'republish' }>): Promise<void> {
    const owner = this.#joined[slot];
    const own = this.#published.filter((one) => one.slot === slot && one.id !== undefined && one.ttlMs === undefined);
    const again = own[pick % Math.max(1, own.length)];
    if (owner === undefined || owner.isLeaving || again === undefined) return;
    const copy = (this.#copies.get(again.n) ?? 0) + 1;
    this.#copies.set(again.n, copy);
    const { slot: _, ...event } = again;
    this.#tell(owner, [{ ...event, copy }]);
  }

  // ── faults ──

  async #fault({ kind, slot, forMs, by }: Extract<Step, { do: 'fault' }>): Promise<void> {
    const joined = this.#joined[slot];
    await this.#disturbances.cause(kind, { slot, process: joined?.process, forMs, by });
    if (kind !== 'crash' || joined === undefined) return;
    this.#isUnclean = true;
    this.#forget(joined.process);
  }

  /** Processes that answer nothing any more. */
  #lookAfter(): void {
    for (const one of this.#processes.keys()) {
      if (one.isOver || one.isFrozen) continue;
      one.ping();
      const forMs = one.silentForMs;
      if (forMs === 0) continue;
      this.recorder.note({ what: 'silent', process: one.name, forMs });
      void one.kill();
      this.#forget(one);
    }
  }

  // ── the end ──

  async #settle(): Promise<void> {
    if (this.recorder.isOver) return;
    await this.#disturbances.healAll();
    for (const one of this.#processes.keys()) one.order({ do: 'calm' });
    await Promise.all(SLOTS.map((_, slot) => this.#hasLeft(slot, LEAVE_WITHIN_MS)));
    for (const { slot, plan } of this.#durable.values()) {
      await this.#join(slot);
      await this.#subscribe(slot, plan);
    }
    for (const one of this.#alive()) {
      for (const open of one.subs) if (!open.isClosed) one.process.order({ do: 'resume', sub: open.sub });
      // Those that came only now, too.
      one.process.order({ do: 'calm' });
    }
    await this.recorder.until(() => this.#isSettled(), SETTLE_WITHIN_MS);
    await this.#mark();
    await this.#collect();
    if (this.recorder.isOver) return;
    this.recorder.note({ what: 'settled' });
    this.#isAtRest = true;
    await this.#rest();
    await Promise.all(SLOTS.map((_, slot) => this.#leaveForGood(slot)));
    await this.#lookForResidue();
  }

  #alive(): readonly Joined[] {
    return this.#joined.filter(
      (joined): joined is Joined => joined !== undefined && !joined.isLeaving && !joined.process.isOver,
    );
  }

  /** Has all that was begun come to an end? */
  #isSettled(): boolean {
    const begun = new Set<string>(this.#alive().flatMap(({ life }) => this.#told.get(life) ?? []));
    const alive = new Set(this.#alive().map(({ life }) => life));
    const closing = new Set(
      this.#alive().flatMap(({ subs }) => subs.filter(({ isClosed }) => isClosed).map(({ sub }) => sub)),
    );
    for (const entry of this.recorder.entries) {
      if (entry.what === 'join' && alive.has(entry.life)) begun.add(entry.life);
      else if (entry.what === 'joined') begun.delete(entry.life);
      else if (entry.what === 'subscribe' && alive.has(entry.life) && !closing.has(entry.sub)) begun.add(entry.sub);
      else if (entry.what === 'subscribed' || entry.what === 'close') begun.delete(entry.sub);
      else if (entry.what === 'published' || entry.what === 'refused') begun.delete(`${entry.n} ${entry.copy}`);
    }
    return begun.size === 0;
  }

  /** Each publisher's next event: what is missing can be noticed now. */
  async #mark(): Promise<void> {
    // What a member of a group publishes may be given to it: without a copy for itself it would be nobody's.
    const carbonCopy = this.#plan.steps.some((step) => step.do === 'subscribe' && step.kind === 'group');
    for (const one of this.#alive()) {
      const events = [...one.lanes.values()].map(
        (to): PlannedEvent => ({ n: ++this.#events, copy: 0, to, size: 0, carbonCopy, marker: true }),
      );
      if (events.length > 0) this.#tell(one, events);
    }
    await this.recorder.until(() => this.#isSettled(), SETTLE_WITHIN_MS);
  }

  /**
   * Waits for what is owed, as long as anything happens. Quiet is counted in rounds in which every participant has answered, so
   * that a machine that is busy has as much time as it needs.
   */
  async #collect(): Promise<void> {
    const deadline = nowMs() + OWED_WITHIN_MS;
    const enough = (QUIET_MS + (this.#stage.remote.lockMs ?? 1_000)) / ROUND_MS;
    let count = this.recorder.entries.length;
    for (
      let quiet = 0;
      quiet < enough && nowMs() < deadline && this.#alive().length > 0 && !this.recorder.isOver;
      quiet++
    ) {
      if (!isOwing(this.recorder.entries, this.#promises)) return;
      await pass(ROUND_MS);
      await this.#allAnswer();
      if (this.recorder.entries.length !== count) quiet = 0;
      count = this.recorder.entries.length;
    }
  }

  async #allAnswer(): Promise<void> {
    await Promise.all(this.#alive().map((one) => Promise.race([one.process.usage(), pass(ANSWER_WITHIN_MS)])));
  }

  /** What do processes do that have nothing to do? */
  async #rest(): Promise<void> {
    const processes = [...new Set(this.#alive().map(({ process }) => process))];
    await Promise.all(
      processes.map(async (one) => {
        const before = await Promise.race([one.usage(), pass(ANSWER_WITHIN_MS)]);
        const atMs = nowMs();
        await pass(REST_MS);
        const after = await Promise.race([one.usage(), pass(ANSWER_WITHIN_MS)]);
        if (before === undefined || after === undefined) return;
        this.recorder.note({ what: 'idle', process: one.name, forMs: nowMs() - atMs, cpuMs: after - before });
      }),
    );
  }

  async #leaveForGood(slot: number): Promise<void> {
    const leaving = this.#joined[slot];
    if (leaving === undefined || (await this.#leave(slot, LEAVE_WITHIN_MS)) || leaving.process.isOver) return;
    const where = `${leaving.life}`;
    this.recorder.note({ what: 'residue', where, names: [`close did not return within ${LEAVE_WITHIN_MS} ms`] });
  }

  /** What closes while the service cannot be reached leaves something there. */
  #noteEnd(): void {
    if (this.#disturbances.isRecent(TROUBLE_MS)) this.#isUnclean = true;
  }

  /**
   * Where something is kept, what dies leaves its place behind for as long as it may come back (on Redis a minute), and a durable
   * subscription stays: these are looked at elsewhere.
   */
  async #lookForResidue(): Promise<void> {
    const { residue } = this.#stage.target;
    const isLeft = this.#promises.atLeastOnce && (this.#isUnclean || this.#durable.size > 0);
    if (residue === undefined || isLeft) return;
    const deadline = nowMs() + 3_000;
    let names: readonly string[] = [];
    do {
      names = await residue(this.#topic);
      if (names.length > 0) await pass(50);
    } while (names.length > 0 && nowMs() < deadline);
    this.recorder.note({ what: 'residue', where: 'on the service', names });
  }

  /** Waits for an entry that is written from now on, or already was. */
  #sees(fits: (entry: Entry) => boolean, withinMs: number): Promise<boolean> {
    let at = 0;
    return this.recorder.until(() => {
      for (; at < this.recorder.entries.length; at++) if (fits(this.recorder.entries[at]!)) return true;
      return false;
    }, withinMs);
  }
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
