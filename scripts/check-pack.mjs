// Packs every publishable package and checks what users would download: all of what they need, nothing else.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pnpm, root, run } from './pnpm.mjs';

/** Code in both forms, what a package says of itself, and data that people are meant to read (prices, workloads, clauses). */
const ALLOWED = /^(dist|src|prices|workloads)\/|^((README|CHANGELOG|CLAUSES)\.md|LICENSE|package\.json)$/;
const NEVER = /\.(test|spec)\.|\.tsbuildinfo$|(^|\/)(\.env|node_modules)/;
const REQUIRED = ['package.json', 'LICENSE', 'src/index.ts', 'dist/index.js', 'dist/index.d.ts'];

const folder = mkdtempSync(join(tmpdir(), 'polycast-pack-'));
let problems = 0;
try {
  const packages = readdirSync(join(root, 'packages'));
  const isPrivate = (name) => manifestOf(name).private === true;
  const filters = packages.filter((name) => !isPrivate(name)).flatMap((name) => ['--filter', `./packages/${name}`]);
  const packed = await pnpm(['-r', ...filters, 'pack', '--pack-destination', folder], { capture: true });
  if (packed.code !== 0) complain('pnpm pack', packed.output);
  const tarballs = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  const expected = filters.length / 2;
  if (tarballs.length !== expected) complain('pnpm pack', `${tarballs.length} tarballs for ${expected} packages`);
  for (const tarball of tarballs) await checkTarball(tarball);
  if (problems === 0) console.log(`${tarballs.length} packages hold what they should`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = problems > 0 ? 1 : 0;

async function checkTarball(tarball) {
  const listed = await run('tar', ['-tzf', join(folder, tarball)], { capture: true });
  if (listed.code !== 0) return complain(tarball, listed.output);
  const files = listed.output
    .split('\n')
    .filter(Boolean)
    .map((path) => path.replace(/^package\//, ''));
  for (const file of files) {
    if (!ALLOWED.test(file) || NEVER.test(file)) complain(tarball, `must not hold ${file}`);
  }
  for (const file of REQUIRED) if (!files.includes(file)) complain(tarball, `lacks ${file}`);

  const manifest = JSON.parse(
    (await run('tar', ['-xzOf', join(folder, tarball), 'package/package.json'], { capture: true })).output,
  );
  for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    if (/^(workspace|file|link|git|https?):/.test(range))
      complain(tarball, `depends on ${name}@${range}, which no registry has`);
  }
}

function manifestOf(name) {
  return JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'));
}

function complain(where, what) {
  problems++;
  console.error(`${where}: ${what}`);
}
