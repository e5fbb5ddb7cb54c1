import { type ProcessErrorArgs, ServiceBusClient } from '@azure/service-bus';
import type { LatencyDriver } from '@polycast/measure';
import { createTopic, SUBSCRIPTION } from './connection.ts';
import { makeTurnBatch } from './turn-batch.ts';

/** Handlers that may run at once: enough that the link never waits for one. */
const CONCURRENCY = 256;

/**
 * The bare SDK: JSON bodies, peek-lock, completed after the handler, as `subscribe` does by itself.
 * `batched`: all that was published in one turn goes as one `sendMessages`; else each event has its own, as most programs do.
 */
export function sdkDriver(batched: boolean): LatencyDriver {
  return {
    async openPublisher({ url, topic }) {
      await createTopic(url, topic, [SUBSCRIPTION]);
      const client = new ServiceBusClient(url);
      const sender = client.createSender(topic);
      const publish = batched
        ? makeTurnBatch((bodies) => sender.sendMessages(bodies.map((body) => ({ body }))))
        : (body: unknown) => sender.sendMessages({ body });
      return { publish, close: () => client.close() };
    },
    async openSubscriber({ url, topic }, _index, onPayload) {
      await createTopic(url, topic, [SUBSCRIPTION]);
      const client = new ServiceBusClient(url);
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
