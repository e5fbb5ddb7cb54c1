import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ConformanceReport, runConformance } from '@polycast/conformance';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { expect, test, vi } from 'vitest';
import { eachAtMost } from '../src/compare/at-once.ts';
import { chooseSubjects, longestFirst } from '../src/compare/subject.ts';
import { conformApart } from '../src/conformance/apart.ts';
import { makeTarget } from '../src/conformance/target.ts';
import { emptyFolder } from './cli.ts';

const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url));
const never = new AbortController().signal;
/** A run of the whole suite over memory takes ten seconds alone. */
const RUN_MS = 90_000;

/** `polycast compare` in a process group of its own, which Ctrl-C reaches as a whole. */
function compareApart(args: string, cwd: string): { child: ChildProcess; err: () => string } {
  if (!existsSync(bin)) throw new Error('build first: node scripts/pnpm.mjs build');
  const { POLYCAST_REDIS_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, [bin, 'compare', '--no-latency', ...args.split(' ').filter(Boolean)], {
    cwd,
    detached: true,
    env: { ...env, TMPDIR: cwd },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let err = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return { child, err: () => err };
}

const ctrlC = ({ pid }: ChildProcess) => process.kill(-pid!, 'SIGINT');

/** A project with the adapter `dying`, whose harness comes to the end that the URL names. */
function projectOfTheDying(): string {
  const cwd = emptyFolder();
  const folder = join(cwd, 'node_modules/@polycast/dying');
  mkdirSync(folder, { recursive: true });
  const manifest = {
    name: '@polycast/dying',
    type: 'module',
    exports: { '.': './index.js', './conformance': './conformance.js' },
  };
  writeFileSync(join(cwd, 'package.json'), '{"private":true}');
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  const memory = new URL('../../memory/dist/index.js', import.meta.url).href;
  writeFileSync(
    join(folder, 'index.js'),
    `import { fromUrl as memory } from '${memory}';
     const { manifest } = memory(new URL('memory:'));
     export const fromUrl = () => ({ manifest: { ...manifest, transport: 'dying' }, open: async () => {} });`,
  );
  writeFileSync(
    join(folder, 'conformance.js'),
    `import { writeFileSync } from 'node:fs';
     const ends = {
       kill: () => process.kill(process.pid, 'SIGKILL'),
       exit: () => process.exit(7),
       throw: () => setImmediate(() => { throw new Error('lost redis://a:hunter2@host'); }),
       loop: () => { writeFileSync('looping', ''); for (;;); },
     };
     export const harness = ({ url }) => new Promise(() => ends[url.pathname]());`,
  );
  return cwd;
}

test(
  'two runs at once tell what one in this process tells',
  async () => {
    const percents: number[] = [];
    const apart = await eachAtMost(2, ['memory:', 'memory:'], never, (url) =>
      conformApart({ url, local: false }, never, ({ done, total }) => percents.push((100 * done) / total)),
    );
    const target = await makeTarget('memory:', { local: false });
    const here = await runConformance(target, { tryUnclaimed: false });
    await target.dispose?.();
    const comparable = ({ seed: _seed, durationMs: _ms, cases, ...rest }: ConformanceReport) => ({
      ...rest,
      cases: cases.map(({ durationMs: _, ...result }) => result),
    });
    expect(here.summary.passed).toBeGreaterThan(100);
    for (const outcome of apart) {
      if ('error' in outcome) throw outcome.error;
      expect(comparable(outcome.value)).toEqual(comparable(here));
    }
    expect([percents[0], percents.at(-1)]).toEqual([0, 100]);
  },
  RUN_MS,
);

test(
  'a process that dies is the error of its transport, and the others are told of',
  async () => {
    const cwd = projectOfTheDying();
    const urls = ['dying:kill', 'dying:exit', 'dying:throw', 'memory:'];
    const { child, err } = compareApart(urls.map((url) => `--url ${url}`).join(' '), cwd);
    expect(await once(child, 'close')).toEqual([1, null]);
    const { transports } = JSON.parse(readFileSync(join(cwd, 'report/compare.json'), 'utf8'));
    expect(transports).toMatchObject([
      { conforms: false, error: { code: 'internal', message: expect.stringContaining('SIGKILL') } },
      { conforms: false, error: { code: 'internal', message: expect.stringContaining('exit 7') } },
      { conforms: false, error: { code: 'internal', message: 'internal: lost redis://a:***@host' } },
      { name: 'memory', conforms: true, conformance: { summary: { failed: 0 } } },
    ]);
    expect(err()).not.toContain('hunter2');
  },
  RUN_MS,
);

test('what a target cannot do comes over with its code, without its password', async () => {
  const url = 'redis://a:hunter2@127.0.0.1:1';
  const failed = await conformApart({ url, local: false }, never, () => {}).catch((error) => error);
  expect(failed).toMatchObject({ name: 'PolycastError', code: 'unreachable' });
  expect(failed.message).toMatch(/^unreachable: (?!unreachable)/);
  expect(failed.message).not.toContain('hunter2');
});

/** A project with the adapter `deadly`: memory, but what one case publishes does what the URL names to the process. */
function projectOfTheDeadly(): string {
  const cwd = emptyFolder();
  const folder = join(cwd, 'node_modules/@polycast/deadly');
  mkdirSync(folder, { recursive: true });
  const exports = { '.': './index.js', './conformance': './conformance.js' };
  writeFileSync(join(cwd, 'package.json'), '{"private":true}');
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: '@polycast/deadly', type: 'module', exports }));
  const memory = new URL('../../memory/dist/index.js', import.meta.url).href;
  writeFileSync(
    join(folder, 'index.js'),
    `import { fromUrl as memory } from '${memory}';
     const deeds = {
       kill: () => process.kill(process.pid, 'SIGKILL'),
       spin: () => { const again = () => Promise.resolve().then(again); again(); },
     };
     export function fromUrl(url) {
       const transport = memory(new URL('memory:'));
       const open = async (context) => {
         const link = await transport.open(context);
         return new Proxy(link, {
           get(_, name) {
             const member = Reflect.get(link, name);
             if (name !== 'publish') return typeof member === 'function' ? member.bind(link) : member;
             return (batch) => {
               if (batch.some(({ event }) => event.type === 'küche.bestellung')) deeds[url.pathname]();
               return link.publish(batch);
             };
           },
         });
       };
       return { ...transport, manifest: { ...transport.manifest, transport: 'deadly' }, open };
     }`,
  );
  writeFileSync(
    join(folder, 'conformance.js'),
    `import { fromUrl } from './index.js';
     export const harness = async ({ url }) => ({ name: 'deadly', transport: () => fromUrl(url) });`,
  );
  return cwd;
}

