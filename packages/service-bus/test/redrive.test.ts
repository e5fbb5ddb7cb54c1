import { ServiceBusClient } from '@azure/service-bus';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { freshTopic, useService } from './service.ts';

const service = useService();
const clients: ServiceBusClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

/** All that a stranger who reads the subscription of the topic sees. */
async function readAll(topic: string, subscription: string, count: number) {
  const client = new ServiceBusClient(service.service.connectionString);
  clients.push(client);
  return client.createReceiver(topic, subscription).peekMessages(count);
}

describe('duplicate detection of the service', () => {
  it('keeps no other publish of the same event, which is stored again', async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    service.service.broker.entities.createSubscription(topic, 'audit', {});
    await desk.publish({ type: 'order', id: 'order-7', source: '/shop', data: 1 });
    await desk.publish({ type: 'order', id: 'order-7', source: '/shop', data: 1 });
    const messages = await readAll(topic, 'audit', 5);
    expect(messages.length).toBe(2);
    expect(messages.every(({ messageId }) => String(messageId).startsWith('order-7|'))).toBe(true);
    expect(messages.map(({ applicationProperties }) => applicationProperties?.cloudEvents_id)).toEqual([
      'order-7',
      'order-7',
    ]);
  });

  it('keeps what one publish sends again after a lost answer', async () => {
    const topic = freshTopic();
    const desk = await service.join(
      topic,
      'desk',
      { operationTimeoutMs: 1_000 },
      { retry: { maxAttempts: 20, baseMs: 50 } },
    );
    service.service.broker.entities.createSubscription(topic, 'audit', {});
    await desk.publish({ type: 'warm' });
    service.service.freeze();
    const publishing = Promise.all([1, 2, 3].map((data) => desk.publish({ type: 'order', id: `o-${data}`, data })));
    // What was written before the cut is read after the thaw, and sent again over the next connection.
    setTimeout(() => service.service.thaw(), 1_500).unref();
    await publishing;
    const messages = await readAll(topic, 'audit', 10);
    expect(
      messages
        .map(({ applicationProperties }) => applicationProperties?.cloudEvents_id)
        .slice(1)
        .sort(),
    ).toEqual(['o-1', 'o-2', 'o-3']);
  });
});

it('what was dead-lettered is handled when it is published again', async () => {
  const topic = freshTopic();
  const desk = await service.join(topic, 'desk');
  const kitchen = await service.join(topic, 'kitchen');
  let isMended = false;
  const handled: unknown[] = [];
  await kitchen.subscribe(
    ({ id }) => {
      if (!isMended) throw new Error('not yet');
      handled.push(id);
    },
    { group: 'g', retry: { maxAttempts: 2, baseMs: 5 } },
  );
  await desk.publish({ type: 'order', id: 'order-7', source: '/shop' });
  await vi.waitFor(() => expect(kitchen.signals.map(({ kind }) => kind)).toContain('dead-lettered'), 8_000);
  isMended = true;
  // Whether core takes it for a duplicate is core's to say: the service does not.
  await desk.publish({ type: 'order', id: 'order-7', source: '/shop' });
  await desk.publish({ type: 'order', id: 'order-8', source: '/shop' });
  await vi.waitFor(() => expect(handled).toContain('order-8'), 8_000);
});
