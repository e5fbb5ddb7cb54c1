import { readFile } from 'node:fs/promises';
import { type ProcessErrorArgs, ServiceBusAdministrationClient, ServiceBusClient } from '@azure/service-bus';
import { expect, test } from 'vitest';
import { type ServiceBus, signSas, startServiceBus } from '../../src/service-bus/index.ts';

/** A client that tries again at once: what is waited for here is the service. */
function clientOf(bus: ServiceBus, maxRetries = 50): ServiceBusClient & AsyncDisposable {
  const retryOptions = { retryDelayInMs: 20, maxRetries, timeoutInMs: 5_000 };
  const client = new ServiceBusClient(bus.connectionString, { retryOptions });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

/** A subscriber that writes down the ids of what it completes. */
function collect(client: ServiceBusClient, queue: string): string[] {
  const ids: string[] = [];
  client.createReceiver(queue).subscribe({
    processMessage: async ({ messageId }) => void ids.push(String(messageId)),
    processError: async (_error: ProcessErrorArgs) => {},
  });
  return ids;
}

test('a connection string serves the messaging client, and counts say what it cost', async () => {
  await using bus = await startServiceBus();
  expect(bus.connectionString).toMatch(
    /^Endpoint=sb:\/\/127\.0\.0\.1:\d+;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=[\w+/]{43}=;UseDevelopmentEmulator=true$/,
  );
  expect(bus.url).toBe(`service-bus:${bus.connectionString}`);
  bus.broker.entities.createQueue('orders');
  await using client = clientOf(bus);
  await client.createSender('orders').sendMessages({ body: 'x'.repeat(70_000) });
  const receiver = client.createReceiver('orders');
  const [message] = await receiver.receiveMessages(1);
  expect(bus.counts()).toMatchObject({ entities: 1, activeMessages: 1, connections: 1 });
  await receiver.completeMessage(message!);
  // 70,000 bytes are two operations, sent and received; settling is one.
  expect(bus.counts()).toMatchObject({ activeMessages: 0, billedOperations: 5 });
});

test('the administration client needs the same connection string and the authority of the service', async () => {
  await using bus = await startServiceBus();
  const ca = await readFile(await bus.caFile(), 'utf8');
  const trusting = new ServiceBusAdministrationClient(bus.connectionString, { tlsOptions: { ca } });
  await trusting.createQueue('invoices');
  expect(bus.broker.entities.queue('invoices')).toBeDefined();
  const other = new ServiceBusAdministrationClient(bus.connectionString, { retryOptions: { maxRetries: 0 } });
  await expect(other.getQueue('invoices')).rejects.toThrow(/certificate/);
});

test.for(['restart', 'cut', 'kill and start', 'freeze and thaw'] as const)(
  '%s loses no message, and clients find back',
  async (fault) => {
    await using bus = await startServiceBus();
    bus.broker.entities.createQueue('orders', { requiresDuplicateDetection: true });
    await using client = clientOf(bus);
    const ids = collect(client, 'orders');
    const sender = client.createSender('orders');
    await sender.sendMessages({ body: 1, messageId: 'before' });
    // Handled and settled: a settlement that a fault cuts off would bring it again when its lock ends.
    await expect.poll(() => bus.counts().activeMessages).toBe(0);
    expect(ids).toEqual(['before']);
    if (fault === 'restart') await bus.restart();
    else if (fault === 'cut') bus.cut();
    else if (fault === 'freeze and thaw') bus.freeze();
    else {
      await bus.kill();
      expect(bus.counts().connections).toBe(0);
    }
    const sending = sender.sendMessages({ body: 2, messageId: 'during' });
    if (fault === 'kill and start') await bus.start();
    if (fault === 'freeze and thaw') {
      expect(bus.counts().activeMessages).toBe(0);
      bus.thaw();
    }
    await sending;
    await expect.poll(() => ids, { timeout: 15_000 }).toContain('during');
    await expect.poll(() => bus.counts().activeMessages).toBe(0);
  },
);

test('the same port after kill and start, and nothing at it between', async () => {
  await using bus = await startServiceBus();
  const { port } = bus;
  await bus.kill();
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  await bus.start();
  expect(bus.port).toBe(port);
  expect((await fetch(`http://127.0.0.1:${port}/$namespaceinfo`)).status).toBe(401);
});

test('stop frees the port, is idempotent, and start comes too late', async () => {
  const bus = await startServiceBus();
  await Promise.all([bus.stop(), bus.stop()]);
  await expect(fetch(`http://127.0.0.1:${bus.port}/`)).rejects.toThrow();
  await expect(bus.start()).rejects.toThrow('stopped');
  await expect(bus.caFile()).rejects.toThrow('stopped');
});

test('a port that is taken is told, and nothing is left running', async () => {
  await using bus = await startServiceBus();
  await expect(startServiceBus({ port: bus.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('starts with the entities of a configuration, and says where one is wrong', async () => {
  const config = (properties: object) => ({
    UserConfig: {
      Namespaces: [{ Name: 'sbemulatorns', Queues: [{ Name: 'orders', Properties: properties }], Topics: [] }],
      Logging: { Type: 'File' },
    },
  });
  await using bus = await startServiceBus({ config: config({ LockDuration: 'PT30S' }) });
  expect(bus.broker.entities.queue('orders')?.description.lockDurationMs).toBe(30_000);
  await expect(startServiceBus({ config: config({ LockDuration: 'PT30M' }) })).rejects.toThrow(/Queues\[0\]/);
});

test('the Basic tier has no topics', async () => {
  await using bus = await startServiceBus({ tier: 'basic' });
  expect(() => bus.broker.entities.createTopic('orders')).toThrow();
});

test('a policy may do what its rights say, and entities have policies of their own', async () => {
  const listen = { name: 'listen', key: 'bGlzdGVu', rights: ['listen'] as const };
  await using bus = await startServiceBus({ accessRules: [listen] });
  bus.broker.entities.createQueue('orders', {
    authorizationRules: [{ name: 'till', primaryKey: 'dGlsbA==', secondaryKey: 'dGlsbDI=', rights: ['send'] }],
  });
  expect(bus.connectionString).toContain('SharedAccessKeyName=listen;SharedAccessKey=bGlzdGVu');
  await using listener = clientOf(bus, 0);
  await expect(listener.createSender('orders').sendMessages({ body: 1 })).rejects.toMatchObject({
    code: 'UnauthorizedAccess',
  });
  const till = { name: 'till', key: 'dGlsbDI=', rights: ['send'] as const };
  const send = await fetch(`http://127.0.0.1:${bus.port}/orders/messages`, {
    method: 'POST',
    headers: { authorization: signSas(`http://127.0.0.1:${bus.port}/orders`, till, Date.now() + 60_000) },
    body: 'hello',
  });
  expect(send.status).toBe(201);
});

test('a service whose clock is wrong refuses tokens that have not ended here', async () => {
  const clock = { now: () => Date.now() + 7_200_000, at: () => () => {} };
  await using bus = await startServiceBus({ clock });
  bus.broker.entities.createQueue('orders');
  await using client = clientOf(bus, 0);
  await expect(client.createSender('orders').sendMessages({ body: 1 })).rejects.toMatchObject({
    code: 'UnauthorizedAccess',
  });
});

test.each(['tier', 'accessRules', 'clock'])('%s that makes no sense is refused by its name', async (name) => {
  for (const value of ['premum', 5, {}, () => {}, Symbol('odd')]) {
    await expect(startServiceBus({ [name]: value })).rejects.toThrow(new RegExp(`^${name} must`));
  }
});
