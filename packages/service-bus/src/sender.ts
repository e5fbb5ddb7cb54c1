import type { ServiceBusMessage, ServiceBusSender } from '@azure/service-bus';
import { PolycastError } from '@polycast/core/adapter';
import type { Connection } from './connection.ts';
import { MessageBatch } from './message-batch.ts';

/** Premium takes batches of 1 MB, however large a single message may be. */
const MAX_BATCH_BYTES = 1_048_576;
/** Of the first batch. */
const EXPECTED_BYTES = 1_024;

/** Some messages that travel as one transfer, in order. */
interface Transfer {
  readonly indexes: readonly number[];
  readonly taken: Promise<void>;
}

/** Sends to one topic. Batches keep their order, though several may be under way. */
export class TopicSender {
  readonly #connection: Connection;
  readonly #sender: ServiceBusSender;
  readonly #repair: () => Promise<boolean>;
  /** The next batch is taken to be about as large as the last. */
  #expectedBytes = EXPECTED_BYTES;
  /** Of the link when it was last looked at. */
  #knownMaxBytes = 0;
  /** Batches are filled one after another; undefined while none is. */
  #turn: Promise<unknown> | undefined;

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
    if (messages.length === 1 && this.#turn === undefined) {
      await this.#connection.call(this.#sender.sendMessages(this.#alone(messages[0] as ServiceBusMessage)));
      return undefined;
    }
    const transfers = await this.#inTurn(() => this.#begin(messages));
    if (transfers.length === 1) {
      await transfers[0]?.taken;
      return undefined;
    }
    const outcomes = await Promise.allSettled(transfers.map(({ taken }) => taken));
    const errors: (PolycastError | undefined)[] = new Array(messages.length).fill(undefined);
    outcomes.forEach((outcome, at) => {
      if (outcome.status === 'fulfilled') return;
      for (const index of transfers[at]?.indexes ?? []) errors[index] = PolycastError.from(outcome.reason);
    });
    return errors.some((error) => error !== undefined) ? errors : undefined;
  }

  /** Written by us, unless it is too large for that, or nobody knows yet what the link takes. */
  #alone(message: ServiceBusMessage): ServiceBusMessage | MessageBatch {
    const batch = new MessageBatch(this.#knownMaxBytes, EXPECTED_BYTES);
    return batch.tryAddMessage(message) ? batch : message;
  }

  /** Nobody's batch is sent before one that was asked for earlier, however long filling it takes. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done: Promise<Result> = (this.#turn ?? Promise.resolve()).then(work);
    const turn: Promise<unknown> = done
      .catch(() => {})
      .finally(() => {
        if (this.#turn === turn) this.#turn = undefined;
      });
    this.#turn = turn;
    return done;
  }

  /** Fills transfers as large as the link takes, and sends each as it is full. */
  async #begin(messages: readonly ServiceBusMessage[]): Promise<readonly Transfer[]> {
    const transfers: Transfer[] = [];
    let batch = await this.#batch();
    let indexes: number[] = [];
    const flush = () => {
      if (indexes.length === 0) return;
      this.#expectedBytes = batch.sizeInBytes + 64;
      const taken = this.#connection.call(this.#sender.sendMessages(batch));
      // Looked at later, with the others.
      taken.catch(() => {});
      transfers.push({ indexes, taken });
      indexes = [];
    };
    for (const [index, message] of messages.entries()) {
      if (batch.tryAddMessage(message)) {
        indexes.push(index);
        continue;
      }
      flush();
      batch = await this.#batch();
      if (batch.tryAddMessage(message)) indexes.push(index);
      else {
        // Alone, without the wrapping of a batch, it may fit.
        const taken = this.#connection.call(this.#sender.sendMessages(message));
        taken.catch(() => {});
        transfers.push({ indexes: [index], taken });
        batch = await this.#batch();
      }
    }
    flush();
    return transfers;
  }

  async close(): Promise<void> {
    await this.#sender.close().catch(() => {});
  }

  async #batch(): Promise<MessageBatch> {
    return new MessageBatch(await this.#maxBytes(), this.#expectedBytes);
  }

  /** What the link takes, opened if it is not. */
  async #maxBytes(): Promise<number> {
    const { maxSizeInBytes } = await this.#connection.call(this.#sender.createMessageBatch());
    this.#knownMaxBytes = Math.min(maxSizeInBytes, MAX_BATCH_BYTES);
    return this.#knownMaxBytes;
  }
}
