import { ServiceBusClient, type ServiceBusMessage } from '@azure/service-bus';
import type { LocalOrder } from './local-order.ts';

/** The vendor's client beside the local service, in a process of its own. Answers with messages a second. */
const [connectionString, json] = process.argv.slice(2) as [string, string];
const order = JSON.parse(json) as LocalOrder;
process.on('disconnect', () => process.exit());
const client = new ServiceBusClient(connectionString);
const sender = client.createSender('q');
const body = { order: 'order-4711', note: 'x'.repeat(160) };
const message: ServiceBusMessage = { body, applicationProperties: { kitchen: 'k-1', priority: 3 } };

process.send!(await run());

async function run(): Promise<number> {
  switch (order.do) {
    case 'flow': {
      await flow(order.messages / 10, order.batch);
      return flow(order.messages, order.batch);
    }
    case 'queued':
    case 'fan-out':
      return send(order.messages, order.do === 'queued' ? 500 : 20);
    default:
      throw new Error(`nothing to do for ${order.do}`);
  }
}

/** Sends in batches, four under way; single messages, 64. */
async function send(messages: number, batch: number): Promise<number> {
  const startedMs = performance.now();
  let left = messages;
  const loop = async () => {
    while (left > 0) {
      const size = Math.min(batch, left);
      left -= size;
      await sender.sendMessages(batch === 1 ? message : Array.from({ length: size }, () => message));
    }
  };
  await Promise.all(Array.from({ length: batch === 1 ? 64 : 4 }, loop));
  return (messages / (performance.now() - startedMs)) * 1000;
}

/** Sends and receives (peek-lock, completed) at the same time. */
async function flow(messages: number, batch: number): Promise<number> {
  const receiver = client.createReceiver('q');
  const startedMs = performance.now();
  await new Promise<void>((resolve, reject) => {
    let received = 0;
    receiver.subscribe(
      {
        async processMessage() {
          received += 1;
          if (received === messages) resolve();
        },
        async processError({ error }) {
          reject(error);
        },
      },
      { maxConcurrentCalls: 500 },
    );
    send(messages, batch).catch(reject);
  });
  const rate = (messages / (performance.now() - startedMs)) * 1000;
  await receiver.close();
  return rate;
}
