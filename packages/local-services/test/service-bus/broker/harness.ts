import type {
  Broker,
  BrokerOptions,
  Delivered,
  MessageSource,
  ReceiveMode,
  Receiver,
  StoredMessage,
} from '../../../src/service-bus/broker/index.ts';
import { BrokerError, createBroker } from '../../../src/service-bus/broker/index.ts';
import { type ManualClock, manualClock } from '../../../src/time/manual-clock.ts';
import { content, type Parts } from './content.ts';

export interface Bench {
  readonly broker: Broker;
  readonly clock: ManualClock;
  /** Sends one message. @returns its sequence number */
  send(path: string, parts?: Parts): number;
  listen(path: string, credit: number, mode?: ReceiveMode): Listener;
}

/** A receiver and what it was handed. */
export interface Listener {
  readonly receiver: Receiver;
  readonly source: MessageSource;
  readonly got: Delivered[];
  /** Message ids, in order. */
  ids(): (string | undefined)[];
}

export function bench(options: Omit<BrokerOptions, 'clock'> = {}): Bench {
  const clock = manualClock();
  const broker = createBroker({ ...options, clock });
  return {
    broker,
    clock,
    send: (path, parts) => broker.target(path).send([content(parts)])[0]!,
    listen(path, credit, mode = 'peek-lock') {
      const source = broker.source(path);
      const got: Delivered[] = [];
      const receiver = source.receive(mode, (delivered) => got.push(delivered));
      receiver.credit = credit;
      return { receiver, source, got, ids: () => idsOf(got.map(({ message }) => message)) };
    },
  };
}

export function idsOf(messages: readonly StoredMessage[]): (string | undefined)[] {
  return messages.map(({ content: { messageId } }) => messageId);
}

/** Ids of all that a queue holds. */
export function idsIn(broker: Broker, path: string): (string | undefined)[] {
  return idsOf(broker.source(path).peek(1, 250));
}

/** Reasons of all dead letters. */
export function reasonsIn(broker: Broker, path: string): unknown[] {
  return broker
    .source(path)
    .peek(1, 250)
    .map(({ content: { applicationProperties } }) => applicationProperties.get('DeadLetterReason'));
}

/** The condition that a call is refused with. */
export function refusal(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof BrokerError) return error.condition;
    throw error;
  }
}

export async function rejection(promise: Promise<unknown>): Promise<string | undefined> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return undefined;
  if (error instanceof BrokerError) return error.condition;
  throw error;
}
