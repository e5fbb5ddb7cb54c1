import type { BroadcastEvent, Delivery, Handler, Subscription } from '@polycast/core';
import type { Clock } from './clock.ts';
import type { Act, SubscriptionPlan } from './history.ts';
import { FINAL_THROWN, ODD_RETURNED, oddThrown } from './odd-values.ts';
import { type Call, numberOf, type Trace } from './trace.ts';

/** What acts of a handler reach: the world outside. */
export interface Surroundings {
  readonly clock: Clock;
  readonly trace: Trace;
  isCrashed(): boolean;
  /** The subscription is closed without a call of `close`. */
  closing(): void;
  pause(): void;
  closeSubscription(drainMs: number): Promise<void>;
  leave(drainMs: number): Promise<void>;
  publish(): Promise<void>;
}

/** A handler that does at each call what its plan says, and writes down that it was called. */
export class UserCode {
  readonly #plan: SubscriptionPlan;
  readonly #around: Surroundings;
  readonly #acts: Act[];

  constructor(plan: SubscriptionPlan, around: Surroundings) {
    this.#plan = plan;
    this.#around = around;
    this.#acts = [...(plan.acts ?? [])];
  }

  readonly handler: Handler = (event, delivery) => {
    const call = this.#begin(event, delivery);
    const act = this.#acts.shift() ?? RETURN;
    return this.#perform(act, call, delivery);
  };

  /** Reads a subscription to its end. */
  async read(subscription: Subscription): Promise<void> {
    for await (const delivery of subscription) {
      const call = this.#begin(delivery.event, delivery);
      const act = this.#acts.shift() ?? RETURN;
      if (act.act === 'reject' || act.act === 'release' || act.act === 'return' || act.act === 'hang') {
        await this.#perform(act, call, delivery);
      } else if (act.act === 'throw') {
        end(this.#around.trace, call, 'released');
        // Leaving the loop closes the subscription.
        this.#around.closing();
        break;
      } else end(this.#around.trace, call, 'accepted');
    }
  }

  #begin(event: BroadcastEvent, delivery: Delivery): Call {
    const { trace } = this.#around;
    const call: Call = {
      sub: this.#plan.sub,
      number: numberOf(event),
      eventId: event.id,
      attempt: delivery.attempt,
      startedAt: trace.now(),
      endedAt: undefined,
      outcome: 'running',
      closesWithinMs: undefined,
      isFinal: false,
      get wasAbandoned() {
        return delivery.abortSignal.aborted;
      },
    };
    trace.calls.push(call);
    return call;
  }

  #perform(act: Act, call: Call, delivery: Delivery): unknown {
    const { trace } = this.#around;
    switch (act.act) {
      case 'return':
        return this.#after(act.afterMs, () => end(trace, call, 'accepted'));
      case 'throw':
        return this.#after(act.afterMs, () => {
          end(trace, call, 'failed');
          call.isFinal = act.odd === FINAL_THROWN;
          throw oddThrown(act.odd);
        });
      case 'reject':
        return this.#after(act.afterMs, () => {
          delivery.reject('it will never work');
          end(trace, call, 'rejected');
        });
      case 'release':
        return this.#after(act.afterMs, () => {
          delivery.release({ delayMs: act.delayMs });
          end(trace, call, 'released');
        });
      case 'hang':
        delivery.abortSignal.addEventListener('abort', () => {});
        return new Promise(() => {});
      case 'return-odd': {
        const odd = ODD_RETURNED[act.odd % ODD_RETURNED.length] as (typeof ODD_RETURNED)[number];
        end(trace, call, odd.outcome);
        return odd.make();
      }
      case 'pause':
        this.#around.pause();
        return end(trace, call, 'accepted');
      default:
        return this.#callBack(act, call, delivery);
    }
  }

  /** Uses the interface from within the handler. */
  async #callBack(
    act: Extract<Act, { act: 'close' | 'leave' | 'publish' | 'reply' }>,
    call: Call,
    delivery: Delivery,
  ): Promise<void> {
    const around = this.#around;
    let doing: Promise<void>;
    if (act.act === 'close') {
      if (act.isAwaited) call.closesWithinMs = act.drainMs;
      doing = around.closeSubscription(act.drainMs);
    } else if (act.act === 'leave') doing = around.leave(act.drainMs);
    else if (act.act === 'publish') doing = around.publish();
    else {
      doing = delivery.reply(call.number);
      around.trace.watch('reply', this.#plan.sub, doing);
    }
    const quiet = doing.catch(() => {});
    if (act.act === 'reply' || act.isAwaited) await quiet;
    end(around.trace, call, 'accepted');
  }

  #after(afterMs: number | undefined, deed: () => void): void | Promise<void> {
    if (afterMs === undefined) return deed();
    const around = this.#around;
    return new Promise<void>((resolve, reject) => {
      around.clock.after(afterMs, () => {
        if (around.isCrashed()) return;
        try {
          deed();
          resolve();
        } catch (thrown) {
          reject(thrown);
        }
      });
    });
  }
}

const RETURN: Act = { act: 'return' };

function end(trace: Trace, call: Call, outcome: Call['outcome']): void {
  call.outcome = outcome;
  call.endedAt = trace.now();
}
