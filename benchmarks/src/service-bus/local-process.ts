import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { ServiceBus } from '@polycast/local-services/service-bus';
import { churn } from './local-churn.ts';
import type { LocalOrder } from './local-order.ts';

/** The local service in a process of its own, measured. Argument: the order, as JSON. */
const order = JSON.parse(process.argv[2]!) as LocalOrder;
process.on('disconnect', () => process.exit());
const startedMs = performance.now();
const { startServiceBus } = await import('@polycast/local-services/service-bus');
const service = await startServiceBus();
const startMs = performance.now() - startedMs;
process.send!(await answer());

async function answer(): Promise<number> {
  switch (order.do) {
    case 'start':
      return startMs;
    case 'flow':
      service.broker.entities.createQueue('q');
      return client(service, order);
    case 'fan-out':
      return fanOut(service, order);
    case 'queued':
      service.broker.entities.createQueue('q', { maxSizeInMegabytes: 5120 });
      await client(service, order);
      globalThis.gc!();
      return process.memoryUsage().rss / 1e6;
    case 'churn':
      return churn(service, order.seconds);
  }
}

/** A client process does what is asked and says at what rate. */
async function client({ connectionString }: ServiceBus, what: LocalOrder): Promise<number> {
  const child = fork(new URL('./local-client.js', import.meta.url), [connectionString, JSON.stringify(what)]);
  const ended = new AbortController();
  child.once('exit', (code) => ended.abort(new Error(`the client ended with ${code}`)));
  try {
    const [rate] = (await once(child, 'message', { signal: ended.signal })) as [number];
    return rate;
  } finally {
    child.kill();
  }
}

async function fanOut(bus: ServiceBus, what: Extract<LocalOrder, { do: 'fan-out' }>): Promise<number> {
  const { entities } = bus.broker;
  entities.createTopic('q', { maxSizeInMegabytes: 5120 });
  for (let at = 0; at < what.subscriptions; at += 1) {
    const kitchen = at < what.matching ? 'k-1' : `k-${at}`;
    const expression = `kitchen = '${kitchen}' AND priority > 2`;
    entities.createSubscription('q', `s${at}`, {}, { name: 'kitchen', filter: { kind: 'sql', expression } });
  }
  const rate = await client(bus, what);
  const { active } = entities.subscription('q', 's0')!.counts;
  if (active !== what.messages) throw new Error(`${active} of ${what.messages} copies arrived`);
  return what.matching === what.subscriptions ? rate * what.subscriptions : rate;
}
