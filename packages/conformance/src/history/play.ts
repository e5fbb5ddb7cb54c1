import type { Broadcaster } from '@polycast/core';
import { check } from '../assert.ts';
import type { CaseContext } from '../context.ts';
import type { Inbox } from '../inbox.ts';
import { pass } from '../wait.ts';
import { Model, type ModelSubscription } from './model.ts';
import { SLOTS, type Step } from './step.ts';

/** Time to live of a brief event. */
const BRIEF_MS = 30;

/** Plays one history on fresh broadcasters, and on the model beside them; rejects if they disagree. */
export async function play(c: CaseContext, topic: string, steps: readonly Step[]): Promise<void> {
  const player = new Player(c, topic);
  try {
    for (const slot of [0, 1, 2]) await player.step({ kind: 'join', slot });
    for (const slot of [1, 2]) await player.step({ kind: 'subscribe', slot, group: false });
    for (const step of steps) await player.step(step);
    await player.finish();
  } finally {
    await player.close();
  }
}

class Player {
  readonly #c: CaseContext;
  readonly #topic: string;
  readonly #model = new Model();
  readonly #joined: (Broadcaster | undefined)[] = SLOTS.map(() => undefined);
  readonly #inboxes: Inbox[] = [];
  #sessions = 0;
  #session: string[] = SLOTS.map(() => '');
  #latestBriefMs = 0;

  constructor(c: CaseContext, topic: string) {
    this.#c = c;
    this.#topic = topic;
  }

  async step(step: Step): Promise<void> {
    switch (step.kind) {
      case 'join': {
        if (this.#joined[step.slot] !== undefined) return;
        this.#joined[step.slot] = await this.#c.join({ ...SLOTS[step.slot]! }, { topic: this.#topic });
        this.#session[step.slot] = `${SLOTS[step.slot]!.instance} (${++this.#sessions})`;
        return;
      }
      case 'leave': {
        const leaving = this.#joined[step.slot];
        if (leaving === undefined) return;
        for (const one of this.#model.open.filter(({ slot }) => slot === step.slot)) await this.#end(one);
        await this.#c.within(leaving.close(), 'leave');
        this.#joined[step.slot] = undefined;
        return;
      }
      case 'subscribe': {
        const owner = this.#joined[step.slot];
        if (owner === undefined || this.#model.open.length >= 8) return;
        const inbox = await this.#c.listen(owner, step.group ? { group: 'g' } : {});
        const { role, instance } = SLOTS[step.slot]!;
        const { id } = this.#model.subscribe(step.slot, role, instance, step.group, (one) => this.#received(one));
        this.#inboxes[id] = inbox;
        return;
      }
      case 'publish': {
        const publisher = this.#joined[step.slot];
        if (publisher === undefined) return;
        const competes = this.#model.open.some(({ slot, group }) => group && slot === step.slot);
        if (competes && !step.carbonCopy) return;
        const number = this.#model.publish(step.slot, this.#session[step.slot]!, step.to, step.carbonCopy, step.brief);
        if (step.brief) this.#latestBriefMs = Date.now() + BRIEF_MS;
        await this.#c.within(
          publisher.publish(
            { type: 'history', data: number },
            {
              to: step.to,
              ...(step.carbonCopy ? { carbonCopy: true } : {}),
              ...(step.brief ? { ttlMs: BRIEF_MS } : {}),
            },
          ),
          `publish ${number}`,
        );
        if (step.brief) this.#latestBriefMs = Date.now() + BRIEF_MS;
        return;
      }
      case 'clock': {
        const granularityMs = this.#c.manifest.capabilities.ttl.numbers?.granularityMs ?? 1;
        const expiredMs = this.#latestBriefMs + granularityMs + this.#c.slackMs;
        while (Date.now() <= expiredMs) await pass(5);
        this.#model.clock((one) => this.#received(one));
        return;
      }
      case 'cut':
        return this.#cut();
      default: {
        const { open } = this.#model;
        const one = open[step.pick % Math.max(1, open.length)];
        if (one === undefined) return;
        if (step.kind === 'close') return this.#end(one);
        if (one.group) return;
        one.paused = step.kind === 'pause';
        this.#inboxes[one.id]!.subscription[step.kind]();
      }
    }
  }

  /** Ends one subscription once it has got what it must. */
  async #end(one: ModelSubscription): Promise<void> {
    this.#inboxes[one.id]!.subscription.resume();
    one.paused = false;
    await this.#settle();
    await this.#c.within(this.#inboxes[one.id]!.subscription.close(), 'close a subscription');
    one.open = false;
  }

  async #cut(): Promise<void> {
    await this.#c.faults.cut();
    if (this.#c.manifest.guarantee === 'at-most-once') this.#model.lossy((one) => this.#received(one));
    // Recovered when a marker of everybody reaches everybody.
    for (const publisher of this.#joined) {
      const inboxes = this.#model.open
        .filter(({ paused, group }) => !paused && !group)
        .map(({ id }) => this.#inboxes[id]!);
      if (publisher === undefined || inboxes.length === 0) continue;
      await this.#c.recovered(publisher, inboxes);
    }
    if (this.#c.manifest.guarantee === 'at-most-once') this.#model.lossy((one) => this.#received(one));
  }

  /** Waits until everybody who is not paused has got what the model says. */
  async #settle(): Promise<void> {
    const lacking = () =>
      this.#model.open.flatMap((one) => {
        if (one.paused) return [];
        const had = new Set(this.#received(one));
        return [...one.must].filter((number) => !had.has(number)).map((number) => `${one.instance}: ${number}`);
      });
    const groupLacks = () =>
      this.#model.groupMust
        .filter(({ role, number }) =>
          this.#model.subscriptions.every(
            (one) => !one.group || one.role !== role || !this.#received(one).includes(number),
          ),
        )
        .map(({ role, number }) => `group of ${role}: ${number}`);
    await this.#c.until(
      () => lacking().length + groupLacks().length === 0,
      () => `not delivered: ${[...lacking(), ...groupLacks()].join(', ')}`,
    );
  }

  async finish(): Promise<void> {
    for (const one of this.#model.open) {
      one.paused = false;
      this.#inboxes[one.id]!.subscription.resume();
    }
    await this.#settle();
    const alone = this.#model.open.filter(({ group }) => !group).map(({ id }) => this.#inboxes[id]!);
    for (const publisher of this.#joined) if (publisher !== undefined) await this.#c.fence(publisher, alone);
    const wrong = this.#model.judge((one) => this.#received(one));
    check(wrong.length === 0, wrong.join('; '));
  }

  async close(): Promise<void> {
    await Promise.all(this.#joined.map((one) => one?.close({ drainMs: 0 })));
  }

  #received(one: ModelSubscription): readonly number[] {
    return this.#inboxes[one.id]!.data as readonly number[];
  }
}
