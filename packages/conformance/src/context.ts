import {
  type Address,
  type Broadcaster,
  type ConnectOptions,
  connect,
  type Manifest,
  type ParticipantInput,
  PolycastError,
  type PublishOptions,
  type SubscribeOptions,
  type Transport,
} from '@polycast/core';
import { check, showError } from './assert.ts';
import { FaultSwitch } from './fault-switch.ts';
import { FENCE, Inbox, type Reaction } from './inbox.ts';
import { lag } from './lag.ts';
import { LinkParticipant } from './link-participant.ts';
import type { SignalNotes } from './signal-notes.ts';
import type { ConformanceTarget } from './target.ts';
import { nowMs, pass, until, untilCounted, within } from './wait.ts';

/** How long the first marker after a fault is waited for. */
const FIRST_PATIENCE_MS = 50;

/** How patient a run is. */
export interface Patience {
  /** Longest wait for something that must happen. */
  readonly patienceMs: number;
  /** Extra wait for something that must not happen, where no fence can tell. */
  readonly quietMs: number;
}

export interface JoinOptions extends Omit<ConnectOptions, 'topic' | 'self' | 'transport' | 'url' | 'name'> {
  /** @default the topic of the case */
  readonly topic?: string;
  readonly transport?: Transport;
  /** Sends events that are larger than the service allows in pieces. @default false */
  readonly chunking?: boolean;
}

/** What a case works with. Everything it opens is closed after it. */
export class CaseContext {
  readonly manifest: Manifest;
  readonly target: ConformanceTarget;
  /** Nobody else uses it, nor topics that start with it. */
  readonly topic: string;
  readonly seed: number;
  /** Seeded: the same for the same seed. */
  readonly random: () => number;
  readonly patienceMs: number;
  readonly quietMs: number;
  readonly faults: FaultSwitch;
  readonly #makeTransport: () => Transport;
  readonly #signals: SignalNotes;
  readonly #open = new Set<Broadcaster>();
  readonly #participants: LinkParticipant[] = [];
  #fences = 0;

  constructor(
    init: Patience & {
      manifest: Manifest;
      target: ConformanceTarget;
      topic: string;
      seed: number;
      random: () => number;
      makeTransport: () => Transport;
      signals: SignalNotes;
    },
  ) {
    this.manifest = init.manifest;
    this.target = init.target;
    this.topic = init.topic;
    this.seed = init.seed;
    this.random = init.random;
    this.patienceMs = init.patienceMs;
    this.quietMs = init.quietMs;
    this.faults = new FaultSwitch(init.target);
    this.#makeTransport = init.makeTransport;
    this.#signals = init.signals;
  }

  /** A fresh transport to the service. */
  transport(): Transport {
    return this.#makeTransport();
  }

  /** A participant joins. Text is short for a role, or for `role/instance`. */
  async join(self: string | ParticipantInput = 'default', options: JoinOptions = {}): Promise<Broadcaster> {
    const broadcaster = await within(
      connect({
        topic: this.topic,
        transport: this.transport(),
        // What is billed must be asked for.
        ...(this.manifest.capabilities.members.billed === true && { members: true }),
        ...options,
        self: participant(self),
        onSignal: (signal) => {
          this.#signals.add(signal);
          options.onSignal?.(signal);
        },
      }),
      this.patienceMs * 2,
      'connect',
    );
    this.#open.add(broadcaster);
    return broadcaster;
  }

