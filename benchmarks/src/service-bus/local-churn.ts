import { setImmediate as turn } from 'node:timers/promises';
import { ServiceBusClient } from '@azure/service-bus';
import type { ServiceBus } from '@polycast/local-services/service-bus';

/** The vendor's client keeps a link to the management of every entity it was asked about: it must not be what grows. */
const CYCLES_A_CLIENT = 20;

/** Entities, links, sessions, locks, duplicates and messages come and go; what is left must not grow. */
export async function churn({ broker, connectionString }: ServiceBus, seconds: number): Promise<number> {
  const startedMs = performance.now();
  const elapsed = () => (performance.now() - startedMs) / 1000;
  let client = new ServiceBusClient(connectionString);
  let early = 0;
  for (let cycle = 0; elapsed() < seconds; cycle += 1) {
    await oneCycle(cycle);
    if (cycle % CYCLES_A_CLIENT === CYCLES_A_CLIENT - 1) {
      await client.close();
      client = new ServiceBusClient(connectionString);
    }
    if (early === 0 && elapsed() > seconds / 2) early = await heap();
  }
  const late = await heap();
  await client.close();
  return late / early;

  async function oneCycle(cycle: number): Promise<void> {
    const topic = `t${cycle}`;
    broker.entities.createTopic(topic);
    broker.entities.createSubscription(topic, 'plain', { maxDeliveryCount: 2 });
    broker.entities.createSubscription(topic, 'sessions', { requiresSession: true });
    const sender = client.createSender(topic);
    await sender.sendMessages(
      Array.from({ length: 50 }, (_, at) => ({ body: 'x'.repeat(200), sessionId: `s${at % 5}`, messageId: `m${at}` })),
    );
    const receiver = client.createReceiver(topic, 'plain');
    for (const message of await receiver.receiveMessages(20)) await receiver.completeMessage(message);
    for (const message of await receiver.receiveMessages(10)) await receiver.abandonMessage(message);
    const session = await client.acceptNextSession(topic, 'sessions');
    await session.setSessionState('half way');
    for (const message of await session.receiveMessages(5)) await session.completeMessage(message);
    await Promise.all([session.close(), receiver.close(), sender.close()]);
    broker.entities.deleteTopic(topic);
  }
}

async function heap(): Promise<number> {
  for (let round = 0; round < 5; round += 1) {
    await turn();
    globalThis.gc!();
  }
  return process.memoryUsage().heapUsed;
}
