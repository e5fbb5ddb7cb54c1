import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseWorkload, WORKLOADS } from '@polycast/measure';
import { build } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { writeTables } from '../src/cost/docs.ts';
import { WorkloadSchema } from '../src/cost/workload.ts';

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

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

test('the README names every key of a workload, and its example is one', () => {
  for (const key of Object.keys(WorkloadSchema.entries)) expect(readme).toContain(`\`${key}`);
  const example = /```yaml\n([\s\S]*?)```/.exec(readme)![1]!;
  expect(parseWorkload(example).name).toBe('Order tracking');
});

test('the tables of docs/cost.md are what the program writes (else: npm run docs)', () => {
  const page = readFileSync(new URL('../../../docs/cost.md', import.meta.url), 'utf8');
  // The formatter pads cells.
  const plain = (text: string) => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');
  expect(plain(writeTables(page, WORKLOADS))).toBe(plain(page));
});
