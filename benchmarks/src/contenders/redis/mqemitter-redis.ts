import type { LatencyDriver } from '@polycast/measure';
import mqemitterRedis from 'mqemitter-redis';
import { hostAndPort } from '../../wire/target.ts';

const emitterOf = (url: string) => mqemitterRedis(hostAndPort(url));
const closing = (emitter: { close(done: () => void): void }) => () => new Promise<void>((done) => emitter.close(done));

export const driver: LatencyDriver = {
  async openPublisher({ url, topic }) {
    const emitter = emitterOf(url);
    return {
      publish: (data) =>
        new Promise<void>((resolve, reject) => {
          emitter.emit({ topic, data }, (error) => (error ? reject(error) : resolve()));
        }),
      close: closing(emitter),
    };
  },
  async openSubscriber({ url, topic }, _index, onPayload) {
    const emitter = emitterOf(url);
    await new Promise<void>((resolve) => {
      const listener = (message: Record<string, unknown>, done: () => void) => {
        onPayload(message.data);
        done();
      };
      emitter.on(topic, listener, resolve);
    });
    return { close: closing(emitter) };
  },
};
