import { type Clock, systemClock } from '../../time/clock.ts';
import type { Broker, Entities, MessageSource, Target } from './api.ts';
import type { MessageCounts } from './descriptions.ts';
import { Directory } from './directory.ts';
import { type Context, notFound } from './entity.ts';
import { EntityTable } from './entity-table.ts';
import { BrokerError } from './error.ts';
import { forwardTo } from './forwarding.ts';
import { TIERS, type Tier, type TierLimits } from './limits.ts';
import { parseSource, parseSubscription } from './names.ts';
import { Source } from './source.ts';
import { createBilling } from './tariff.ts';
import { Topic } from './topic.ts';

export interface BrokerOptions {
  /** @default 'standard' */
  readonly tier?: Tier;
  /** @default the machine's */
  readonly clock?: Clock;
  /**
   * Called with the error that an `onMessage` threw. Its receiver is closed; the sender of the message is not affected.
   * @default thrown again, outside of anybody's call: it is a programmer's mistake
   */
  readonly onFault?: (error: unknown) => void;
}

/** An empty namespace. */
export function createBroker(options: BrokerOptions = {}): Broker {
  return new Namespace(options);
}

class Namespace implements Broker {
  readonly limits: TierLimits;
  readonly billing = createBilling();
  readonly entities: Entities;
  readonly #clock: Clock;
  readonly #directory: Directory;

  constructor({ tier = 'standard', clock = systemClock, onFault = throwLater }: BrokerOptions) {
    this.limits = TIERS[tier];
    this.#clock = clock;
    const context: Context = {
      clock,
      limits: this.limits,
      billing: this.billing,
      onFault,
      forward: (to, content, forwarded) => forwardTo(to, this.#directory.find(to), content, forwarded),
      remove: (entity) => this.#directory.evict(entity),
    };
    this.#directory = new Directory(context);
    this.entities = new EntityTable(context, this.#directory);
  }

  now(): number {
    return this.#clock.now();
  }

  target(path: string): Target {
    const target = this.#directory.find(path);
    if (target !== undefined) return target;
    const { entity, subQueue } = parseSource(path);
    if (subQueue === 'main' && parseSubscription(entity) === undefined) throw notFound(path);
    // Says that it is missing, if it is.
    this.#directory.receivable(entity);
    throw new BrokerError('amqp:not-allowed', `Sending to '${path}' is not possible: send to a queue or a topic.`);
  }

  source(path: string): MessageSource {
    const { entity, subQueue } = parseSource(path);
    const receivable = this.#directory.receivable(entity);
    const { store } = receivable;
    if (subQueue === 'main') return new Source(receivable, store.main);
    return new Source(receivable, subQueue === 'dead-letter' ? store.deadLetters : store.transferDeadLetters);
  }

  counts(): MessageCounts & { readonly entities: number } {
    const sum = { entities: 0, active: 0, deadLettered: 0, scheduled: 0, transfer: 0, transferDeadLettered: 0 };
    for (const entity of this.#directory.all) {
      const parts = entity instanceof Topic ? [entity, ...entity.subscriptions.values()] : [entity];
      for (const { info } of parts) {
        sum.entities++;
        sum.active += info.counts.active;
        sum.deadLettered += info.counts.deadLettered;
        sum.scheduled += info.counts.scheduled;
        sum.transfer += info.counts.transfer;
        sum.transferDeadLettered += info.counts.transferDeadLettered;
      }
    }
    return sum;
  }

  close(): void {
    this.#directory.close();
  }
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
