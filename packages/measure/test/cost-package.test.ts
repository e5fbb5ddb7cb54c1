import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WORKLOADS } from '@polycast/measure';
import { build } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { writeTables } from '../src/cost/docs.ts';

const folder = mkdtempSync(join(tmpdir(), 'polycast-bundle-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('prices and workloads travel inside a bundle, far from this folder', async () => {
  const outfile = join(folder, 'bundle.mjs');
  await build({
    stdin: {
      contents: `import { priceWorkload, WORKLOADS } from '@polycast/measure';
        console.log(priceWorkload(WORKLOADS['architecture-center']).at(-1).monthlyUsd);`,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    conditions: ['polycast-source'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    // Some dependencies are CommonJS and ask for \`require\`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    outfile,
  });
  expect(execFileSync(process.execPath, [outfile], { cwd: folder, encoding: 'utf8' }).trim()).toBe('192.08');
});

test('the tables of docs/cost.md are what the program writes (else: npm run docs)', () => {
  const page = readFileSync(new URL('../../../docs/cost.md', import.meta.url), 'utf8');
  // The formatter pads cells.
  const plain = (text: string) => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');
  expect(plain(writeTables(page, WORKLOADS))).toBe(plain(page));
});
