import { connect } from '@polycast/core';
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
