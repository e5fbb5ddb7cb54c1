import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '@polycast/local-services';
import { expect, it } from 'vitest';

/** In a process of its own, from the built package: what an attempt to connect leaves behind shows when the process should end. */
const LOAD = (name: string) => JSON.stringify(new URL(`../../${name}`, import.meta.url).href);

it('a process whose connect was refused ends as soon as the error is reported', async () => {
  const endpoint = `Endpoint=sb://127.0.0.1:${await freePort()}`;
  const program = `
    const { connect } = await import(${LOAD('core/dist/node/index.js')});
    const { serviceBus } = await import(${LOAD('service-bus/dist/index.js')});
    const connectionString = '${endpoint};SharedAccessKeyName=k;SharedAccessKey=a2V5;UseDevelopmentEmulator=true';
    const transport = serviceBus({ connectionString, operationTimeoutMs: 300_000, connectTimeoutMs: 300_000 });
    await connect({ transport, topic: 't', self: { role: 'r' } }).catch(({ code }) => console.log(code));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  const [code] = await once(child, 'close');
  expect({ code, out }).toEqual({ code: 0, out: 'unreachable\n' });
});
