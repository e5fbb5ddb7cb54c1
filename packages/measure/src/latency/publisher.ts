import { nowMs } from './clock.ts';
import { Distribution } from './distribution.ts';
import type { DriverPublisher, DriverTarget, LatencyDriver } from './driver.ts';
import { makeStamper } from './stamp.ts';
import { atFixedRate } from './ticker.ts';

export interface OpenLoopPlan {
  readonly phase: number;
  readonly ratePerSecond: number;
  /** Events in all; the first `warmUp` of them are sent and not measured. */
  readonly count: number;
  readonly warmUp: number;
  readonly payloadBytes: number;
}

export interface ClosedLoopPlan {
  readonly phase: number;
  readonly inFlight: number;
  readonly durationMs: number;
  readonly payloadBytes: number;
}

export interface PublishReport {
  /** When the first event was (to be) sent. */
  readonly startMs: number;
  /** Events tried, the warm-up included: they are numbered from 0. */
  readonly count: number;
  /** Numbers of those the transport refused. */
  readonly failed: readonly number[];
  /** What the first refusal said. */
  readonly error: string | undefined;
  /** Encoded distributions; empty in a closed loop. */
  readonly publish: string;
  readonly publishDelay: string;
}

/** Time between starting the clock and the first event, so that no start-up cost falls on it. */
const LEAD_MS = 50;
/** A closed loop over a transport that answers at once must still let the event loop turn. */
const TURN_EVERY = 256;

/** The publishing side of a measurement. Lives in a process of its own, unless the transport needs it in ours. */
export class PublisherRole {
  readonly #driver: LatencyDriver;
  readonly #closing = new AbortController();
  #publisher: DriverPublisher | undefined;

  constructor(driver: LatencyDriver) {
    this.#driver = driver;
  }

  async open(target: DriverTarget): Promise<void> {
    this.#publisher = await this.#driver.openPublisher(target);
  }

  /** Publishes at a fixed rate, never waiting for an answer before the next. Resolves when every answer is in. */
  async openLoop({ phase, ratePerSecond, count, warmUp, payloadBytes }: OpenLoopPlan): Promise<PublishReport> {
    const stamp = makeStamper(payloadBytes);
    const publish = new Distribution();
    const publishDelay = new Distribution();
    const failures = new Failures();
    const pending = new Set<Promise<void>>();
    const startMs = nowMs() + LEAD_MS;
    await atFixedRate({ ratePerSecond, count, startMs, signal: this.#closing.signal }, (number, intendedMs) => {
      const sentMs = nowMs();
      const measured = number >= warmUp;
      if (measured) publishDelay.add(sentMs - intendedMs);
      const taken = this.#publish(stamp(phase, number, intendedMs, sentMs), number, failures);
      const done = (ok: boolean) => {
        if (ok && measured) publish.add(nowMs() - sentMs);
      };
      if (typeof taken === 'boolean') return done(taken);
      const settled = taken.then((ok) => {
        done(ok);
        pending.delete(settled);
      });
      pending.add(settled);
    });
    await Promise.all(pending);
    return { startMs, count, ...failures.report(), publish: publish.encode(), publishDelay: publishDelay.encode() };
  }

  /** Keeps `inFlight` publishes under way: how fast it goes when nothing but the transport holds it back. */
  async closedLoop({ phase, inFlight, durationMs, payloadBytes }: ClosedLoopPlan): Promise<PublishReport> {
    const stamp = makeStamper(payloadBytes);
    const failures = new Failures();
    const startMs = nowMs();
    const endMs = startMs + durationMs;
    let count = 0;
    const loop = async () => {
      for (let sentMs = nowMs(); sentMs < endMs && !this.#closing.signal.aborted; sentMs = nowMs()) {
        const number = count++;
        const taken = this.#publish(stamp(phase, number, sentMs, sentMs), number, failures);
        if (typeof taken !== 'boolean') await taken;
        if (number % TURN_EVERY === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await Promise.all(Array.from({ length: inFlight }, loop));
    return { startMs, count, ...failures.report(), publish: '', publishDelay: '' };
  }

  /** A loop that is under way ends. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#publisher?.close();
  }

  /** @returns whether the event was taken, at once if that is known at once */
  #publish(payload: unknown, number: number, failures: Failures): boolean | Promise<boolean> {
    try {
      const taken = this.#publisher!.publish(payload);
      if (taken === undefined) return true;
      return taken.then(
        () => true,
        (error: unknown) => failures.add(number, error),
      );
    } catch (error) {
      return failures.add(number, error);
    }
  }
}

class Failures {
  readonly #numbers: number[] = [];
  #error: string | undefined;

  add(number: number, error: unknown): false {
    this.#numbers.push(number);
    this.#error ??= error instanceof Error ? error.message : String(error);
    return false;
  }

  report(): { failed: readonly number[]; error: string | undefined } {
    return { failed: this.#numbers, error: this.#error };
  }
}