  /** A participant opens a link below core, to see what the adapter itself does. */
  async joinBelow(self: string | ParticipantInput = 'default', topic = this.topic): Promise<LinkParticipant> {
    const made = await LinkParticipant.open(this.transport(), topic, participant(self), this.patienceMs, this.#signals);
    this.#participants.push(made);
    return made;
  }

  /** Subscribes and notes down everything; `react` runs after the note is made. */
  async listen(owner: Broadcaster, options: SubscribeOptions = {}, react?: Reaction): Promise<Inbox> {
    return new Inbox(owner, this.patienceMs, react, this.#signals).listen(options);
  }

  /**
   * After it, whatever `publisher` published earlier (awaited or not) to one of `to` has been delivered to `inboxes`, or never
   * will be. Markers take the same ways as the events they follow; where order across addresses is not promised a bounded
   * quiet time is added. `group`: the inboxes are members of one group in each role, so that one of them gets each marker, or those
   * of the instance that it is for. `patienceMs`: longest wait for one marker to reach one inbox, if not that of the run.
   */
  async fence(
    publisher: Broadcaster,
    inboxes: readonly Inbox[],
    options: {
      to?: readonly Address[];
      attributes?: Record<string, string | number | boolean>;
      group?: boolean;
      patienceMs?: number;
    } = {},
  ): Promise<void> {
    const { patienceMs = this.patienceMs } = options;
    const carbonCopy = this.manifest.capabilities.carbonCopy.level !== 'none';
    const ways: readonly (readonly Address[])[] = [['*'], ...(options.to ?? []).map((address) => [address])];
    for (const way of ways) {
      const mark = `${this.topic}:${++this.#fences}`;
      const publish: PublishOptions = { to: way, carbonCopy };
      await publisher.publish({ ...options.attributes, type: FENCE, data: mark }, publish);
      const reached = inboxes.filter(({ owner }) => (carbonCopy || owner !== publisher) && answers(owner, way));
      if (options.group && !way.some((address) => address.startsWith('instance:'))) {
        for (const role of new Set(reached.map(({ owner }) => owner.self.role))) {
          await until(
            () => reached.some(({ owner, fences }) => owner.self.role === role && fences.has(mark)),
            patienceMs,
            () => `the marker to ${way.join()} reached no member of the group of ${role}`,
          );
        }
        continue;
      }
      for (const inbox of reached) {
        await until(
          () => inbox.fences.has(mark),
          patienceMs,
          () => `the marker to ${way.join()} did not reach ${inbox.owner.self.instance}`,
        );
      }
    }
    await this.quiet();
  }

  /**
   * Waits until a marker of the publisher reaches all inboxes again, however long the way back takes. A marker may be lost
   * with the connection, so the first ones are not waited for long.
   */
  async recovered(publisher: Broadcaster, inboxes: readonly Inbox[]): Promise<void> {
    const deadline = nowMs() + this.patienceMs * 3;
    for (let patienceMs = FIRST_PATIENCE_MS; ; patienceMs = Math.min(patienceMs * 2, this.patienceMs)) {
      try {
        return await this.fence(publisher, inboxes, { patienceMs });
      } catch (thrown) {
        if (thrown instanceof PolycastError && !thrown.retryable) throw thrown;
        if (nowMs() > deadline) throw thrown;
        await pass(20);
      }
    }
  }

  /** A time that stands for "soon" or "for a while": longer on a busy machine. */
  stretched(ms: number): number {
    return Math.ceil(ms * lag.stretch);
  }

  /** By how much a clock that is read here may be off from when something happened: timers are late on a busy machine. */
  get slackMs(): number {
    return 25 + 2 * lag.worstMs;
  }

  /** A bounded quiet time: for what must not happen where nothing that happens can tell. */
  quiet(): Promise<void> {
    return pass(this.quietMs);
  }

  /** Waits for a condition, as long as the run's patience lasts. */
  until(condition: () => boolean, what: string | (() => string)): Promise<void> {
    return until(condition, this.patienceMs, typeof what === 'string' ? () => what : what);
  }

  /** Waits for so many, as long as more come within the run's patience. */
  untilCounted(count: () => number, wanted: number, what: string): Promise<void> {
    return untilCounted(count, wanted, this.patienceMs, what);
  }

  /** A promise that must settle within the run's patience. */
  within<Value>(promise: PromiseLike<Value>, what: string): Promise<Value> {
    return within(promise, this.patienceMs, what);
  }

  /** Closes what the case left open and ends faults. @throws ConformanceFailure if closing hangs or rejects */
  async tidy(): Promise<void> {
    const restored = await settled(within(this.faults.restore(), this.patienceMs * 6, 'end the faults'));
    const closing = [...this.#open].map(async (broadcaster) => broadcaster.close({ drainMs: 0 }));
    const below = this.#participants.map(async (one) => one.close());
    this.#open.clear();
    this.#participants.length = 0;
    const outcomes = await within(
      Promise.allSettled([...closing, ...below]),
      this.patienceMs * 2,
      'close after the case',
    );
    check(restored.status === 'fulfilled', `the fault could not be ended: ${reasonOf(restored)}`);
    for (const outcome of outcomes)
      check(outcome.status === 'fulfilled', `close rejected after the case: ${reasonOf(outcome)}`);
  }
}

function participant(self: string | ParticipantInput): ParticipantInput {
  if (typeof self !== 'string') return self;
  const [role = 'default', instance] = self.split('/');
  return instance === undefined ? { role } : { role, instance };
}

function answers(owner: Broadcaster, way: readonly Address[]): boolean {
  const { role, instance } = owner.self;
  return way.some((address) => address === '*' || address === `role:${role}` || address === `instance:${instance}`);
}

function reasonOf(outcome: PromiseSettledResult<unknown>): string {
  return outcome.status === 'rejected' ? showError(outcome.reason) : '';
}

async function settled(promise: Promise<unknown>): Promise<PromiseSettledResult<unknown>> {
  return (await Promise.allSettled([promise]))[0]!;
}
