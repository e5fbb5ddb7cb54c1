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
/** Versions are exact: what is known of them may be of yesterday. */
const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--prefer-offline'];

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

/** The newest version that the registry has of each range. Undefined: it cannot be reached. */
let newest: ReadonlyMap<string, string> | undefined;
beforeAll(async () => {
  if (!existsSync(join(root, 'packages/redis/dist/index.js')))
    throw new Error('build first: node scripts/pnpm.mjs build');
  const ranges = subjects
    .filter(({ version }) => version.startsWith('^'))
    .map(({ sdk, version }) => `${sdk}@${version}`);
  newest = await Promise.all(ranges.map(async (range) => [range, await newestOf(range)] as const)).then(
    (found) => new Map(found),
    () => undefined,
  );
  if (newest === undefined) return;
  const pack = ['scripts/pnpm.mjs', '-r', '--filter', './packages/*', 'pack', '--pack-destination', folder];
  await run(process.execPath, pack, { cwd: root, env });
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function newestOf(range: string): Promise<string> {
  // A busy machine takes long to start it; without a network it gives up after seconds.
  const view = ['view', range, 'version', '--json', '--fetch-retries', '1'];
  const { stdout } = await run('npm', view, { env, timeout: 90_000 });
  const versions: string | readonly string[] = JSON.parse(stdout);
  return typeof versions === 'string' ? versions : (versions.at(-1) as string);
}

describe.each(subjects)('@polycast/$adapter with $sdk@$version', ({ adapter, sdk, version, urls, ways }) => {
  test('publishes, subscribes, shares in a group, comes back, and ends', async (context) => {
    if (newest === undefined) return context.skip('not run: the npm registry cannot be reached');
    const exact = newest.get(`${sdk}@${version}`) ?? version;
    if (version === `^${exact}`) return context.skip(`${exact} is the oldest of its range, and the newest`);
    // One for all versions of an SDK: what they have in common is installed once.
    const project = join(folder, adapter);
    mkdirSync(project, { recursive: true });
    writeFileSync(join(project, 'package.json'), '{"private":true,"type":"module"}');
    const packed = packedWith(['core', adapter, 'local-services']);
    await run('npm', ['install', ...quiet, ...packed, `${sdk}@${exact}`], { cwd: project, env });
    expect(manifestAt(join(project, 'node_modules', sdk)).version).toBe(exact);
    writeFileSync(join(project, 'program.mjs'), readFileSync(program));
    for (const way of ways) {
      const { stdout } = await run(process.execPath, ['program.mjs', sdk, ...urls], {
        cwd: project,
        env: { ...env, ...(way === '' ? {} : { POLYCAST_SERVICE_BUS_SDK: way }) },
        timeout: 150_000,
      });
      const report = JSON.parse(stdout);
      expect(report.sdk).toBe(exact);
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
