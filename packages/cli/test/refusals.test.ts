import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { emptyFolder, polycast } from './cli.ts';

let cwd: string;
/** Counts who connects: nobody may, before everything else has been checked. */
let connections = 0;
const server = createServer((socket) => {
  connections++;
  socket.destroy();
});
let url: string;

/** Made once: commands only read there, and are refused. */
const bad = mkdtempSync(join(tmpdir(), 'polycast-bad-'));

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `redis://127.0.0.1:${(server.address() as { port: number }).port}`;
  execFileSync('mkfifo', [join(bad, 'fifo')]);
  mkdirSync(join(bad, 'folder'));
  writeFileSync(join(bad, 'binary'), Buffer.from([0, 1, 2, 255]));
  writeFileSync(join(bad, 'latin1'), Buffer.from([0xe4, 0xf6]));
  writeFileSync(join(bad, 'huge'), '');
  truncateSync(join(bad, 'huge'), 1_000_000_000);
  writeFileSync(join(bad, 'events.json'), '{"a":1}');
});
afterAll(() => {
  server.close();
  rmSync(bad, { recursive: true });
});
beforeEach(() => {
  connections = 0;
  cwd = emptyFolder();
  vi.spyOn(process, 'cwd').mockReturnValue(cwd);
});
afterEach(() => vi.restoreAllMocks());

const READERS: readonly ((file: string) => readonly string[])[] = [
  (file) => ['cost', '--workload', file],
  (file) => ['cost', '--prices', file],
  (file) => ['compare', '--workload', file],
  (file) => ['filter', 'explain', 'a = 1', '--workload', file, '--events', 'events.json'],
  (file) => ['filter', 'eval', 'a = 1', '--event', file],
  (file) => ['emulate', 'service-bus', '--port', '0', '--config', file],
];
test.each([
  [
    ['pub', 'x'],
    undefined,
    'give --url or --name, set POLYCAST_URL, or run `polycast init` to write a configuration file',
  ],
  [['sub'], '{ "transports": {} }', 'give --url or --name, set POLYCAST_URL, or set "default" in polycast.config.json'],
])('%j without a transport is told the options of the command line', async (args, config, advice) => {
  if (config !== undefined) writeFileSync(join(cwd, 'polycast.config.json'), config);
  const { exit, out, err } = await polycast(args, { cwd });
  expect(err).toBe(`error: no transport selected: ${advice}\n`);
  expect([exit, out]).toEqual([2, '']);
});

test('--name without a configuration file', async () => {
  const { exit, out, err } = await polycast(['pub', 'x', '--name', 'live'], { cwd });
  expect(err).toMatch(/^error: --name "live" needs a configuration file, and there is no polycast\.config\.ts/);
  expect([exit, out]).toEqual([2, '']);
});

test.each([
  ...['fifo', 'huge'].flatMap((file) => READERS.map((args) => args(file))),
  ...['folder', 'binary', 'latin1', 'none', '/dev/zero'].map((file, at) => READERS[at % 5]!(file)),
])('%s %s … is refused: the file cannot be read', async (...args) => {
  const { exit, out, err } = await polycast(args, { cwd: bad });
  expect(err).toMatch(/cannot be read|not a regular file|it is too large/);
  expect(out).toBe('');
  expect(exit).toBe(2);
});

test.each(['polycast.config.json', 'polycast.config.mjs'])('a %s that is a pipe is refused', async (name) => {
  execFileSync('mkfifo', [join(cwd, name)]);
  const { exit, err } = await polycast(['pub', '--name', 'a', 'x'], { cwd });
  expect(err).toContain('not a regular file');
  expect(exit).toBe(2);
});

test.each(
  ['/dev/full', 'fifo'].flatMap((file) =>
    [
      ['cost', '--json', '/dev/null/out.json'],
      ['filter', 'eval', 'a = 1', '--event', 'events.json', '--json', 'folder'],
      ['conform', '--json', file],
      ['bench', '--json', file],
      ['compare', '--no-conformance', '--json', file],
      ['compare', '--no-conformance', '--html', file],
      ['sub', '--json', file],
      ['pub', 'x', '--json', file],
      ['doctor', '--json', file],
      ['cost', '--json', file],
      ['emulate', 'service-bus', '--port', '0', '--json', file],
    ].map((args) => [args]),
  ),
)('%j is refused before anything is done: the file cannot be written', async (args) => {
  const to = ['conform', 'bench', 'compare', 'sub', 'pub', 'doctor'].includes(args[0]!) ? ['--url', url] : [];
  const { exit, out, err } = await polycast([...args, ...to], { cwd: bad });
  expect(err).toContain('cannot be written');
  expect(out).toBe('');
  expect([exit, connections]).toEqual([2, 0]);
});

