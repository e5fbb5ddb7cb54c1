import {
  BroadcastEvent,
  type Broadcaster,
  DEFAULT_DRAIN_MS,
  type PublishOptions,
  type Subscription,
  type Transport,
} from '@polycast/core';
import { encodeEvent } from '@polycast/core/adapter';
import { connectOn, loadAll } from '@polycast/core/simulation';
import { Clock } from './clock.ts';
import type { Deed, History, PublishPlan, Step, SubscriptionPlan } from './history.ts';
import { ParticipantRuntime, START_WALL_MS } from './participant-runtime.ts';
import { type Profile, profileOf } from './profile.ts';
import { pollTimeoutMsOf, Service, storeNameOf, TOPIC } from './service.ts';
import { type Published, type SlotRecord, type SubscriptionRecord, Trace } from './trace.ts';
import { UserCode } from './user-code.ts';
import { WatchedSignal } from './watched-signal.ts';

/** How long everything has to come to rest, and then to leave, ms of virtual time. */
const REST_MS = 45_000;
const LEAVE_MS = 60_000;
/** Longest wait of the participants' own `close` at the end, ms. */
const LAST_DRAIN_MS = 200;
/** Tasks of the clock that one history may take. */
const MAX_TASKS = 6_000;
const TTL_MS = 600_000;
const LOCK_MS = 9_000;

interface Player {
  readonly record: SlotRecord;
  readonly runtime: ParticipantRuntime;
  broadcaster: Broadcaster | undefined;
}

interface Listening {
  readonly record: SubscriptionRecord;
  readonly player: Player;
  readonly signal: WatchedSignal;
  subscription: Subscription | undefined;
}

let histories = 0;
let warmed: Promise<void> | undefined;

/** Core loads some of its modules when it first connects, or needs them, in real time: that must not happen within a history. */
async function warm(): Promise<void> {
  await loadAll();
  const transport: Transport = {
    manifest: profileOf('log').manifest,
    location: 'simulation:warm',
    open: () => Promise.reject(new Error('only to load what connecting loads')),
  };
  await connectOn(new ParticipantRuntime(new Clock(), 1, 0, true), { transport, topic: TOPIC }).catch(() => {});
}

/** Plays a history to its end. @returns everything that happened */
export async function play(history: History): Promise<Trace> {
  warmed ??= warm();
  await warmed;
  return new World(history).play();
}

class World {
  readonly #history: History;
  readonly #profile: Profile;
  readonly #clock = new Clock();
  readonly #trace = new Trace(() => this.#clock.nowMs);
  readonly #service: Service;
  readonly #players = new Map<number, Player>();
  readonly #listening = new Map<number, Listening>();
  readonly #budget = { tasks: MAX_TASKS };
  /** Of the process, where all participants live in one. */
  #wallOffsetMs = 0;

