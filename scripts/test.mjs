// `npm test`: sets itself up, then runs every check and every test of the repository.
// The last line is `<n> passed, <n> failed[, <n> skipped]`; each check counts as one. Arguments go to vitest.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pnpm, root, run } from './pnpm.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'polycast-test-'));
const countsFile = join(scratch, 'counts.json');
const turbo = ['exec', 'turbo', 'run', '--output-logs', 'errors-only'];

const checks = [
  // Nothing else makes sense without these two.
  { name: 'install', needed: true, run: () => pnpm(['install', '--frozen-lockfile']) },
  { name: 'build', needed: true, run: () => pnpm([...turbo, 'build']) },
  { name: 'typecheck', run: () => pnpm(['exec', 'tsc', '-p', 'tsconfig.json']) },
  { name: 'lint and format', run: () => pnpm(['exec', 'biome', 'check', '.']) },
  { name: 'package exports', run: () => pnpm([...turbo, 'check:package']) },
  { name: 'package contents', run: () => run(process.execPath, [join(root, 'scripts/check-pack.mjs')]) },
];

const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
try {
  if (await runChecks()) await runTests();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (failures.length > 0) console.log(`\nfailed: ${failures.join(', ')}`);
console.log(`\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
process.exitCode = total.failed > 0 ? 1 : 0;

async function runChecks() {
  for (const check of checks) {
    const ok = await timed(check.name, check.run);
    if (ok) total.passed++;
    else total.failed++;
    if (!ok && check.needed) return false;
  }
  return true;
}

async function runTests() {
  const args = ['exec', 'vitest', 'run', ...process.argv.slice(2)];
  const ok = await timed('tests', () => pnpm(args, { env: { POLYCAST_TEST_COUNTS: countsFile } }));
  const counts = readCounts();
  total.passed += counts.passed;
  total.skipped += counts.skipped;
  // Red without a failed test (a crash, no test found) still shows as a failure.
  total.failed += ok ? counts.failed : Math.max(1, counts.failed);
}

async function timed(name, task) {
  console.log(`\n▸ ${name}`);
  const startedAt = performance.now();
  const { code } = await task();
  console.log(`${code === 0 ? '✓' : '✗'} ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  if (code !== 0) failures.push(name);
  return code === 0;
}

function readCounts() {
  try {
    return JSON.parse(readFileSync(countsFile, 'utf8'));
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}
