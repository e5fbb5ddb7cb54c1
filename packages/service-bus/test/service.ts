import { type Broadcaster, type ConnectOptions, connect, type Signal } from '@polycast/core';
import { type ServiceBus, startServiceBus } from '@polycast/local-services/service-bus';
import { type ServiceBusOptions, serviceBus } from '@polycast/service-bus';
import { afterAll, afterEach, beforeAll } from 'vitest';

/** Is the SDK used by its public face alone in this run? */
export const isPublic = process.env.POLYCAST_SERVICE_BUS_SDK === 'public';

/** A local namespace for the tests of one file, and broadcasters that are closed after each of them. */
export function useService(options: Parameters<typeof startServiceBus>[0] = {}) {
  let service: ServiceBus;
  const opened: Broadcaster[] = [];
  beforeAll(async () => {
    service = await startServiceBus(options);
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close({ drainMs: 0 })));
  });
  afterAll(() => service.stop());

  return {
    get service() {
      return service;
    },
    /** Joins as `role` or `role/instance`. */
    async join(topic: string, who: string, more: ServiceBusOptions = {}, connecting: Partial<ConnectOptions> = {}) {
      const [role = 'x', instance = role] = who.split('/');
      const transport = serviceBus({ connectionString: service.connectionString, closeTimeoutMs: 500, ...more });
      const broadcaster = await connect({
        ...connecting,
        transport,
        topic,
        self: { role, instance },
      } as ConnectOptions);
      opened.push(broadcaster);
      const signals: Signal[] = [];
      broadcaster.onSignal((signal) => signals.push(signal));
      return Object.assign(broadcaster, { signals });
    },
    subscriptions(topic: string) {
      return service.broker.entities.subscriptions(topic);
    },
  };
}

let topics = 0;
export const freshTopic = () => `t${process.pid}-${topics++}`;