  constructor(history: History) {
    this.#history = history;
    this.#profile = profileOf(history.profile);
    this.#service = new Service(this.#clock, this.#trace, this.#profile, `simulation:${++histories}`);
    this.#service.onHanded = (slot) => {
      for (const { record, subscription } of this.#listening.values()) {
        if (record.slot !== slot || subscription === undefined) continue;
        record.maxPending = Math.max(record.maxPending, subscription.pending);
      }
    };
  }

  async play(): Promise<Trace> {
    const trace = this.#trace;
    const unhandled = (thrown: unknown) => trace.wrong.push(`unhandled: ${nameOf(thrown)}`);
    this.#clock.onThrown = unhandled;
    process.on('unhandledRejection', unhandled);
    process.on('uncaughtException', unhandled);
    try {
      for (const step of this.#history.steps) await this.#step(step);
      await this.#rest();
      await this.#leave();
    } finally {
      process.off('unhandledRejection', unhandled);
      process.off('uncaughtException', unhandled);
    }
    return trace;
  }

  async #step(step: Step): Promise<void> {
    if (step.afterMs > 0) await this.#run(step.afterMs);
    this.#guarded(() => this.#do(step));
  }

  /** Our interface throws nothing but what it says; what comes out of it here comes from user code. */
  #guarded(deed: () => void): void {
    try {
      deed();
    } catch (thrown) {
      this.#trace.wrong.push(`thrown: ${nameOf(thrown)}`);
    }
  }

  async #run(forMs: number): Promise<void> {
    if (await this.#clock.runUntil(this.#clock.nowMs + forMs, this.#budget)) return;
    if (!this.#trace.wrong.some((what) => what.startsWith('busy'))) {
      this.#trace.wrong.push(`busy: ${MAX_TASKS} tasks were not enough`);
    }
  }

  /** No more misfortune: what can still happen, happens. */
  async #rest(): Promise<void> {
    for (const connection of this.#service.connections.values()) connection.disarm();
    await this.#run(1_000);
    // Handlers may pause again what is resumed.
    for (let round = 0; round < 4; round++) {
      for (const { subscription } of this.#listening.values()) this.#guarded(() => subscription?.resume());
      await this.#run(REST_MS / 4);
    }
    this.#trace.restedAt = this.#trace.now();
    for (const { record, broadcaster } of this.#players.values()) record.dropped = broadcaster?.dropped;
    for (const [sub, { record, subscription }] of this.#listening) {
      if (subscription?.state !== 'open' || record.crashedAt !== undefined) continue;
      this.#trace.waitingDirectly.set(record.slot, this.#service.waitingDirectly(record.slot));
      const name = storeNameOf(record);
      if (name !== undefined) this.#trace.waitingAtRest.set(sub, this.#service.waiting(name));
    }
  }

  async #leave(): Promise<void> {
    for (const slot of this.#players.keys()) void this.#leaveSlot(slot, LAST_DRAIN_MS);
    await this.#run(LEAVE_MS);
    const trace = this.#trace;
    for (const { record, runtime, broadcaster } of this.#players.values()) {
      if (record.crashedAt !== undefined || broadcaster === undefined || record.leftAt === undefined) continue;
      if (runtime.timers > 0) trace.wrong.push(`residue-timers: ${runtime.timers} left by ${record.instance}`);
      if (runtime.holds !== 0) trace.wrong.push(`residue-holds: ${runtime.holds} left by ${record.instance}`);
    }
    for (const [sub, { signal, record }] of this.#listening) {
      if (record.closedAt !== undefined && record.crashedAt === undefined && signal.listeners > 0) {
        trace.wrong.push(`residue-listeners: ${signal.listeners} on the AbortSignal of subscription ${sub}`);
      }
    }
  }

  #do(deed: Deed): void {
    const trace = this.#trace;
    switch (deed.kind) {
      case 'join':
        return void this.#join(deed.slot, deed.role, deed.wallOffsetMs);
      case 'subscribe':
        return void this.#subscribe(deed.slot, deed);
      case 'publish':
        for (let count = 0; count < deed.count; count++) void this.#publish(deed.slot, deed);
        return;
      case 'request':
        return this.#request(deed.slot, deed.expect, deed.timeoutMs);
      case 'members': {
        const player = this.#present(deed.slot);
        if (player !== undefined) trace.watch('members', deed.slot, player.broadcaster.members());
        return;
      }
      case 'pause':
        return this.#pause(deed.sub);
      case 'resume':
        return this.#listening.get(deed.sub)?.subscription?.resume();
      case 'drain': {
        const { subscription, record } = this.#listening.get(deed.sub) ?? {};
        if (subscription !== undefined && record !== undefined) trace.watch('drain', record.slot, subscription.drain());
        return;
      }
      case 'abort': {
        const listening = this.#listening.get(deed.sub);
        if (listening === undefined) return;
        listening.record.closeCalledAt ??= trace.now();
        listening.signal.abort();
        return void this.#close(deed.sub, DEFAULT_DRAIN_MS);
      }
      case 'close':
        return void this.#close(deed.sub, deed.drainMs);
      case 'leave':
        return void this.#leaveSlot(deed.slot, deed.drainMs);
      default:
        return this.#suffer(deed);
    }
  }

  #suffer(
    deed: Extract<Deed, { kind: 'crash' | 'clock' | 'fault' | 'cut' | 'restart' | 'lose-locks' | 'forge' }>,
  ): void {
    const trace = this.#trace;
    const player = 'slot' in deed ? this.#players.get(deed.slot) : undefined;
    switch (deed.kind) {
      case 'crash':
        if (player !== undefined) this.#crash(player);
        return;
      case 'clock':
        return this.#jump(player, deed.byMs);
      case 'fault':
        for (let times = deed.times ?? 1; times > 0; times--) {
          this.#service.connections.get(deed.slot)?.arm(deed.call, deed.how);
        }
        if (deed.next !== undefined) this.#service.connections.get(deed.slot)?.arm(deed.call, deed.next);
        return;
      case 'cut':
        trace.faults.add('cut');
        return this.#service.cut(deed.slot, deed.downMs);
      case 'restart':
        trace.faults.add('cut');
        if (!deed.keeps) trace.faults.add('forgotten');
        return this.#service.restart(deed.keeps, deed.downMs);
      case 'lose-locks':
        trace.faults.add('lose-locks');
        return this.#service.loseLocks(deed.slot);
      default:
        return this.#forge(deed.as, deed.number);
    }
  }

  /** A wall clock is set: one participant's, or that of the process in which all live. */
  #jump(player: Player | undefined, byMs: number): void {
    if (player === undefined) return;
    if (!this.#profile.isDirect) {
      player.runtime.wallOffsetMs += byMs;
      return;
    }
    this.#wallOffsetMs += byMs;
    for (const { runtime } of this.#players.values()) runtime.wallOffsetMs = this.#wallOffsetMs;
  }

  #present(slot: number): (Player & { broadcaster: Broadcaster }) | undefined {
    const player = this.#players.get(slot);
    if (player?.broadcaster === undefined || player.record.crashedAt !== undefined) return undefined;
    return player.record.leaveCalledAt === undefined ? (player as Player & { broadcaster: Broadcaster }) : undefined;
  }

  async #join(slot: number, role: string, wallOffsetMs: number): Promise<void> {
    const before = this.#players.get(slot)?.record;
    if (before !== undefined && before.leftAt === undefined && before.crashedAt === undefined) return;
    const life = this.#trace.slots.filter((one) => one.slot === slot).length;
    const instance = `p${slot}`;
    const record: SlotRecord = {
      slot,
      role,
      instance,
      source: `/${role}/${instance}`,
      leaveCalledAt: undefined,
      leftAt: undefined,
      drainMs: 0,
      crashedAt: undefined,
      dropped: undefined,
      signals: [],
    };
    const { isDirect } = this.#profile;
    const wallMs = isDirect ? this.#wallOffsetMs : wallOffsetMs;
    const runtime = new ParticipantRuntime(
      this.#clock,
      this.#history.seed + 31 * slot + 1_009 * life,
      wallMs,
      isDirect,
    );
    const player: Player = { record, runtime, broadcaster: undefined };
    this.#players.set(slot, player);
    this.#trace.slots.push(record);
    const connecting = connectOn(runtime, {
      transport: this.#service.transport(slot),
      topic: TOPIC,
      self: { instance: `${instance}`, role },
      onSignal: (signal) => {
        record.signals.push({ signal, at: this.#trace.now() });
      },
    });
    this.#trace.watch('connect', slot, connecting);
    try {
      player.broadcaster = await connecting;
    } catch {
      record.leftAt = this.#trace.now();
    }
  }

  async #subscribe(slot: number, plan: SubscriptionPlan): Promise<void> {
    const player = this.#present(slot);
    if (player === undefined || this.#listening.has(plan.sub)) return;
    const trace = this.#trace;
    const { capabilities } = this.#profile.manifest;
    if (plan.group !== undefined && capabilities.groups.level === 'none') return;
    if (plan.durable !== undefined && capabilities.durable.level === 'none') return;
    const record: SubscriptionRecord = {
      plan,
      slot,
      role: player.record.role,
      instance: player.record.instance,
      calledAt: trace.now(),
      openedAt: undefined,
      closeCalledAt: undefined,
      closedAt: undefined,
      drainMs: 0,
      firstDrainMs: undefined,
      wasPaused: false,
      isClosedWithin: false,
      maxPending: 0,
      signals: [],
    };
    trace.subscriptions.set(plan.sub, record);
    const listening: Listening = { record, player, signal: new WatchedSignal(), subscription: undefined };
    this.#listening.set(plan.sub, listening);
    const code = new UserCode(plan, {
      clock: this.#clock,
      trace,
      isCrashed: () => player.runtime.isCrashed,
      closing: () => {
        record.closeCalledAt ??= trace.now();
      },
      pause: () => this.#pause(plan.sub),
      closeSubscription: (drainMs) => {
        record.isClosedWithin = true;
        return this.#close(plan.sub, drainMs, true);
      },
      leave: (drainMs) => {
        for (const { record: mine } of this.#listening.values()) if (mine.slot === slot) mine.isClosedWithin = true;
        return this.#leaveSlot(slot, drainMs, true);
      },
      publish: () => this.#publish(slot, { count: 1 }),
    });
    const options = {
      ...(plan.group === undefined ? {} : { group: plan.group }),
      ...(plan.durable === undefined ? {} : { durable: plan.durable }),
      ...(plan.deadLetter === undefined ? {} : { deadLetter: plan.deadLetter }),
      concurrency: plan.concurrency ?? 1,
      bufferSize: plan.bufferSize ?? 100,
      retry: { maxAttempts: plan.tries ?? 2 },
      lockMs: LOCK_MS,
      pollTimeoutMs: pollTimeoutMsOf(plan.sub),
      abortSignal: listening.signal.signal,
      onSignal: (signal: SubscriptionRecord['signals'][number]['signal']) => {
        record.signals.push({ signal, at: trace.now() });
        if (plan.sub % 3 === 0) throw Object.create(null);
      },
    };
    const { broadcaster } = player;
    const subscribing = plan.isRead ? broadcaster.subscribe(options) : broadcaster.subscribe(code.handler, options);
    trace.watch('subscribe', slot, subscribing);
    try {
      const subscription = await subscribing;
      listening.subscription = subscription;
      record.openedAt = trace.now();
      // A reader that never asks for the next is not ours to end.
      const reading = plan.isRead ? code.read(subscription) : undefined;
      if (reading !== undefined && !plan.acts?.some(({ act }) => act === 'hang'))
        trace.watch('for await', slot, reading);
    } catch (thrown) {
      // Otherwise a history in which no subscription opens would keep every promise.
      if (thrown instanceof TypeError) trace.wrong.push(`refused: options of the simulation's own: ${thrown.message}`);
      record.closeCalledAt ??= trace.now();
      record.closedAt ??= trace.now();
    }
  }

  #describe(slot: number, source: string, plan: PublishPlan, kind: Published['kind']): Published {
    const published: Published = {
      number: this.#trace.published.length,
      slot,
      source,
      to: plan.to ?? ['*'],
      key: plan.key,
      ttlMs: plan.ttlMs ?? TTL_MS,
      id: plan.id,
      carbonCopy: plan.carbonCopy ?? false,
      kind,
      calledAt: this.#trace.now(),
      resolvedAt: undefined,
      rejected: undefined,
      taken: [],
    };
    this.#trace.published.push(published);
    return published;
  }

  async #publish(slot: number, plan: PublishPlan): Promise<void> {
    const player = this.#present(slot);
    if (player === undefined) return;
    const trace = this.#trace;
    const published = this.#describe(slot, player.record.source, plan, 'event');
    const options: PublishOptions = {
      ...(plan.to === undefined ? {} : { to: plan.to as NonNullable<PublishOptions['to']> }),
      ...(plan.key === undefined ? {} : { partitionKey: plan.key }),
      ...(plan.ttlMs === undefined ? {} : { ttlMs: plan.ttlMs }),
      ...(plan.carbonCopy === undefined ? {} : { carbonCopy: plan.carbonCopy }),
      ...(plan.confirm === undefined ? {} : { confirm: plan.confirm }),
    };
    const sending = player.broadcaster.publish(
      { type: 'sim.event', data: published.number, ...(plan.id === undefined ? {} : { id: `id-${plan.id}` }) },
      options,
    );
    trace.watch('publish', slot, sending);
    try {
      await sending;
      if (plan.confirm === undefined) published.resolvedAt = trace.now();
    } catch (thrown) {
      published.rejected = thrown;
    }
  }

  #request(slot: number, expect: number, timeoutMs: number): void {
    const player = this.#present(slot);
    if (player === undefined) return;
    const published = this.#describe(slot, player.record.source, { count: 1, ttlMs: timeoutMs }, 'request');
    const replies = player.broadcaster.request(
      { type: 'sim.request', data: published.number },
      { maxReplies: expect, timeoutMs },
    );
    this.#trace.watch('request', slot, replies);
  }

  #pause(sub: number): void {
    const listening = this.#listening.get(sub);
    if (listening === undefined) return;
    listening.record.wasPaused = true;
    listening.subscription?.pause();
  }

  /** @param isWithin called by its own handler: then it resolves before what others have begun to close is closed */
  async #close(sub: number, drainMs: number, isWithin = false): Promise<void> {
    const listening = this.#listening.get(sub);
    if (listening?.subscription === undefined || listening.player.runtime.isCrashed) return;
    const { record, subscription } = listening;
    const isLate = isWithin && record.closeCalledAt !== undefined;
    record.closeCalledAt ??= this.#trace.now();
    record.drainMs = Math.max(record.drainMs, drainMs);
    record.firstDrainMs ??= drainMs;
    const closing = subscription.close({ drainMs });
    this.#trace.watch('close of a subscription', record.slot, closing);
    await closing;
    if (!isLate) record.closedAt ??= this.#trace.now();
  }

  async #leaveSlot(slot: number, drainMs: number, isWithin = false): Promise<void> {
    const player = this.#players.get(slot);
    if (player?.broadcaster === undefined || player.runtime.isCrashed) return;
    const { record } = player;
    record.leaveCalledAt ??= this.#trace.now();
    record.drainMs = Math.max(record.drainMs, drainMs);
    const mine = [...this.#listening.values()].filter(
      (listening) => listening.player === player && !(isWithin && listening.record.closeCalledAt !== undefined),
    );
    for (const listening of mine) {
      listening.record.closeCalledAt ??= this.#trace.now();
      listening.record.firstDrainMs ??= drainMs;
    }
    const closing = player.broadcaster.close({ drainMs });
    this.#trace.watch('close', slot, closing);
    await closing;
    record.leftAt ??= this.#trace.now();
    for (const listening of mine) listening.record.closedAt ??= this.#trace.now();
  }

  #crash(player: Player): void {
    const { record, runtime } = player;
    if (record.crashedAt !== undefined || record.leftAt !== undefined || this.#profile.isDirect) return;
    const now = this.#trace.now();
    record.crashedAt = now;
    runtime.isCrashed = true;
    for (const listening of this.#listening.values()) {
      if (listening.player !== player) continue;
      listening.record.closeCalledAt ??= now;
      listening.record.crashedAt = now;
    }
    this.#service.crash(record.slot);
  }

  /** A stranger publishes with the source and epoch that it saw in an event of a participant. */
  #forge(as: number, number: number): void {
    const victim = this.#players.get(as)?.record;
    const seen = this.#service.lastSequence.get(victim?.source ?? '');
    if (victim === undefined || this.#profile.isDirect) return;
    this.#trace.wasForged = true;
    const published = this.#describe(-1, victim.source, { count: 1 }, 'forged');
    const digits = String(number);
    const epoch = seen?.slice(0, seen.lastIndexOf('.')) ?? 'stranger';
    const event = new BroadcastEvent({
      type: 'sim.event',
      source: victim.source,
      id: `forged-${published.number}`,
      time: START_WALL_MS,
      sequence: `${epoch}.${'0123456789abcdefg'[digits.length]}${digits}`,
      data: published.number,
    });
    const json = encodeEvent(event);
    this.#service.take({
      event,
      topic: TOPIC,
      to: ['*'],
      encoded: { size: json.length, json },
      expiresAtMs: Number.POSITIVE_INFINITY,
    });
  }
}

function nameOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.message} ${thrown.stack?.split('\n')[1]?.trim() ?? ''}` : typeof thrown;
  } catch {
    return 'something odd';
  }
}
