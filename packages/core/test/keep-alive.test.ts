import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/**
 * A promise of the API that is awaited keeps the process alive until it settles; subscriptions alone do not. Each program runs in a
 * process of its own, from the built packages, and must print DONE before it ends by itself.
 */
const LOAD = (name: string) => JSON.stringify(new URL(`../../${name}`, import.meta.url).href);

function run(body: string): Promise<{ code: number | null; out: string }> {
  const program = `
    const { connect } = await import(${LOAD('core/dist/node/index.js')});
    const { memory } = await import(${LOAD('memory/dist/index.js')});
    const b = await connect({ transport: memory(), topic: 't', self: { role: 'k' }, carbonCopy: true });
    ${body}
    console.log('DONE');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (out += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out })));
}

test.concurrent.each([
  ['a request', `await b.request({ type: 'q' }, { timeoutMs: 50 });`],
  [
    'a request that is read',
    `for await (const reply of b.request({ type: 'q' }, { timeoutMs: 50 })) console.log(reply);`,
  ],
  [
    'close with a handler that never returns',
    `await b.subscribe(() => new Promise(() => {})); await b.publish({ type: 'x' }); await b.close({ drainMs: 50 });`,
  ],
  [
    'drain while a retry waits',
    `let n = 0;
     const sub = await b.subscribe(() => { if (++n < 2) throw new Error('not yet'); }, { retry: { maxAttempts: 3, baseMs: 50 } });
     await b.publish({ type: 'x' });
     await sub.drain();
     if (n < 2) throw new Error('too early');`,
  ],
  [
    'a publish that waits for room',
    `await b.subscribe(() => new Promise((resolve) => setTimeout(resolve, 30).unref()), { bufferSize: 1 });
     await Promise.all(Array.from({ length: 4 }, () => b.publish({ type: 'x' })));`,
  ],
  [
    'a loop',
    `const sub = await b.subscribe();
     setTimeout(() => b.publish({ type: 'x' }), 50).unref();
     for await (const delivery of sub) { if (delivery.event.type === 'x') break; }`,
  ],
])(
  '%s',
  async (_, body) => {
    expect(await run(body)).toEqual({ code: 0, out: 'DONE\n' });
  },
  60_000,
);

test.concurrent('a subscription with a handler does not', async () => {
  const { code, out } = await run(`await b.subscribe(() => {});`);
  expect({ code, out }).toEqual({ code: 0, out: 'DONE\n' });
}, 60_000);
