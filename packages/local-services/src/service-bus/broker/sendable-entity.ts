import type { MessageContent } from '../message/content.ts';
import type { Gone, Target } from './api.ts';
import { checkSize } from './check-message.ts';
import type { QueueDescription, TopicDescription } from './descriptions.ts';
import { DuplicateHistory } from './duplicates.ts';
import { type Context, Entity } from './entity.ts';
import { BrokerError } from './error.ts';
import type { Forwarded } from './forwarding.ts';
import { Quota } from './quota.ts';

const KILOBYTE = 1024;

/** A queue or a topic: what messages are sent to. */
export abstract class SendableEntity extends Entity implements Target {
  readonly quota: Quota;
  readonly #duplicates: DuplicateHistory | undefined;
  #refusals = 0;
  #waitSeconds: number | undefined;

  constructor(context: Context, path: string, description: Readonly<QueueDescription | TopicDescription>) {
    super(context, path);
    this.quota = new Quota(path, () => this.description.maxSizeInMegabytes);
    if (description.requiresDuplicateDetection) {
      this.#duplicates = new DuplicateHistory(
        () => this.description.duplicateDetectionHistoryTimeWindowMs,
        () => this.description.enablePartitioning,
      );
    }
  }

  abstract override readonly description: Readonly<QueueDescription | TopicDescription>;
  /** Beyond what holds everywhere. */
  protected abstract check(content: MessageContent): void;
  /** Takes it in; `run` hands it out. */
  protected abstract accept(content: MessageContent, now: number, forwarded?: Forwarded): number;
  /** Takes it in, for later. */
  protected abstract postpone(content: MessageContent, now: number): number;
  protected abstract run(): void;
  protected abstract cancel(sequenceNumbers: readonly number[]): void;

  get maxMessageBytes(): number {
    return this.description.maxMessageSizeInKilobytes * KILOBYTE;
  }

  refuseSends(count: number, waitSeconds?: number): void {
    this.#refusals = count;
    this.#waitSeconds = waitSeconds;
  }

  send(messages: readonly MessageContent[]): readonly number[] {
    this.requireOpen();
    if (this.#refusals > 0) {
      this.#refusals--;
      throw new BrokerError(
        'com.microsoft:server-busy',
        `The request was terminated because the entity is being throttled.${
          this.#waitSeconds === undefined
            ? ''
            : ` Error code : 50009. Please wait ${this.#waitSeconds} seconds and try again.`
        }`,
      );
    }
    this.requireEnabledFor('send');
    let bytes = 0;
    for (const content of messages) {
      checkSize(content, this.maxMessageBytes);
      this.check(content);
      bytes += content.size;
    }
    const { maxBatchBytes } = this.context.limits;
    if (messages.length > 1 && bytes > maxBatchBytes) {
      throw new BrokerError(
        'amqp:link:message-size-exceeded',
        `The batch of ${bytes} bytes is larger than the limit of ${maxBatchBytes} bytes.`,
      );
    }
    this.quota.require(bytes);
    const now = this.now();
    this.touch(now);
    const numbers = messages.map((content) => this.#take(content, now));
    this.run();
    return numbers;
  }

  cancelScheduled(sequenceNumbers: readonly number[]): void {
    this.requireOpen();
    this.cancel(sequenceNumbers);
    this.touch();
    this.account.count('schedule');
  }

  onGone(listener: Gone): () => void {
    return this.watch('send', listener);
  }

  /** One that another entity sends on. */
  takeForwarded(content: MessageContent, forwarded: Forwarded): void {
    const now = this.now();
    this.touch(now);
    if (this.#isDuplicate(content, now)) return;
    this.accept(content, now, forwarded);
    this.run();
  }

  protected override wake(now: number): number {
    return this.#duplicates?.forget(now) ?? Number.POSITIVE_INFINITY;
  }

  #take(content: MessageContent, now: number): number {
    const isScheduled = content.scheduledAtMs > now;
    this.account.countMessage(isScheduled ? 'schedule' : 'send', content.size);
    // Taken as any other, and then dropped: the sender is not told.
    if (this.#isDuplicate(content, now)) return 0;
    return isScheduled ? this.postpone(content, now) : this.accept(content, now);
  }

  #isDuplicate(content: MessageContent, now: number): boolean {
    if (this.#duplicates === undefined) return false;
    const isDuplicate = this.#duplicates.isDuplicate(content, now);
    // So that what was noted is given back, even if nothing is sent any more.
    this.alarm.by(now + this.description.duplicateDetectionHistoryTimeWindowMs);
    return isDuplicate;
  }
}
