import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { emptyFolder, polycast, start } from './cli.ts';

const CONFIG = { UserConfig: { Namespaces: [{ Queues: [{ Name: 'orders' }], Topics: [{ Name: 'events' }] }] } };

test('runs a Service Bus with the entities of a file, tells how to reach it, and ends with Ctrl-C', async () => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'Config.json'), JSON.stringify(CONFIG));
  const args = ['emulate', 'service-bus', '--port', '0', '--tls', '--config', 'Config.json', '--key', 'mine=abc='];
  const running = start(args, { cwd });
  await running.says('entities 2');
  const said = running.out();
  const [, port] = /^connection string\s+Endpoint=sb:\/\/(?:localhost|127\.0\.0\.1):(\d+);/m.exec(said) ?? [];
  expect(said).toMatch(
    /^connection string .*;SharedAccessKeyName=mine;SharedAccessKey=abc=;UseDevelopmentEmulator=true/m,
  );
  expect(said).toMatch(
    /^over TLS\s+Endpoint=sb:\/\/(?:localhost|127\.0\.0\.1):\d+;SharedAccessKeyName=mine;SharedAccessKey=abc=/m,
  );
  expect(running.err()).toContain(`Service Bus (standard) listens on 127.0.0.1:${port}`);

  const refused = await fetch(`http://127.0.0.1:${port}/orders?api-version=2021-05`);
  expect(refused.status).toBe(401);
  const [, caFile] = /^for administration\s+export NODE_EXTRA_CA_CERTS=(\S+) REQUESTS_CA_BUNDLE=\1$/m.exec(said) ?? [];
  const program = `console.log((await fetch('https://localhost:${port}/orders?api-version=2021-05')).status)`;
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: caFile };
  const trusting = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { env });
  expect(trusting.stdout).toBe('401\n');

  running.ctrlC();
  expect(await running.exit).toBe(0);
  expect(existsSync(caFile!)).toBe(false);
  const [gone] = await once(connect(Number(port), '127.0.0.1'), 'error');
  expect(gone).toMatchObject({ code: 'ECONNREFUSED' });
});

test('prints what the administration client of the vendor needs, pasted into a shell', async () => {
  const running = start(['emulate', 'service-bus', '--port', '0']);
  await running.says('entities 0');
  const said = running.out();
  const [, connectionString] = /^connection string\s+(.+)$/m.exec(said) ?? [];
  const [, line] = /^for administration\s+(.+)$/m.exec(said) ?? [];
  const program = `
    import { ServiceBusAdministrationClient } from '@azure/service-bus';
    const client = new ServiceBusAdministrationClient('${connectionString}');
    await client.createQueue('pasted');
    console.log((await client.getQueueRuntimeProperties('pasted')).name);`;
  const cwd = fileURLToPath(new URL('../../service-bus', import.meta.url));
  const script = `${line}\n"$NODE" --input-type=module -e "$PROGRAM"`;
  const env = { ...process.env, NODE: process.execPath, PROGRAM: program };
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { cwd, env });
  expect(stdout).toBe('pasted\n');
  running.ctrlC();
  expect(await running.exit).toBe(0);
});

test('--json - tells programs', async () => {
  const running = start(['emulate', 'service-bus', '--port', '0', '--tier', 'premium', '--json', '-']);
  await running.says('"counts"');
  running.ctrlC();
  expect(await running.exit).toBe(0);
  await running.says('"stopped"');
  const lines = running.out().trim().split('\n');
  const counts = { entities: 0, active: 0, deadLettered: 0, scheduled: 0, connections: 0, billed: 0 };
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      event: 'started',
      service: 'service-bus',
      host: '127.0.0.1',
      port: expect.any(Number),
      url: expect.stringMatching(/^service-bus:Endpoint=sb:\/\/127\.0\.0\.1:\d+;/),
      tier: 'premium',
      caFile: expect.stringMatching(/\.pem$/),
      connectionString: expect.stringMatching(
        /SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=[^;]{20,}/,
      ),
    },
    { event: 'counts', ...counts },
    { event: 'stopped', ...counts },
  ]);
});

test.each([
  [['--host', '192.0.2.1', '--port', '0'], 'invalid-configuration: 192.0.2.1:0 is not an address of this machine'],
  [
    ['--config', 'missing.json', '--port', '0'],
    /invalid-configuration: \S+missing\.json: cannot be read: no such file\n/,
  ],
  [['--config', 'wrong.json', '--port', '0'], /wrong\.json: UserConfig: Namespaces is missing/],
])('%j is bad usage: %s', async (args, message) => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'wrong.json'), '{ "UserConfig": {} }');
  const { exit, out, err } = await polycast(['emulate', 'service-bus', ...args], { cwd });
  expect(err).toMatch(message);
  expect([exit, out]).toEqual([2, '']);
});

test('a port that is taken is said', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { exit, err } = await polycast(['emulate', 'service-bus', '--port', String(port)]);
  expect(err).toContain(`invalid-configuration: 127.0.0.1:${port} is already in use`);
  expect(exit).toBe(2);
});
