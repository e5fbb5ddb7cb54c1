import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceBusClient } from '@azure/service-bus';
import { connect } from '@polycast/core';
import { serviceBus } from '@polycast/service-bus';
import { connectionStringOf, createTopic } from './connection.ts';

/** Memory of one idle subscription, ours or the bare receiver's. Arguments: which, URL, how many. */
const [which, url, count] = process.argv.slice(2) as ['polycast' | 'sdk', string, string];
const connectionString = connectionStringOf(url);
const subscriptions = Number(count);
const topic = `idle-${randomUUID()}`;
const open = which === 'polycast' ? await openOurs() : await openBare();
await open('first');
const before = await heapUsed();
for (let at = 0; at < subscriptions; at += 1) await open(`g${at}`);
process.send!(((await heapUsed()) - before) / subscriptions);
process.exit();

async function openOurs() {
  const broadcaster = await connect({ transport: serviceBus({ connectionString }), topic, self: { role: 'idle' } });
  // Durable, since each of these has a subscription and a link of its own, as the bare receivers have.
  return (durable: string) => broadcaster.subscribe(() => {}, { durable });
}

async function openBare() {
  const client = new ServiceBusClient(connectionString);
  return async (name: string) => {
    await createTopic(connectionString, topic, [name]);
    client
      .createReceiver(topic, name)
      .subscribe({ processMessage: async () => {}, processError: async ({ error }) => console.error(error) });
  };
}

/** After the links are up and garbage is gone. */
async function heapUsed(): Promise<number> {
  let last = Number.POSITIVE_INFINITY;
  for (;;) {
    await sleep(300);
    globalThis.gc!();
    const { heapUsed: used } = process.memoryUsage();
    if (used >= last * 0.999) return used;
    last = used;
  }
}
