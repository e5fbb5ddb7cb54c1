import { ServiceBusAdministrationClient, ServiceBusClient } from '@azure/service-bus';
import { connect, type Signal } from '@polycast/core';
import { type ServiceBusOptions, serviceBus } from '@polycast/service-bus';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { freshTopic, useService } from './service.ts';

const service = useService();
const clients: ServiceBusClient[] = [];
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));

function ready(): { client: ServiceBusClient; administrationClient: ServiceBusAdministrationClient } {
  const { connectionString, port } = service.service;
  const client = new ServiceBusClient(connectionString);
  clients.push(client);
  const administrationClient = new ServiceBusAdministrationClient(connectionString);
  // The SDK speaks https even to an emulator.
  administrationClient.pipeline.addPolicy({
    name: 'to-the-emulator',
    sendRequest(request, next) {
      const url = new URL(request.url);
      request.url = `http://127.0.0.1:${port}${url.pathname}${url.search}`;
      request.allowInsecureConnection = true;
      return next(request);
    },
  });
  return { client, administrationClient };
}

interface SdkLink {
  close(): Promise<void>;
}

/** The links of the receivers that the client makes from now on, sessions included, as the SDK has them beneath. */
function linksOf(client: ServiceBusClient): () => readonly SdkLink[] {
  const receivers: { _streamingReceiver?: { link?: SdkLink }; _messageSession?: { link?: SdkLink } }[] = [];
  for (const name of ['createReceiver', 'acceptNextSession'] as const) {
    const make = client[name].bind(client) as (...args: unknown[]) => unknown;
    Object.assign(client, {
      [name]: (...args: unknown[]) => {
        const made = make(...args);
        void Promise.resolve(made).then(
          (receiver) => receivers.push(receiver as (typeof receivers)[0]),
          () => {},
        );
        return made;
      },
    });
  }
  return () =>
    receivers.flatMap(
      ({ _streamingReceiver, _messageSession }) => _streamingReceiver?.link ?? _messageSession?.link ?? [],
    );
}

async function join(topic: string, role: string, options: ServiceBusOptions) {
  const signals: Signal[] = [];
  const transport = serviceBus({ closeTimeoutMs: 1_000, ...options });
  const one = await connect({ transport, topic, self: { role }, onSignal: (signal) => signals.push(signal) });
  return Object.assign(one, { signals });
}

describe('a given client', () => {
  it('is used, creates what is missing, comes back when it is cut off, and is left open', async () => {
    const topic = freshTopic();
    const { client, administrationClient } = ready();
    const desk = await join(topic, 'desk', { client, administrationClient });
    const kitchen = await join(topic, 'kitchen', { client, administrationClient });
    const handled: unknown[] = [];
    await kitchen.subscribe(({ data }) => void handled.push(data));
    await desk.publish({ type: 'x', data: 1 }, { to: 'role:kitchen' });
    await vi.waitFor(() => expect(handled).toEqual([1]), 5_000);
    expect(desk.metered).toMatchObject({ operations: expect.any(Number) });
    expect(desk.native).toBe(client);
    expect(desk.signals).toEqual([]);

    service.service.cut();
    await vi.waitFor(() => expect(desk.signals.map(({ kind }) => kind)).toContain('reconnected'), 90_000);
    await desk.publish({ type: 'x', data: 2 }, { to: 'role:kitchen' });
    await vi.waitFor(() => expect(handled).toEqual([1, 2]), 90_000);

    await Promise.all([desk.close(), kitchen.close()]);
    expect(service.subscriptions(topic)).toEqual([]);
    // Still good for its owner.
    const sender = client.createSender(topic);
    await sender.sendMessages({ body: 'mine' });
    await sender.close();
  }, 200_000);

  it.each([
    ['a subscription', {}],
    ['a member of a group, with partition keys', { group: 'g' }],
  ])('closing %s while the service answers nothing leaves no rejection that nobody handles', async (_, options) => {
    const topic = freshTopic();
    const { client, administrationClient } = ready();
    const links = linksOf(client);
    const desk = await join(topic, 'desk', { client, administrationClient });
    const kitchen = await join(topic, 'kitchen', { client, administrationClient });
    const handled = vi.fn();
    await kitchen.subscribe(handled, options);
    await desk.publish({ type: 'x' }, { partitionKey: 'k' });
    await vi.waitFor(() => expect(handled).toHaveBeenCalledOnce());
    // A link that is never told of its end gives up after a minute: here at once.
    const late = vi.fn();
    for (const link of links()) {
      link.close = async () => {
        late();
        throw new Error('no answer');
      };
    }
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    service.service.freeze();
    try {
      await kitchen.close({ drainMs: 0 });
      await vi.waitFor(() => expect(late).toHaveBeenCalled());
      // Rejections count as unhandled a turn later.
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      service.service.thaw();
      process.off('unhandledRejection', unhandled);
      await desk.close();
    }
  });

  it('creates nothing without an administration client', async () => {
    const { client } = ready();
    await expect(join(freshTopic(), 'desk', { client })).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each<[string, () => object]>([
    ['client or connectionString', () => ({ ...ready(), connectionString: service.service.connectionString })],
    ['client or webSocketOptions', () => ({ ...ready(), webSocketOptions: {} })],
    ['create needs administrationClient', () => ({ client: ready().client, create: true })],
    ['administrationClient needs client', () => ({ administrationClient: ready().administrationClient })],
    ['client must be a ServiceBusClient', () => ({ client: {} })],
  ])('is refused with words: %s', (words, options) => {
    expect(() => serviceBus(options() as ServiceBusOptions)).toThrow(words);
  });
});
