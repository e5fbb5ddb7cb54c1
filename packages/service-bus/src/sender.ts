import type { ServiceBusMessage, ServiceBusMessageBatch, ServiceBusSender } from '@azure/service-bus';
import { PolycastError } from '@polycast/core/adapter';
import type { Connection } from './connection.ts';
import { MessageBatch } from './sdk-internals/message-batch.ts';

/** Premium takes batches of 1 MB, however large a single message may be. */
const MAX_BATCH_BYTES = 1_048_576;
/** Of the first batch. */
const EXPECTED_BYTES = 1_024;

/** Sends to one topic, one batch after another. */
export class TopicSender {
  readonly #connection: Connection;
  readonly #sender: ServiceBusSender;
  readonly #repair: () => Promise<boolean>;
  /** The next batch is taken to be about as large as the last. */
  #expectedBytes = EXPECTED_BYTES;
  /** Of the link when it was last looked at. */
  #knownMaxBytes = 0;
  /** @param repair makes a topic again that is gone. @returns was there anything to do? */
  constructor(connection: Connection, topic: string, repair: () => Promise<boolean>) {
    this.#connection = connection;
    this.#sender = connection.client.createSender(topic);
    this.#repair = repair;
  }

  /** Opens the link, if it is not. @throws PolycastError */
  async open(): Promise<void> {
    await this.#maxBytes();
  }

  /** @returns for each message that was not taken its error; nothing when all were. @throws PolycastError when none was */
  async send(messages: readonly ServiceBusMessage[]): Promise<undefined | readonly (PolycastError | undefined)[]> {
    try {
      return await this.#send(messages);
    } catch (thrown) {
      const error = PolycastError.from(thrown);
      if (error.code !== 'not-found' || !(await this.#repair())) throw error;
      return this.#send(messages);
    }
  }

  async #send(messages: readonly ServiceBusMessage[]): Promise<undefined | readonly (PolycastError | undefined)[]> {
    if (messages.length === 1) {
      await this.#connection.call(this.#sender.sendMessages(this.#alone(messages[0] as ServiceBusMessage)));
      return undefined;
    }
    return this.#transfer(messages);
  }

  /** Written by us, unless it is too large for that, or nobody knows yet what the link takes. */
  #alone(message: ServiceBusMessage): ServiceBusMessage | MessageBatch {
    if (this.#connection.isPublic) return message;
    const batch = new MessageBatch(this.#knownMaxBytes, EXPECTED_BYTES);
    return batch.tryAddMessage(message) ? batch : message;
  }

  /** Fills transfers as large as the link takes. What follows one that was not taken is not sent: it would come before it. */
  async #transfer(messages: readonly ServiceBusMessage[]): Promise<undefined | readonly (PolycastError | undefined)[]> {
    for (let from = 0; from < messages.length; ) {
      const batch = await this.#batch();
      let to = from;
      while (to < messages.length && batch.tryAddMessage(messages[to] as ServiceBusMessage)) to++;
      // Alone, without the wrapping of a batch, it may fit.
      const transfer = to === from ? (messages[to++] as ServiceBusMessage) : batch;
      if (transfer === batch) this.#expectedBytes = batch.sizeInBytes + 64;
      try {
        await this.#connection.call(this.#sender.sendMessages(transfer));
      } catch (thrown) {
        const error = PolycastError.from(thrown);
        // None of several was taken, or this one alone is at fault and the others may go on.
        if (from === 0 && to === messages.length) throw error;
        const errors: (PolycastError | undefined)[] = new Array(messages.length).fill(undefined);
        if (error.retryable) return errors.fill(error, from);
        errors.fill(error, from, to);
        const others = to === messages.length ? undefined : await this.#transfer(messages.slice(to));
        others?.forEach((other, at) => {
          errors[to + at] = other;
        });
        return errors;
      }
      from = to;
    }
    return undefined;
  }

  async close(): Promise<void> {
    await this.#sender.close().catch(() => {});
  }

  async #batch(): Promise<ServiceBusMessageBatch> {
    if (this.#connection.isPublic) {
      const maxSizeInBytes = await this.#maxBytes();
      return this.#connection.call(this.#sender.createMessageBatch({ maxSizeInBytes }));
    }
    return new MessageBatch(await this.#maxBytes(), this.#expectedBytes);
  }

  /** What the link takes, opened if it is not. */
  async #maxBytes(): Promise<number> {
    const { maxSizeInBytes } = await this.#connection.call(this.#sender.createMessageBatch());
    this.#knownMaxBytes = Math.min(maxSizeInBytes, MAX_BATCH_BYTES);
    return this.#knownMaxBytes;
  }
}
