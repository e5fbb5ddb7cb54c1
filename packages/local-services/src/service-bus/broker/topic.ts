import type { MessageContent } from '../message/content.ts';
import {
  type Changes,
  type FilterDescription,
  FilterEvaluationError,
  type Matched,
  TopicIndex,
} from '../rules/index.ts';
import { headerProblem } from './check-message.ts';
import { Copy, type Origin, PHASE } from './copy.ts';
import type { TopicDescription, TopicInfo } from './descriptions.ts';
import type { Context } from './entity.ts';
import { BrokerError } from './error.ts';
import type { Forwarded } from './forwarding.ts';
import { MessageLog } from './message-log.ts';
import { Schedule } from './schedule.ts';
import { SendableEntity } from './sendable-entity.ts';
import type { Subscription } from './subscription.ts';

export class Topic extends SendableEntity {
  /** By name in lower case. */
  readonly subscriptions = new Map<string, Subscription>();
  readonly rules = new TopicIndex<Subscription>();
  description: Readonly<TopicDescription>;
  /** Numbers all messages, and keeps those that wait for their time. */
  readonly #log = new MessageLog();
  readonly #schedule: Schedule;
  /** Those that got messages since the last run. */
  readonly #dirty = new Set<Subscription>();

  constructor(context: Context, path: string, description: Readonly<TopicDescription>) {
    super(context, path, description);
    this.description = description;
    this.#schedule = new Schedule(this.#log, this.alarm);
  }

  get info(): TopicInfo {
    const { path, description } = this;
    return {
      kind: 'topic',
      path,
      description,
      counts: { active: 0, deadLettered: 0, scheduled: this.#schedule.size, transfer: 0, transferDeadLettered: 0 },
      sizeInBytes: this.quota.usedBytes,
      subscriptionCount: this.subscriptions.size,
      filterCounts: () => ({
        sql: this.filterCount('sql') + this.filterCount('true') + this.filterCount('false'),
        correlation: this.filterCount('correlation'),
      }),
      ...this.times,
    };
  }

  /** Rules of that kind, of all its subscriptions. */
  filterCount(kind: FilterDescription['kind']): number {
    let count = 0;
    for (const subscription of this.subscriptions.values()) {
      for (const { description } of this.rules.list(subscription)) if (description.filter.kind === kind) count++;
    }
    return count;
  }

  protected get isInUse(): boolean {
    return this.#schedule.size > 0;
  }

  protected check(): void {}

  protected accept(content: MessageContent, now: number, forwarded?: Forwarded): number {
    return this.#publish(content, now, forwarded, false);
  }

  #publish(content: MessageContent, now: number, forwarded: Forwarded | undefined, wasScheduled: boolean): number {
    const number = this.#log.skip();
    const { defaultMessageTimeToLiveMs } = this.description;
    const origin = {
      enqueuedSequenceNumber: forwarded?.enqueuedSequenceNumber ?? number,
      enqueuedAtMs: now,
      ttlMs: Math.min(content.ttlMs, defaultMessageTimeToLiveMs),
      hops: forwarded?.hops ?? 0,
      deliveryCount: 0,
      deadLetterSource: forwarded?.deadLetterSource,
      wasScheduled,
      charge: content.size,
    };
    const matched = this.rules.match(content, (subscription, error) =>
      this.#failed(subscription, error, content, origin),
    );
    // The service counts a message once, however many subscriptions it is in: each copy bears its share.
    let copies = 0;
    for (const made of matched.values()) copies += made.length;
    if (copies > 1) origin.charge = Math.ceil(content.size / copies);
    for (const [subscription, made] of matched) {
      for (const one of made) this.#deposit(subscription, one, content, origin);
      this.#dirty.add(subscription);
    }
    return number;
  }

  protected postpone(content: MessageContent, now: number): number {
    const origin: Origin = {
      enqueuedSequenceNumber: 0,
      enqueuedAtMs: now,
      ttlMs: Number.POSITIVE_INFINITY,
      hops: 0,
      deliveryCount: 0,
      deadLetterSource: undefined,
      charge: content.size,
    };
    const copy = new Copy(content, this.#log.next, origin, PHASE.scheduled);
    this.#log.append(copy);
    this.quota.usedBytes += copy.charge;
    this.#schedule.add(copy);
    return copy.sequenceNumber;
  }

  protected run(): void {
    for (const subscription of this.#dirty) {
      this.#dirty.delete(subscription);
      subscription.store.main.run();
    }
  }

  protected cancel(sequenceNumbers: readonly number[]): void {
    for (const copy of this.#schedule.find(sequenceNumbers)) this.#unschedule(copy);
  }

  protected override wake(now: number): number {
    const duplicates = super.wake(now);
    for (let copy = this.#schedule.takeDue(now); copy !== undefined; copy = this.#schedule.takeDue(now)) {
      this.#unschedule(copy);
      this.touch(now);
      this.#publish(copy.content, now, undefined, true);
    }
    this.run();
    return Math.min(duplicates, this.#schedule.next());
  }

  #unschedule(copy: Copy): void {
    this.#log.remove(copy.sequenceNumber);
    copy.phase = PHASE.gone;
    this.quota.usedBytes -= copy.charge;
    this.#schedule.left();
  }

  /** One copy. The charge is that of all copies, whatever a rule made of this one. */
  #deposit(subscription: Subscription, { rule, changes }: Matched, content: MessageContent, origin: Origin): void {
    if (changes === undefined) return subscription.store.deposit(content, origin);
    let changed: MessageContent;
    try {
      changed = content.with(withRuleName(changes, rule));
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      // A value that the property cannot take.
      return this.#failed(subscription, error, content, origin);
    }
    const problem = headerProblem(changed);
    if (problem === undefined) {
      return subscription.store.deposit(changed, { ...origin, ttlMs: Math.min(origin.ttlMs, changed.ttlMs) });
    }
    subscription.store.bury(content, origin, { reason: 'HeaderSizeExceeded', description: problem });
  }

  #failed(subscription: Subscription, error: Error, content: MessageContent, origin: Origin): void {
    if (!subscription.description.deadLetteringOnFilterEvaluationExceptions) return;
    subscription.store.bury(content, origin, { reason: FilterEvaluationError.name, description: error.message });
  }
}

/** A copy that a rule made with its action names the rule. */
function withRuleName({ system, user }: Changes, rule: string | undefined): Changes {
  return rule === undefined ? { system, user } : { system, user: new Map(user).set('RuleName', rule) };
}
