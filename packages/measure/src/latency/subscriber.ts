import { nowMs } from './clock.ts';
import { Distribution } from './distribution.ts';
import type { DriverEnd, DriverTarget, LatencyDriver } from './driver.ts';
import { readStamp } from './stamp.ts';
import { Tally } from './tally.ts';

export interface SubscribePlan {
  readonly phase: number;
  /** Events with lower numbers are not counted. */
  readonly warmUp: number;
  /** Keep when each event came last, to tell the last of N subscribers. Needs memory by the number of events. */
  readonly lastOf: boolean;
}

export interface SettlePlan {
  /** Events published in the phase: wait until every subscriber has those of `warmUp` to below `count`, or */
  readonly count: number;
  /** until nothing has come for so long. */
  readonly quietMs: number;
  readonly failed: readonly number[];
}

export interface SubscribeReport {
  /** Sums over this process' subscribers. */
  readonly received: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** When the last event came. */
  readonly lastMs: number;
  /** Encoded distributions, from the intended time and from the call of publish. */
  readonly endToEnd: string;
  readonly fromPublish: string;
  /** By event number, less `warmUp`: when it came last here, and to how many subscribers. Empty without `lastOf`. */
  readonly lastAtMs: Float64Array;
  readonly arrivals: Uint16Array;
}

/** How often `settle` looks. */
const LOOK_EVERY_MS = 10;

/** The subscribing side of a measurement: some or all of its subscribers. */
export class SubscriberRole {
  readonly #driver: LatencyDriver;
  #ends: DriverEnd[] = [];
  #phase: Phase | undefined;

  constructor(driver: LatencyDriver) {
    this.#driver = driver;
  }

  async open({ target, indexes }: { target: DriverTarget; indexes: readonly number[] }): Promise<void> {
    for (const [place, index] of indexes.entries()) {
      const onPayload = (payload: unknown) => {
        const atMs = nowMs();
        this.#phase?.take(place, payload, atMs);
      };
      this.#ends.push(await this.#driver.openSubscriber(target, index, onPayload));
    }
  }

  async begin(plan: SubscribePlan): Promise<void> {
    this.#phase = new Phase(plan, this.#ends.length);
  }

  async settle({ count, quietMs, failed }: SettlePlan): Promise<SubscribeReport> {
    const phase = this.#phase!;
    const sinceMs = nowMs();
    while (!phase.isComplete(count, failed.length) && nowMs() - Math.max(sinceMs, phase.lastMs) < quietMs) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    // A little longer, for duplicates: they come after everything is there.
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    this.#phase = undefined;
    return phase.report(count, new Set(failed));
  }

  async close(): Promise<void> {
    await Promise.all(this.#ends.map((end) => end.close()));
  }
}

class Phase {
  lastMs = 0;
  readonly #plan: SubscribePlan;
  readonly #tallies: readonly Tally[];
  readonly #endToEnd = new Distribution();
  readonly #fromPublish = new Distribution();
  #lastAtMs = new Float64Array(1024);
  #arrivals = new Uint16Array(1024);

  constructor(plan: SubscribePlan, subscribers: number) {
    this.#plan = plan;
    this.#tallies = Array.from({ length: subscribers }, () => new Tally());
  }

  take(place: number, payload: unknown, atMs: number): void {
    const stamp = readStamp(payload);
    if (stamp === undefined) return;
    const [phase, number, intendedMs, sentMs] = stamp;
    if (phase !== this.#plan.phase) return;
    this.lastMs = atMs;
    if (number < this.#plan.warmUp || !this.#tallies[place]!.add(number)) return;
    if (!this.#plan.lastOf) return;
    this.#endToEnd.add(atMs - intendedMs);
    this.#fromPublish.add(atMs - sentMs);
    const at = number - this.#plan.warmUp;
    if (at >= this.#arrivals.length) this.#grow(at);
    this.#lastAtMs[at] = Math.max(this.#lastAtMs[at]!, atMs);
    this.#arrivals[at]! += 1;
  }

  isComplete(count: number, failed: number): boolean {
    const expected = count - this.#plan.warmUp - failed;
    return this.#tallies.every((tally) => tally.distinct >= expected);
  }

  report(count: number, failed: ReadonlySet<number>): SubscribeReport {
    const sum = (of: (tally: Tally) => number) => this.#tallies.reduce((total, tally) => total + of(tally), 0);
    const measured = this.#plan.lastOf ? count - this.#plan.warmUp : 0;
    return {
      received: sum((tally) => tally.received),
      lost: sum((tally) => tally.lost(this.#plan.warmUp, count, failed)),
      duplicated: sum((tally) => tally.duplicated),
      reordered: sum((tally) => tally.reordered),
      lastMs: this.lastMs,
      endToEnd: this.#endToEnd.encode(),
      fromPublish: this.#fromPublish.encode(),
      lastAtMs: this.#lastAtMs.slice(0, measured),
      arrivals: this.#arrivals.slice(0, measured),
    };
  }

  #grow(at: number): void {
    const length = Math.max(this.#arrivals.length * 2, at + 1);
    const [lastAtMs, arrivals] = [new Float64Array(length), new Uint16Array(length)];
    lastAtMs.set(this.#lastAtMs);
    arrivals.set(this.#arrivals);
    this.#lastAtMs = lastAtMs;
    this.#arrivals = arrivals;
  }
}
