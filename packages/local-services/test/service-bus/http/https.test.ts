import { execFile } from 'node:child_process';
import { Agent, request as httpsRequest } from 'node:https';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HttpNamespace } from './namespace.ts';

const CLIENT = fileURLToPath(new URL('./unmodified-client.mjs', import.meta.url));

let namespace: HttpNamespace;

beforeAll(async () => {
  namespace = await HttpNamespace.start();
  for (const name of ['a', 'b', 'c', 'd']) namespace.broker.entities.createQueue(name);
});
afterAll(() => namespace.close());

it("serves the vendor's unmodified administration client over HTTPS, in a process that trusts the test authority", async () => {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: await namespace.tls.caFile() };
  const { stdout } = await promisify(execFile)(process.execPath, [CLIENT, namespace.connectionString()], { env });
  expect(JSON.parse(stdout)).toEqual(['$Default', 'red', 4, 'PT30S', 2, 2, 1, false, 'localhost']);
});

it('says https in the URLs that lead back', async () => {
  const { caCert } = (await namespace.tls.identity()) as unknown as { caCert: string };
  const agent = new Agent({ keepAlive: true, ca: caCert });
  const ask = (path: string) =>
    new Promise<string>((resolve, reject) => {
      const headers = { Authorization: namespace.token() };
      httpsRequest({ host: 'localhost', port: namespace.port, path, headers, agent }, async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve(text);
      })
        .on('error', reject)
        .end();
    });
  expect(await ask('/a')).toContain(`<id>https://${namespace.host}/a?api-version=2017-04</id>`);
  expect(await ask('/$Resources/Queues?$top=1')).toContain(
    `<link rel="next" href="https://${namespace.host}/$Resources/Queues?`,
  );
  agent.destroy();
});
