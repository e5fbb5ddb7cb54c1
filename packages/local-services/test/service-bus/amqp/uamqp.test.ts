import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ServiceBus, startServiceBus } from '../../../src/service-bus/index.ts';
import { until } from './harness.ts';
import { needFromDebian, PYTHON } from './proton/run.ts';

const CLIENT = fileURLToPath(new URL('./uamqp/client.py', import.meta.url));
const KEY = Buffer.from('key').toString('base64');
/** Both sides of what it takes for the largest frame, and what a message may be. */
const SIZES = [10, 63_000, 66_000, 250_000];

let service: ServiceBus;

beforeAll(async () => {
  await needFromDebian('python3-uamqp', 'uamqp');
  service = await startServiceBus({ accessRules: [{ name: 'root', key: KEY, rights: ['manage', 'send', 'listen'] }] });
  service.broker.entities.createQueue('q');
}, 300_000);
afterAll(() => service?.stop());

it.each(['plain', 'cbs'])('uamqp sends and receives messages larger than its frames: %s', async (kind) => {
  const args = [String(service.port), await service.caFile(), KEY, kind, ...SIZES.map(String)];
  const { stdout } = await promisify(execFile)(PYTHON, [CLIENT, ...args]);
  const received = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { bytes: number; lockToken: string; tag: string; extras: number[] });
  expect(received.map(({ bytes }) => bytes)).toEqual(SIZES);
  for (const { lockToken, tag, extras } of received) {
    expect(lockToken).toBe(tag);
    expect(extras).toEqual([1, 2]);
  }
  await until(() => service.counts().activeMessages === 0);
});