test.each([
  [['sub', '--from', '2026-13-45'], '--from'],
  [['sub', '--from', '2026-02-30'], '--from'],
  [['sub', '--from', '2026-02-03T25:00:00Z'], '--from'],
  [['sub', '--from', '12:30'], '--from'],
  [['sub', '--from', '1/2/2026'], '--from'],
  [['sub', '--from', 'earlist'], 'did you mean "earliest"'],
  [['sub', '--from', 'yesterday'], '--from'],
  [['sub', '--from', ''], '--from'],
  [['sub', '--topic', 'a b'], 'invalid-topic'],
  [['sub', '--role', 'a b'], 'invalid'],
  [['sub', '--instance', 'a\nb'], 'invalid'],
  [['sub', '--group', 'a b*'], 'group'],
  [['sub', '--where', 'x'], 'name=value'],
  [['sub', '--filter', 'a ='], 'invalid-filter'],
  [['sub', '--count', '0'], '--count'],
  [['sub', '--count', '0x10'], '--count'],
  [['sub', 'more'], 'too many arguments'],
  [['pub', 'x', '--attribute', 'Bad-Name=1'], 'invalid-event'],
  [['pub', 'x', '--attribute', 'specversion=2'], 'invalid-event'],
  [['pub', 'x', '--type', ''], 'invalid-event'],
  [['pub', 'x', '--key', ''], 'partitionKey'],
  [['pub', 'x', '--ttl', '0s'], '--ttl'],
  [['pub', 'x', '--ttl', '99999999999999d'], '--ttl'],
  [['pub', 'x', '--to', 'kitchen'], 'invalid-address'],
  [['pub', 'x', '--rate', 'Infinity'], '--rate'],
  [['pub', 'x', '--role', ''], 'invalid'],
  [['bench', '--bandwidth', 'Infinity'], '--bandwidth'],
  [['bench', '--loss', '1'], '--loss'],
  [['bench', '--payload', '3'], '--payload'],
  [['bench', '--duration', '1e99'], '--duration'],
  [['conform', '--only', 'no-such-case'], 'no-such-case'],
  [['conform', '--seed', '-1'], '--seed'],
  [['compare', '--subscribers', '1.5'], '--subscribers'],
])('%j is refused before anything connects', async (args, message) => {
  const { exit, out, err } = await polycast([...args, '--url', url], { cwd });
  expect(err).toContain(message);
  expect(out).toBe('');
  expect([exit, connections]).toEqual([2, 0]);
});

test.each([
  [['sub', '--tpoic', 'x'], '--topic'],
  [['pub', 'x', '--atribute', 'a=1'], '--attribute'],
  [['conform', '--locla'], '--local'],
  [['bench', '--durration', '1'], '--duration'],
  [['compare', '--no-conformence'], '--no-conformance'],
  [['cost', '--sevice', 'x'], '--service'],
  [['doctor', '--ulr', 'x'], '--url'],
  [['init', '--fromat', 'json'], '--format'],
  [['emulate', '--prot', '1'], '--port'],
  [['filter', 'eval', 'a = 1', '--evnt', 'x'], '--event'],
  [['filter', 'explian', 'a = 1'], 'explain'],
  [['confrom'], 'conform'],
])('%j names the nearest', async (args, nearest) => {
  const { exit, err } = await polycast(args, { cwd });
  expect(err).toContain(`Did you mean ${nearest}?`);
  expect(exit).toBe(2);
});

test('a file that is there keeps its content until there is something to write', async () => {
  writeFileSync(join(cwd, 'seen.jsonl'), 'before');
  expect((await polycast(['sub', '--url', 'redis://127.0.0.1:1', '--json', 'seen.jsonl'], { cwd })).exit).toBe(3);
  expect(readFileSync(join(cwd, 'seen.jsonl'), 'utf8')).toBe('before');
  expect((await polycast(['bench', '--url', 'redis://127.0.0.1:1', '--json', 'new/out.json'], { cwd })).exit).toBe(3);
  expect(existsSync(join(cwd, 'new'))).toBe(false);
});
