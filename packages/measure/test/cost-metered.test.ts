import { connect } from '@polycast/core';
import { startServiceBus } from '@polycast/local-services/service-bus';
import { compareUnits, listServices, makeWorkload, predictUnits, sumUnits } from '@polycast/measure';
import { memory } from '@polycast/memory';
import { expect, test } from 'vitest';

test('an adapter meters the units that the model predicts, and a real run agrees', async () => {
  const transport = memory();
  const { transport: scheme, billedUnits } = transport.manifest;
  const services = listServices().filter(({ transports }) => transports.includes(scheme));
  expect(services.map(({ service }) => service)).toEqual(['memory']);
  expect(services[0]!.units).toEqual(billedUnits);

  await using publisher = await connect({ transport, topic: 'metered' });
  await using listener = await connect({ transport, topic: 'metered' });
  let received = 0;
  await using subscription = await listener.subscribe(() => received++);
  for (let n = 0; n < 5; n++) await publisher.publish({ type: 'tick', data: n });
  await subscription.drain();
  expect(received).toBe(5);

  const workload = makeWorkload({ name: 'run', publishes: { perMonth: 5 }, payloadBytes: 1, subscribers: 1 });
  const metered = sumUnits([publisher.metered, listener.metered]);
  expect(compareUnits(predictUnits('memory', workload), metered).filter(({ equal }) => !equal)).toEqual([]);
});

test.for([
  { payloadBytes: 200, operations: 10 * (1 + 3 * 2) },
  // Two steps of 64 KiB, sent and received; settling is one operation.
  { payloadBytes: 100_000, operations: 10 * (2 + 3 * 3) },
])(
  '$payloadBytes bytes over Service Bus: model, adapter and service count the same',
  async ({ payloadBytes, operations }) => {
    await using service = await startServiceBus();
    const join = () => connect({ url: service.url, topic: 'metered' });
    await using publisher = await join();
    const listeners = await Promise.all([join(), join(), join()]);
    let received = 0;
    for (const listener of listeners) await listener.subscribe(() => void received++);
    const everyone = [publisher, ...listeners];
    // What it costs to set up and to take down is told by `metered`, too; the model prices what goes on between.
    const before = sumUnits(everyone.map(({ metered }) => metered)).operations ?? 0;
    const billedBefore = service.counts().billedOperations;

    const data = 'x'.repeat(payloadBytes);
    for (let n = 0; n < 10; n++) await publisher.publish({ type: 'tick', data });
    await expect.poll(() => received).toBe(30);
    await expect.poll(() => service.counts().activeMessages).toBe(0);

    const workload = makeWorkload({
      name: 'run',
      publishes: { perMonth: 10 },
      payloadBytes,
      subscribers: 3,
      receiveMode: 'peek-lock',
    });
    const metered = () => ({ operations: sumUnits(everyone.map(({ metered }) => metered)).operations! - before });
    expect(predictUnits('service-bus', workload)).toEqual({ operations });
    // An answer that settles a message is counted when it comes.
    await expect.poll(() => compareUnits({ operations }, metered()).filter(({ equal }) => !equal)).toEqual([]);
    expect(service.counts().billedOperations - billedBefore).toBe(operations);
    await Promise.all(listeners.map((listener) => listener.close()));
  },
);
