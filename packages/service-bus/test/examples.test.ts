import { format } from 'node:util';
import { type ServiceBus, startServiceBus } from '@polycast/local-services/service-bus';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

let service: ServiceBus;
beforeAll(async () => {
  service = await startServiceBus();
  vi.stubEnv('SERVICE_BUS_CONNECTION_STRING', service.connectionString);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await service.stop();
});

test.each([
  ['publish-subscribe', "order.placed { dish: 'soup' }"],
  ['group', 'cake, pie, soup, stew'],
  ['durable', 'bill.paid { table: 7 }'],
  ['request', "{ ready: true, dish: 'soup' }"],
])('the example %s prints %s, and ends', async (name, printed) => {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((...values) => void lines.push(format(...values)));
  try {
    await import(`../examples/${name}.ts`);
  } finally {
    vi.restoreAllMocks();
  }
  expect(lines).toEqual([printed]);
});
