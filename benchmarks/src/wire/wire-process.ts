import type { LatencyDriver } from '@polycast/measure';
import { calibrate, cpuUs } from '../measurement/calibration.ts';
import { type Filling, fillingFor, makeOrder } from '../workload.ts';
import type { Order, Scenario, SideReport } from './wire-workload.ts';

/** One side of a contender in a process of its own. Arguments: side, module, url, topic. */
const [side, module, url, topic] = process.argv.slice(2) as ['publisher' | 'subscriber', string, string, string];
const { driver } = (await import(module)) as { driver: LatencyDriver };
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const send = (message: SideReport | 'ready') => process.send!(message);
process.on('disconnect', () => process.exit());

if (side === 'publisher') {
  const publisher = await driver.openPublisher({ url, topic });
  process.on('message', (order: Order) => {
    if (order.do !== 'run') return;
    const calibrationUs = calibrate();
    const startUs = cpuUs();
    const atMs = nowMs();
    run(order.scenario, fillingFor(order.payloadBytes)).then(() =>
      send({ atMs, cpuUs: cpuUs() - startUs, calibrationUs }),
    );
  });
  send('ready');

  async function run({ loops, batch, messages }: Scenario, filling: Filling): Promise<void> {
    let next = 0;
    const loop = async () => {
      while (next < messages) {
        if (batch === 1) {
          await publisher.publish(makeOrder(next++, filling));
          continue;
        }
        const under: unknown[] = [];
        for (let at = 0; at < batch && next < messages; at += 1)
          under.push(publisher.publish(makeOrder(next++, filling)));
        await Promise.all(under);
      }
    };
    await Promise.all(Array.from({ length: loops }, loop));
  }
} else {
  let received = 0;
  let expected = Number.POSITIVE_INFINITY;
  let startUs = 0;
  let calibrationUs = 0;
  await driver.openSubscriber({ url, topic }, 0, (data) => {
    // Read, as a user would: contenders that parse when read must not gain by not being read.
    if (typeof (data as { number?: unknown }).number !== 'number') throw new Error('not the payload that was sent');
    received += 1;
    if (received === expected) send({ atMs: nowMs(), cpuUs: cpuUs() - startUs, calibrationUs });
  });
  process.on('message', (order: Order) => {
    if (order.do !== 'await') return;
    received = 0;
    calibrationUs = calibrate();
    startUs = cpuUs();
    expected = order.messages;
    send('ready');
  });
  send('ready');
}