test.each([
  ['kill', /SIGKILL/, 'payloads', 30],
  // How long it takes until that is sure is waited for once.
  ['spin', /did not respond for \d+ s/, 'payloads/unicode-attributes', 0],
])(
  'a case whose process dies (%s) fails by name, and the others have their results',
  async (deed, reason, only, others) => {
    const cwd = projectOfTheDeadly();
    const args = ['conform', '--url', `deadly:${deed}`, '--only', only, '--json', 'report.json', '--seed', '7'];
    const child = spawn(process.execPath, [bin, ...args], { cwd, stdio: 'ignore' });
    expect(await once(child, 'close')).toEqual([1, null]);
    const report: ConformanceReport = JSON.parse(readFileSync(join(cwd, 'report.json'), 'utf8'));
    expect(report.cases.filter(({ status }) => status === 'failed')).toMatchObject([
      { id: 'payloads/unicode-attributes', clause: 'payloads.3', grade: 'MUST', reason: expect.stringMatching(reason) },
    ]);
    expect(report).toMatchObject({ transport: 'deadly', seed: 7, summary: { failed: 1 } });
    expect(report.summary.passed).toBeGreaterThanOrEqual(others);
  },
  RUN_MS,
);

test('Ctrl-C ends the runs, and their servers go with them', async () => {
  const cwd = emptyFolder();
  const { child, err } = compareApart('', cwd);
  const begun = ['conformance redis …', 'conformance redis+streams …'];
  await vi.waitFor(() => expect(begun.every((line) => err().includes(line))).toBe(true), 15_000);
  expect(readdirSync(cwd).filter((name) => name.startsWith('polycast-redis-'))).toHaveLength(3);
  ctrlC(child);
  // The children hold the same stderr: it closes with the last of them.
  expect(await once(child, 'close')).toEqual([130, null]);
  expect(readdirSync(cwd)).toEqual([]);
});

test('Ctrl-C leaves nothing of a run on a server of others', async () => {
  await using server = await startRedis();
  const url = server.url.replace('redis', 'redis+streams');
  const { child } = compareApart(`--url ${url}`, emptyFolder());
  await vi.waitFor(async () => expect(await keysOf(server)).toContain('polycast:{conformance-'), 15_000);
  ctrlC(child);
  expect(await once(child, 'close')).toEqual([130, null]);
  expect(await keysOf(server)).toBe('*0\r\n');
}, 30_000);

/** As the server sends it. */
async function keysOf({ port }: RedisServer): Promise<string> {
  const socket = createConnection({ host: '127.0.0.1', port }).setEncoding('utf8');
  let answer = '';
  socket.on('data', (text: string) => {
    answer += text;
  });
  socket.end('KEYS *\r\n');
  await once(socket, 'close');
  return answer;
}

test('a second Ctrl-C ends a run that is caught in a loop', async () => {
  const cwd = projectOfTheDying();
  const { child } = compareApart('--url dying:loop', cwd);
  await vi.waitFor(() => expect(existsSync(join(cwd, 'looping'))).toBe(true), 15_000);
  // Signals that come together count as one.
  const insisting = setInterval(() => ctrlC(child), 100);
  child.once('exit', () => clearInterval(insisting));
  expect(await once(child, 'close')).toEqual([130, null]);
});

test('nothing begins after an interrupt', async () => {
  const interrupt = new AbortController();
  const begun: number[] = [];
  const all = eachAtMost(2, [1, 2, 3], interrupt.signal, async (item) => {
    begun.push(item);
    interrupt.abort();
  });
  await expect(all).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  expect(begun).toEqual([1]);
  await expect(conformApart({ url: 'memory:', local: false }, interrupt.signal, () => {})).rejects.toMatchObject({
    code: 'aborted',
  });
});

test('the longest run begins first', async () => {
  const urls = ['memory:', 'redis://localhost', 'redis+streams://localhost'];
  const { list } = await chooseSubjects(urls, {} as never);
  expect(longestFirst(list).map(({ name }) => name)).toEqual(['redis+streams', 'redis', 'memory']);
});
