import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'polycast-packed-'));
const project = join(folder, 'project');
/** Without what the workspace's own run put there (pnpm names its own packages in NODE_PATH), and without a screen. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_|POLYCAST_|NODE_OPTIONS|NODE_PATH|VITEST|FORCE_COLOR)/.test(name),
  ),
);

/** What somebody gets who installs the published packages in an empty folder. */
beforeAll(async () => {
  if (!existsSync(join(root, 'packages/cli/dist/bin.js'))) throw new Error('build first: node scripts/pnpm.mjs build');
  const isPrivate = (name: string) =>
    JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')).private === true;
  const published = readdirSync(join(root, 'packages')).filter((name) => !isPrivate(name));
  const filters = published.flatMap((name) => ['--filter', `./packages/${name}`]);
  const pack = ['scripts/pnpm.mjs', '-r', ...filters, 'pack', '--pack-destination', folder];
  await run(process.execPath, pack, { cwd: root, env });
  const tarballs = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"private":true}');
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--prefer-offline'];
  await run('npm', ['install', ...quiet, ...tarballs.map((name) => join(folder, name))], { cwd: project, env });
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `npx polycast …` in that folder. */
async function polycast(...args: string[]): Promise<string> {
  return (await run('npx', ['--no-install', 'polycast', ...args], { cwd: project, env, timeout: 60_000 })).stdout;
}

test('polycast --help', async () => {
  expect(await polycast('--help')).toContain('compare');
});

test('polycast filter explain, also for services whose packages are private', async () => {
  const explained = await polycast('filter', 'explain', "region = 'eu'");
  for (const name of ['service-bus-sql', 'event-grid', 'ably', 'redis-channel', 'signalr-group']) {
    expect(explained).toContain(`(${name})`);
  }
});

test('polycast cost', async () => {
  expect(await polycast('cost')).toContain('service-bus');
});

test('polycast conform --url memory:', async () => {
  await polycast('conform', '--url', 'memory:', '--only', 'addressing', '--json', 'out/report.json');
  const { summary } = JSON.parse(readFileSync(join(project, 'out/report.json'), 'utf8'));
  expect(summary).toMatchObject({ failed: 0 });
  expect(summary.passed).toBeGreaterThan(5);
});

test('polycast bench --url memory:', async () => {
  const json = await polycast(...'bench --url memory: --rate 100 --duration 0.2 --throughput 0 --json -'.split(' '));
  expect(JSON.parse(json)).toMatchObject({ sent: 20, lost: 0 });
});

describe('in a project that has adapters, and no command line', () => {
  const other = join(folder, 'other');
  beforeAll(() => {
    for (const name of ['core', 'catalogue', 'memory']) {
      const path = `node_modules/@polycast/${name}`;
      cpSync(join(project, path), join(other, path), { recursive: true });
    }
    cpSync(join(project, 'node_modules/@standard-schema'), join(other, 'node_modules/@standard-schema'), {
      recursive: true,
    });
    writeFileSync(join(other, 'package.json'), '{"private":true}');
  });
  const there = (...args: string[]) =>
    run(process.execPath, [join(project, 'node_modules/.bin/polycast'), ...args], {
      cwd: other,
      env: { ...env, POLYCAST_URL: 'memory:' },
      timeout: 60_000,
    });

  test.each([
    ['conform', '--url', 'memory:', '--only', 'addressing'],
    ['bench', '--rate', '100', '--duration', '0.2', '--throughput', '0'],
    ['pub', 'hello'],
    ['doctor'],
  ])('polycast %s uses its own, and says so', async (...args) => {
    const { stderr } = await there(...args);
    expect(stderr).toContain('using @polycast/memory of this command line');
  });
});

test('a program learns which transport it may have meant, or needs', async () => {
  const program = `
    import { connect } from '@polycast/core';
    import * as memory from '@polycast/memory';
    const failure = (promise) => promise.then(String, (error) => error.message);
    console.log(await failure(connect({ url: 'reddis://host', topic: 't' })));
    const broadcaster = await connect({ url: 'memory:', topic: 't', adapters: { memory } });
    console.log(await failure(broadcaster.subscribe(() => {}, { durable: true })));
    await broadcaster.close();
  `;
  writeFileSync(join(project, 'meant.mjs'), program);
  const { stdout } = await run(process.execPath, ['meant.mjs'], { cwd: project, env });
  const [unknown, lacking] = stdout.split('\n');
  expect(unknown).toBe('unknown-transport: unknown transport "reddis:"; did you mean "redis" or "rediss"?');
  expect(lacking).toMatch(/^unsupported: .*; available on: redis\+streams, service-bus$/);
});

test('init, then a program that connects by name', async () => {
  await polycast('init', '--format', 'mjs', '--name', 'local', '--url', 'memory:');
  const program = `
    import { connect } from '@polycast/core';
    const broadcaster = await connect({ name: 'local', topic: 't' });
    console.log(broadcaster.manifest.transport);
    await broadcaster.close();
  `;
  writeFileSync(join(project, 'program.mjs'), program);
  expect((await run(process.execPath, ['program.mjs'], { cwd: project, env })).stdout).toBe('memory\n');
});
