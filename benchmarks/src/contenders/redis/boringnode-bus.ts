import { BusManager } from '@boringnode/bus';
import { redis } from '@boringnode/bus/transports/redis';
import type { LatencyDriver } from '@polycast/measure';
import { hostAndPort } from '../../wire/target.ts';

const busOf = (url: string) =>
  new BusManager({ default: 'main', transports: { main: { transport: redis(hostAndPort(url)) } } });

export const driver: LatencyDriver = {
  async openPublisher({ url, topic }) {
    const bus = busOf(url);
    return { publish: (data) => bus.publish(topic, data as never), close: () => bus.disconnect() };
  },
  async openSubscriber({ url, topic }, _index, onPayload) {
    const bus = busOf(url);
    await bus.subscribe(topic, (data) => onPayload(data));
    return { close: () => bus.disconnect() };
  },
};
