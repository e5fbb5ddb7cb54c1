import type { LatencyDriver } from '@polycast/measure';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { acknowledgedByTurn } from '../../wire/turn-acknowledgement.ts';

/** Server to server: `serverSideEmit`, the cheapest thing its adapter does. */
function open(url: string, topic: string) {
  const [publisher, subscriber] = [new Redis(url), new Redis(url)];
  const server = new Server({ adapter: createAdapter(publisher, subscriber, { key: topic }) });
  const close = async () => {
    await server.close();
    publisher.disconnect();
    subscriber.disconnect();
  };
  return { server, publisher, subscriber, close };
}

export const driver: LatencyDriver = {
  async openPublisher({ url, topic }) {
    const { server, publisher, close } = open(url, topic);
    const acknowledged = acknowledgedByTurn(() => publisher.ping());
    return {
      publish(data) {
        server.serverSideEmit('order.moved', data);
        return acknowledged();
      },
      close,
    };
  },
  async openSubscriber({ url, topic }, _index, onPayload) {
    const { server, subscriber, close } = open(url, topic);
    server.on('order.moved', (data: unknown) => onPayload(data));
    // Answered after the adapter's own SUBSCRIBE, sent before on the same connection.
    await subscriber.subscribe(`${topic}-ready`);
    return { close };
  },
};
