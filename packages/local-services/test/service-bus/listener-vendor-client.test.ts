import { readFileSync } from 'node:fs';
import { ServiceBusClient, type ServiceBusClientOptions } from '@azure/service-bus';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { startServiceBus } from '../../src/service-bus/index.ts';
import { until } from '../listener/harness.ts';

it.each(['plain AMQP', 'WebSockets over TLS'])(
  "the vendor's client over %s waits through a freeze and loses nothing",
  async (way) => {
    const service = await startServiceBus();
    onTestFinished(() => service.stop());
    service.broker.entities.createQueue('q');
    const ca = readFileSync(await service.caFile());
    const webSocketOptions = { webSocket: WebSocket, webSocketConstructorOptions: { ca } };
    const client =
      way === 'plain AMQP'
        ? new ServiceBusClient(service.connectionString)
        : new ServiceBusClient(service.tlsConnectionString, { webSocketOptions } as ServiceBusClientOptions);
    onTestFinished(() => client.close());
    const received: unknown[] = [];
    const failed: unknown[] = [];
    client.createReceiver('q').subscribe({
      processMessage: async ({ body }) => void received.push(body),
      processError: async ({ error }) => void failed.push(error),
    });
    const sender = client.createSender('q');
    await sender.sendMessages({ body: 'before' });
    await until(() => received.length === 1);

    service.freeze();
    let sent = 0;
    const sending = Array.from({ length: 200 }, async (_, body) => {
      await sender.sendMessages({ body });
      sent++;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([sent, received.length]).toEqual([0, 1]);
    service.thaw();
    await Promise.all(sending);
    await until(() => received.length === 201);
    expect(new Set(received)).toEqual(new Set(['before', ...Array.from({ length: 200 }, (_, body) => body)]));
    expect(failed).toEqual([]);
  },
);
