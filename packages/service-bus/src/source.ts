import { PolycastError, type Sink, type Source, type SourceRequest, settlesWithin } from '@polycast/core/adapter';
import { type Administration, lockDurationOf } from './administration.ts';
import type { Connection } from './connection.ts';
import { MessageBuffer } from './message-buffer.ts';
import { PublicSubscriptionReceiver } from './sdk-public/subscription-receiver.ts';
import { SessionReceiver } from './session-receiver.ts';
import type { SourcePlan, SubscriptionPlan } from './subscription-layout.ts';
import { type ReceiverOptions, SubscriptionReceiver } from './subscription-receiver.ts';

export interface SourceParts {
  readonly connection: Connection;
  readonly administration: Administration;
  /** Of Service Bus. */
  readonly topic: string;
  readonly request: SourceRequest;
  readonly sink: Sink;
  readonly plan: SourcePlan;
  meter(unit: string, count: number): void;
  /** Who joins a group and who leaves it, of one link, take turns: the one must not remove what the other has just found. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result>;
  onClosed(): void;
}

/** Feeds a sink from the subscriptions of its plan: one, or those that the members of a group share. */
export class ServiceBusSource implements Source {
  readonly #parts: SourceParts;
  readonly #buffer: MessageBuffer;
  readonly #receivers: readonly (SubscriptionReceiver | PublicSubscriptionReceiver | SessionReceiver)[];
  readonly #restoring = new Set<string>();
  #stopping: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: SourceParts) {
    this.#parts = parts;
    const lockMs = lockDurationOf(parts.request.lockMs);
    this.#buffer = new MessageBuffer(parts.sink, parts.topic, lockMs);
    this.#receivers = parts.plan.subscriptions.map((plan) => {
      const options = this.#feedOptions(plan);
      if (plan.requiresSession) return new SessionReceiver(options);
      return parts.connection.isPublic ? new PublicSubscriptionReceiver(options) : new SubscriptionReceiver(options);
    });
  }

  #feedOptions(plan: SubscriptionPlan): ReceiverOptions {
    const { connection, topic, request, meter } = this.#parts;
    return {
      connection,
      topic,
      subscription: plan.name,
      buffer: this.#buffer,
      prefetch: connection.settings.prefetch,
      lockMs: lockDurationOf(request.lockMs),
      maxUnsettled: request.maxUnsettled,
      isExclusive: plan.isExclusive,
      isOurs: plan.isExclusive && plan.autoDelete && this.#parts.administration.mayManage,
      maxAttempts: request.maxDeliveries,
      meter,
      lost: (error) => void this.#lost(plan, error),
    };
  }

  /** @returns what is missing and may not be created here: then it is closed. @throws PolycastError */
  async open(): Promise<readonly SubscriptionPlan[]> {
    const { administration, plan, inTurn } = this.#parts;
    try {
      await inTurn(() => this.#ensureAll());
      await Promise.all(this.#receivers.map((receiver) => receiver.open()));
      return [];
    } catch (thrown) {
      const error = PolycastError.from(thrown);
      await this.close();
      if (error.code !== 'not-found' || administration.mayManage) throw error;
      return plan.subscriptions;
    }
  }

  /** The one with the mark comes first: who leaves the group from then on leaves us the rest. */
  async #ensureAll(): Promise<void> {
    for (const one of this.#parts.plan.subscriptions) await this.#ensure(one);
  }

  /** @returns was it new? Undefined without Manage rights */
  async #ensure(plan: SubscriptionPlan): Promise<boolean | undefined> {
    const { administration, topic } = this.#parts;
    const isNew = await administration.ensureSubscription(topic, plan);
    const receiver = this.#receivers[this.#parts.plan.subscriptions.indexOf(plan)];
    if (isNew !== undefined && receiver instanceof PublicSubscriptionReceiver) receiver.found();
    if (isNew && plan.isExclusive && !(receiver instanceof SessionReceiver)) receiver?.began();
    return isNew;
  }

  /** A subscription that is gone is made again; what it held is lost. */
  async #lost(plan: SubscriptionPlan, error: PolycastError): Promise<void> {
    const { administration, topic, sink } = this.#parts;
    if (this.#restoring.has(plan.name) || this.#stopping !== undefined) return;
    this.#restoring.add(plan.name);
    try {
      if (error.code !== 'not-found') throw error;
      if (!(await administration.ensureTopic(topic))) throw error;
      const isNew = await this.#ensure(plan);
      if (isNew === undefined) throw error;
      // A service that has just come back may not have known of what it has.
      if (isNew) sink.signal({ kind: 'gap', reason: 'trimmed' });
    } catch (thrown) {
      const failed = PolycastError.from(thrown);
      // The receiver goes on trying, and so do we. What nobody can restore is told once, and the end.
      if (failed.retryable || this.#stopping !== undefined) return;
      sink.failed(failed);
      void this.stop();
    } finally {
      this.#restoring.delete(plan.name);
    }
  }

  /**
   * What is durable waits for whoever comes next; so it is with a group that others are still members of. Costs one operation for a
   * dynamic group, none else.
   */
  async caughtUp(): Promise<void> {
    const { plan, connection, administration, topic } = this.#parts;
    if (this.#stopping !== undefined || connection.isDown || plan.ending.kind === 'keep') return;
    if (await administration.isEnding(topic, plan))
      await Promise.all(this.#receivers.map((receiver) => receiver.caughtUp()));
  }

  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      // First, so that what arrives meanwhile goes back.
      const returned = this.#buffer.stop();
      await Promise.all(this.#receivers.map((receiver) => receiver.stop()));
      await settlesWithin(this.#parts.connection.settings.closeTimeoutMs, returned);
    })();
    return this.#stopping;
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.stop();
      await Promise.all(this.#receivers.map((receiver) => receiver.close()));
      const { administration, topic, plan, onClosed, inTurn } = this.#parts;
      const ending = inTurn(() => administration.end(topic, plan));
      // The service's own expiry does it, should this fail.
      await settlesWithin(this.#parts.connection.settings.closeTimeoutMs, ending);
      onClosed();
    })();
    return this.#closing;
  }
}
