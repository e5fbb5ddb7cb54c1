import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const program = fileURLToPath(new URL('./sdk-versions-program.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'polycast-sdks-'));
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_|POLYCAST_|NODE_OPTIONS|NODE_PATH|VITEST|FORCE_COLOR)/.test(name),
  ),
);
const quiet = ['--no-audit', '--no-fund', '--no-update-notifier'];

/** The ranges of an adapter's SDK, as it is published: `^5.9.0` and `^6.0.0`. */
function rangesOf(adapter: string, sdk: string): readonly string[] {
  const manifest = JSON.parse(readFileSync(join(root, `packages/${adapter}/package.json`), 'utf8'));
  return (manifest.peerDependencies[sdk] as string).split(' || ');
}

/** The oldest and the newest version of each range. */
const subjects = [
  { adapter: 'redis', sdk: 'ioredis', urls: ['redis', 'redis+streams'], ways: [''] },
  { adapter: 'service-bus', sdk: '@azure/service-bus', urls: ['service-bus'], ways: ['', 'public'] },
].flatMap(({ adapter, sdk, ...more }) =>
  rangesOf(adapter, sdk).flatMap((range) =>
    [range.slice(1), range].map((version) => ({ adapter, sdk, version, ...more })),
  ),
);

let isOnline = false;
beforeAll(async () => {
  if (!existsSync(join(root, 'packages/redis/dist/index.js')))
    throw new Error('build first: node scripts/pnpm.mjs build');
  isOnline = await run('npm', ['view', 'ioredis', 'version'], { env, timeout: 30_000 }).then(
    () => true,
    () => false,
  );
  if (!isOnline) return;
  const pack = ['scripts/pnpm.mjs', '-r', '--filter', './packages/*', 'pack', '--pack-destination', folder];
  await run(process.execPath, pack, { cwd: root, env });
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(subjects)('@polycast/$adapter with $sdk@$version', ({ adapter, sdk, version, urls, ways }) => {
  test('publishes, subscribes, shares in a group, comes back, and ends', async (context) => {
    if (!isOnline) return context.skip('not run: the npm registry cannot be reached');
    const project = join(folder, `${adapter}-${version.replace('^', 'newest-')}`);
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{"private":true,"type":"module"}');
    const packed = packedWith(['core', adapter, 'local-services']);
    await run('npm', ['install', ...quiet, ...packed, `${sdk}@${version}`], { cwd: project, env });
    const { version: installed } = manifestAt(join(project, 'node_modules', sdk));
    if (version === `^${installed}`) return context.skip(`${installed} is the oldest of its range, and the newest`);
    writeFileSync(join(project, 'program.mjs'), readFileSync(program));
    for (const way of ways) {
      const { stdout } = await run(process.execPath, ['program.mjs', sdk, ...urls], {
        cwd: project,
        env: { ...env, ...(way === '' ? {} : { POLYCAST_SERVICE_BUS_SDK: way }) },
        timeout: 150_000,
      });
      const report = JSON.parse(stdout);
      if (!version.startsWith('^')) expect(report.sdk).toBe(version);
      // On the public face of the SDK, what was being settled when the connection was lost may fail as everything closes.
      const unknown = /^unsupported/;
      const failed = (report.runs as { failed: readonly string[] }[]).map((one) =>
        one.failed.filter((message) => way === '' || unknown.test(message)),
      );
      expect(failed).toEqual(urls.map(() => []));
    }
  }, 400_000);
});

/** The tarballs of these packages of ours, and of all of ours that they depend on. */
function packedWith(names: readonly string[]): readonly string[] {
  const wanted = new Set<string>();
  const add = (name: string) => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const other of Object.keys(manifestAt(join(root, 'packages', name)).dependencies ?? {})) {
      if (other.startsWith('@polycast/')) add(other.slice('@polycast/'.length));
    }
  };
  names.forEach(add);
  const tarballs = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  return [...wanted].map((name) => {
    const file = tarballs.find((one) => new RegExp(`^polycast-${name}-\\d`).test(one));
    return join(folder, file as string);
  });
}

function manifestAt(path: string): { version: string; dependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
}
