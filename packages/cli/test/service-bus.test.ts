import { type ServiceBus, startServiceBus } from '@polycast/local-services/service-bus';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { polycast, start } from './cli.ts';

let service: ServiceBus;
beforeAll(async () => {
  service = await startServiceBus();
});
afterAll(() => service.stop());

const key = () => /SharedAccessKey=([^;]*)/.exec(service.connectionString)?.[1] as string;
/** Both forms of a URL. */
const urls = () => [
  `service-bus:${service.connectionString}`,
  `service-bus://RootManageSharedAccessKey:${encodeURIComponent(key())}@127.0.0.1:${service.port}?emulator=true`,
];

test('pub and sub meet on a topic, whichever way the URL is written', async () => {
  const [one = '', other = ''] = urls();
  const sub = start(['sub', '--url', one, '--count', '1', '--create']);
  await sub.says('listening');
  expect((await polycast(['pub', '--url', other, 'hello'])).exit).toBe(0);
  expect(await sub.exit).toBe(0);
  expect(JSON.parse(sub.out()).data).toBe('hello');
});

test.each([0, 1])('doctor and sub create no topic that nobody asked for (URL form %i)', async (form) => {
  const url = urls()[form] as string;
  const before = service.counts().entities;
  expect((await polycast(['doctor', '--url', url], {})).exit).toBe(0);
  const sub = await polycast(['sub', '--url', url, '--topic', `never-made-${form}`]);
  expect(sub.err).toContain('not-found: topic "never-made');
  expect(sub.err).toContain('--create');
  expect(sub.exit).not.toBe(0);
  const viaEnvironment = await polycast(['sub', '--topic', `never-made-${form}`], { env: { POLYCAST_URL: url } });
  expect(viaEnvironment.err).toContain('not-found');
  expect(service.counts().entities).toBe(before);
});

test('the subscription of sub is gone after Ctrl-C', async () => {
  const url = urls()[0] as string;
  await polycast(['pub', '--url', url, '--topic', 'there', 'x']);
  const before = service.counts().entities;
  const sub = start(['sub', '--url', url, '--topic', 'there']);
  await sub.says('listening');
  expect(service.counts().entities).toBeGreaterThan(before);
  sub.ctrlC();
  expect(await sub.exit).toBe(0);
  expect(service.counts().entities).toBe(before);
});

test.each([0, 1])('doctor shows no key (URL form %i)', async (form) => {
  const { exit, out, err } = await polycast(['doctor', '--url', urls()[form] as string], {});
  expect(out).toContain('Azure Service Bus');
  expect(exit).toBe(0);
  for (const secret of [key(), encodeURIComponent(key())]) expect(out + err).not.toContain(secret);
});

test.each([0, 1])('what is wrong with a key is said without it (URL form %i)', async (form) => {
  const wrong = 'd3Jvbmd3cm9uZw==';
  const url = (urls()[form] as string)
    .replace(key(), wrong)
    .replace(encodeURIComponent(key()), encodeURIComponent(wrong));
  const { exit, out, err } = await polycast(['pub', '--url', url, 'x']);
  expect(exit).not.toBe(0);
  expect(err).toContain('unauthorized');
  for (const secret of [wrong, encodeURIComponent(wrong)]) expect(out + err).not.toContain(secret);
});

test('conform --local puts it to the test', async () => {
  const { exit, out } = await polycast([
    'conform',
    '--url',
    'service-bus:',
    '--local',
    '--only',
    'addressing/everyone',
  ]);
  expect(out).toMatch(/passed/);
  expect(exit).toBe(0);
});
