import { randomUUID } from 'node:crypto';
import {
  type ProcessErrorArgs,
  ServiceBusClient,
  type ServiceBusMessage,
  type ServiceBusSender,
} from '@azure/service-bus';
import type { LatencyDriver } from '@polycast/measure';
import { connectionStringOf, createTopic, SUBSCRIPTION } from './connection.ts';
import { makeTurnBatch } from './turn-batch.ts';

/** Handlers that may run at once: enough that the link never waits for one. */
const CONCURRENCY = 256;
/** What one batch may hold of these. */
const MAX_ENVELOPES = 250;
/** As Polycast's default. */
const TTL_MS = 600_000;

/** How the bare SDK sends. */
const SENDING = {
  /** Used well: all that was published in one turn goes as one `sendMessages`. */
  batched: (sender: ServiceBusSender) =>
    makeTurnBatch((bodies) => sender.sendMessages(bodies.map((body) => ({ body })))),
  /** The same, each event with the envelope that Polycast writes: an id of its own, whence, when, until when, which in the row. */
  'batched-cloudevents': (sender: ServiceBusSender) => {
    const envelope = makeEnvelope();
    return makeTurnBatch((bodies) => sender.sendMessages(bodies.map(envelope)), MAX_ENVELOPES);
  },
  /** As most programs do: a `sendMessages` an event, each awaited before the next. */
  awaited(sender: ServiceBusSender) {
    let last: Promise<void> = Promise.resolve();
    return (body: unknown) => {
      last = last.then(() => sender.sendMessages({ body }));
      return last;
    };
  },
  /** A `sendMessages` an event, and none waits for another: as many under way as the program has. */
  unawaited: (sender: ServiceBusSender) => (body: unknown) => sender.sendMessages({ body }),
};

/** CloudEvents AMQP binding, binary mode. */
function makeEnvelope(): (body: unknown) => ServiceBusMessage {
  const epoch = randomUUID();
  const source = '/till/bench';
  let count = 0;
  return (body) => {
    const nowMs = Date.now();
    const id = `${epoch}.${++count}`;
    return {
      body,
      contentType: 'application/json',
      messageId: `${source}|${id}`,
      timeToLive: TTL_MS,
      applicationProperties: {
        cloudEvents_specversion: '1.0',
        cloudEvents_type: 'order.moved',
        cloudEvents_source: source,
        cloudEvents_id: id,
        cloudEvents_time: new Date(nowMs).toISOString(),
        cloudEvents_expirytime: new Date(nowMs + TTL_MS).toISOString(),
        cloudEvents_sequence: id,
      },
    };
  };
}

/** The bare SDK: JSON bodies, peek-lock, completed after the handler, as `subscribe` does by itself. */
export function sdkDriver(how: keyof typeof SENDING): LatencyDriver {
  return {
    async openPublisher({ url, topic }) {
      const client = await open(url, topic);
      const sender = client.createSender(topic);
      return { publish: SENDING[how](sender), close: () => client.close() };
    },
    async openSubscriber({ url, topic }, _index, onPayload) {
      const client = await open(url, topic);
      const receiver = client.createReceiver(topic, SUBSCRIPTION);
      receiver.subscribe(
        {
          processMessage: async ({ body }) => onPayload(body),
          processError: async ({ error }: ProcessErrorArgs) => console.error(error),
        },
        { maxConcurrentCalls: CONCURRENCY },
      );
      return { close: () => client.close() };
    },
  };
}

async function open(url: string, topic: string): Promise<ServiceBusClient> {
  const connectionString = connectionStringOf(url);
  await createTopic(connectionString, topic, [SUBSCRIPTION]);
  return new ServiceBusClient(connectionString);
}
