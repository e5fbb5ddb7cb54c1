import type { ServiceBusReceivedMessage, ServiceBusReceiver } from '@azure/service-bus';
import type { SettlingReceiver } from '../message-lease.ts';

/**
 * Settles by a receiver of the SDK. Of neighbouring deliveries that are settled at once, the SDK's AMQP library says of all what it was told of
 * the first (see `sdk-internals/dispositions.ts`). So what is not accepted has a turn of the event loop to itself.
 */
export class OutcomeTurns implements SettlingReceiver {
  readonly #receiver: ServiceBusReceiver;
  #turn: Promise<unknown> = Promise.resolve();
  #areAccepted = true;

  constructor(receiver: ServiceBusReceiver) {
    this.#receiver = receiver;
  }

  completeMessage(message: ServiceBusReceivedMessage): Promise<void> {
    return this.#inTurn(true, () => this.#receiver.completeMessage(message));
  }

  abandonMessage(message: ServiceBusReceivedMessage, properties?: Record<string, number>): Promise<void> {
    return this.#inTurn(false, () => this.#receiver.abandonMessage(message, properties));
  }

  deadLetterMessage(
    message: ServiceBusReceivedMessage,
    options: { deadLetterReason: string; deadLetterErrorDescription: string },
  ): Promise<void> {
    return this.#inTurn(false, () => this.#receiver.deadLetterMessage(message, options));
  }

  #inTurn(isAccepted: boolean, settle: () => Promise<void>): Promise<void> {
    if (!isAccepted || !this.#areAccepted) {
      this.#turn = this.#turn.then(() => new Promise((resolve) => setImmediate(resolve)));
      this.#areAccepted = isAccepted;
    }
    return this.#turn.then(settle);
  }
}
