import type { LatencyDriver } from '@polycast/measure';
import { ServiceBroker } from 'moleculer';
import { acknowledgedByTurn } from '../../wire/turn-acknowledgement.ts';

interface RedisTransporter {
  readonly clientPub: { ping(): Promise<unknown> };
}

export const driver: LatencyDriver = {
  async openPublisher({ url, topic }) {
    const broker = new ServiceBroker({ namespace: topic, nodeID: 'till', transporter: url, logger: false });
    await broker.start();
    await broker.waitForServices('kitchen', 10_000);
    const { clientPub } = (broker.transit as unknown as { tx: RedisTransporter }).tx;
    const acknowledged = acknowledgedByTurn(() => clientPub.ping());
    return {
      publish(data) {
        void broker.broadcast('order.moved', data);
        return acknowledged();
      },
      close: async () => void (await broker.stop()),
    };
  },
  async openSubscriber({ url, topic }, index, onPayload) {
    const broker = new ServiceBroker({ namespace: topic, nodeID: `kitchen-${index}`, transporter: url, logger: false });
    broker.createService({
      name: 'kitchen',
      events: { 'order.moved': { handler: (context: { params: unknown }) => onPayload(context.params) } },
    });
    await broker.start();
    return { close: async () => void (await broker.stop()) };
  },
};
