import { type ProcessErrorArgs, ServiceBusClient, type ServiceBusSender } from '@azure/service-bus';
import type { LatencyDriver } from '@polycast/measure';
import { connectionStringOf, createTopic, SUBSCRIPTION } from './connection.ts';
import { makeTurnBatch } from './turn-batch.ts';

/** Handlers that may run at once: enough that the link never waits for one. */
const CONCURRENCY = 256;

/** How the bare SDK sends. */
const SENDING = {
  /** Used well: all that was published in one turn goes as one `sendMessages`. */
  batched: (sender: ServiceBusSender) =>
    makeTurnBatch((bodies) => sender.sendMessages(bodies.map((body) => ({ body })))),
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
