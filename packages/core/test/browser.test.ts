import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { findChromium, freePort } from '@polycast/local-services';
import { type Browser, chromium } from 'playwright-core';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** What a page gets that uses the whole contract over the memory transport. */
const MAX_BUNDLE_BYTES = 25 * 1024;

const source = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

interface Bundle {
  /** By name; the program itself is `program.js`. */
  readonly files: ReadonlyMap<string, string>;
  /** What a page downloads to start: the program and what it imports statically. */
  readonly initial: readonly string[];
}

/** As bundlers do it: what is imported on demand is a file of its own. */
async function bundle(contents: string): Promise<Bundle> {
  const program = 'program.ts';
  const made = await rolldown({
    input: program,
    platform: 'browser',
    resolve: {
      conditionNames: ['polycast-source', 'browser', 'import', 'default'],
      alias: {
        '@polycast/core/adapter': source('core/src/adapter.ts'),
        '@polycast/core': source('core/src/index.ts'),
        '@polycast/memory': source('memory/src/index.ts'),
      },
    },
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === program ? id : undefined),
        load: (id) => (id === program ? contents : undefined),
      },
    ],
    logLevel: 'silent',
  });
  const { output } = await made.generate({ format: 'esm', minify: true });
  await made.close();
  const chunks = new Map(output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file] as const] : [])));
  const initial = new Set<string>();
  const visit = (name: string) => {
    if (initial.has(name)) return;
    initial.add(name);
    for (const next of chunks.get(name)!.imports) visit(next);
  };
  visit('program.js');
  return { files: new Map([...chunks].map(([name, { code }]) => [name, code])), initial: [...initial] };
}

const PROGRAM = `
  import { connect, PolycastError } from '@polycast/core';
  import * as adapter from '@polycast/memory';
  const { memory } = adapter;

  async function run() {
    const till = await connect({ transport: memory(), topic: 'orders', self: { role: 'till' } });
    const kitchen = await connect({ transport: memory(), topic: 'orders', self: { role: 'kitchen' } });
    const heard = [];
    let done;
    const both = new Promise((resolve) => { done = resolve; });
    await kitchen.subscribe(async (event, delivery) => {
      if (event.type === 'question') return delivery.reply({ answer: event.data.a + event.data.b });
      heard.push(event.data instanceof Uint8Array ? [...event.data] : event.data);
      if (heard.length === 2) done();
    });
    const fitting = [];
    await kitchen.subscribe((event) => { fitting.push(event.type); }, {
      filter: "type LIKE 'order.%' AND NOT EXISTS subject AND LENGTH(source) > 3",
    });
    await till.publish({ type: 'order.moved', data: { order: 1, note: 'ä😀' } }, { to: 'role:kitchen' });
    await till.publish({ type: 'photo', data: new Uint8Array([0, 255]) });
    await both;
    const replies = await till.request({ type: 'question', data: { a: 2, b: 3 } }, { to: 'role:kitchen', maxReplies: 1 });
    const refused = await connect({ url: 'redis://host', topic: 'orders' }).catch((error) => error);
    // Chosen by configuration, among the adapters that the page brings.
    const adapters = { memory: adapter };
    const byUrl = await connect({ url: 'memory:shop', topic: 'orders', adapters, self: { role: 'byurl' } });
    const unknown = await connect({ url: 'redis://host', topic: 'orders', adapters }).catch((error) => error);
    const lacking = await byUrl.subscribe(() => {}, { durable: true }).catch((error) => error);
    await byUrl.close();
    await Promise.all([till.close(), kitchen.close()]);
    return {
      heard,
      fitting,
      replies: replies.map((reply) => reply.data),
      refused: refused instanceof PolycastError && refused.code,
      unknown: unknown.message,
      lacking: lacking.message,
      process: typeof globalThis.process,
    };
  }
  globalThis.outcome = run().catch((error) => ({ error: String(error.stack ?? error) }));
`;

describe('the bundle', () => {
  test('of core and memory is small, and needs nothing of Node', async () => {
    const { files, initial } = await bundle(
      `export { connect } from '@polycast/core'; export { memory } from '@polycast/memory';`,
    );
    const texts = initial.map((name) => files.get(name)!);
    const bytes = texts.reduce((sum, text) => sum + gzipSync(text).length, 0);
    expect(bytes).toBeLessThanOrEqual(MAX_BUNDLE_BYTES);
    const text = texts.join('\n');
    expect([...files.values()].join('\n')).not.toMatch(/\b(?:eval|new Function)\s*\(/);
    expect(text).not.toMatch(/["']node:/);
    expect(text).not.toContain('opentelemetry');
  });
});

const executablePath = await findChromium();
if (executablePath === undefined) {
  if (process.env.CI === 'true') {
    test('a real browser', () => {
      throw new Error('no Chromium was found; install it or name one in POLYCAST_CHROMIUM');
    });
  } else test.skip('a real browser (not run: no Chromium was found)');
} else {
  describe('a real browser', () => {
    let browser: Browser;
    let server: Server;
    let port: number;

    beforeAll(async () => {
      const { files } = await bundle(PROGRAM);
      port = await freePort();
      server = createServer((request, response) => {
        const script = files.get(request.url?.slice(1) ?? '');
        response.setHeader('content-type', script === undefined ? 'text/html; charset=utf-8' : 'text/javascript');
        // No eval, no inline script, no other origin.
        response.setHeader('content-security-policy', "default-src 'none'; script-src 'self'");
        response.end(script ?? '<!doctype html><script type="module" src="/program.js"></script>');
      });
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
      browser = await chromium.launch({
        executablePath,
        args: [
          '--no-sandbox',
          '--disable-gpu',
          '--disable-quic',
          '--no-first-run',
          '--disable-background-networking',
          '--disable-component-update',
          '--disable-sync',
        ],
      });
    });

    afterAll(async () => {
      await browser?.close();
      await new Promise((resolve) => server.close(resolve));
    });

    test('publishes, subscribes and requests under a strict content security policy', async () => {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error' && !message.text().includes('favicon')) complaints.push(message.text());
      });
      await page.goto(`http://127.0.0.1:${port}/`);
      const outcome = await page.evaluate('globalThis.outcome');
      expect(outcome).toEqual({
        heard: [{ order: 1, note: 'ä😀' }, [0, 255]],
        fitting: ['order.moved'],
        replies: [{ answer: 5 }],
        refused: 'invalid-configuration',
        unknown: 'unknown-transport: unknown transport "redis:"; available: "memory"',
        lacking: expect.stringMatching(/^unsupported: .*; available on: redis\+streams, service-bus$/),
        process: 'undefined',
      });
      expect(complaints).toEqual([]);
    });
  });
}
