import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { hideSecrets, knownSecrets, withoutSecrets } from '../src/output/secrets.ts';
import { emptyFolder, polycast } from './cli.ts';

let cwd: string;
beforeEach(() => {
  cwd = emptyFolder();
  vi.spyOn(process, 'cwd').mockReturnValue(cwd);
});
afterEach(() => vi.restoreAllMocks());

/** Letters and digits in turns: no part of it is a word. */
const mark = fc.stringMatching(/^[a-z][0-9][A-Z][0-9][a-z]{2}[0-9][A-Z]{2}[0-9][a-z]$/);
const secret = fc
  .tuple(mark, fc.constantFrom('', '@', ':', '/', '?', '#', '=', '%40', '+'), mark)
  .map(([first, between, second]) => ({ marks: [first, second], text: `${first}${between}${second}` }));

/** Nothing listens there. */
const HOST = '127.0.0.1:1';
const URLS: readonly ((secret: string) => string)[] = [
  (s) => `redis://:${s}@${HOST}`,
  (s) => `redis://user:${s}@${HOST}`,
  (s) => `redis+streams://${s}@${HOST}`,
  (s) => `redis//:${s}@${HOST}`,
  (s) => `redis:/:${s}@${HOST}`,
  (s) => `redi://:${s}@${HOST}`,
  (s) => `:${s}@${HOST}`,
  (s) => `${s}@${HOST}`,
  (s) => `default:${s}@${HOST}`,
  (s) => s,
  (s) => `redis://${HOST}:${s}`,
  (s) => `redis://${HOST}?${s}=1`,
  (s) => `redis://${HOST}?password=${s}`,
  (s) => `redis://${HOST}?prefix=x#${s}`,
  (s) => `redis%3A%2F%2F%3A${s}%40host`,
  (s) => `${HOST},password=${s},ssl=True`,
  (s) => `Endpoint=sb://${HOST}/;SharedAccessKeyName=n;SharedAccessKey=${s}`,
  (s) => `Endpont=sb://${HOST}/;SharedAccessKeyName=n;SharedAccessKey=${s}`,
  (s) => `service-bus://n:${s}@${HOST}?nope=1`,
  (s) => `memory:${s}?nope=${s}`,
];
const COMMANDS: readonly ((url: string) => { args: readonly string[]; env?: Record<string, string> })[] = [
  (url) => ({ args: ['pub', '--url', url, 'x'] }),
  (url) => ({ args: ['pub', `--url=${url}`, '--verbose', 'x'] }),
  (url) => ({ args: ['sub', `-u${url}`, '--filter', 'a ='] }),
  (url) => ({ args: ['sub', '--durable', '--url', url] }),
  (url) => ({ args: ['pub', '--name', url, 'x'] }),
  (url) => ({ args: ['pub', '--topic', `redis://${url}`, '--url', 'memory:', 'x'] }),
  (url) => ({ args: ['pub', '--to', `:${url}@h`, '--url', 'memory:', 'x'] }),
  (url) => ({ args: ['bench', '--rate', `redis://${url}`] }),
  (url) => ({ args: ['bench', '--warm-up', '0', '--duration', '0.1', '--json', '-', '--url', url, '--delay', 'x'] }),
  (url) => ({ args: ['conform', '--only', 'no-such-case', '--url', url] }),
  (url) => ({ args: ['conform', '--only', 'no-such-case', '--local', '--url', url] }),
  (url) => ({ args: ['compare', '--no-latency', '--no-conformance', '--workload', 'none', '--url', url] }),
  (url) => ({ args: ['init', '--json', '-', '--url', url] }),
  (url) => ({ args: ['emulate', `//${url}@h`] }),
  (url) => ({ args: [`redis://${url}`] }),
  (url) => ({ args: ['pub', `--url:${url}`] }),
  (url) => ({ args: ['sub', 'one', `x:${url}@h`, '--verbose'] }),
  (url) => ({ args: ['pub', 'x', '--verbose'], env: { POLYCAST_URL: url } }),
  (url) => ({ args: ['bench'], env: { POLYCAST_URL: url } }),
  (url) => ({ args: ['compare', '--no-latency', '--no-conformance'], env: { POLYCAST_REDIS_URL: url } }),
];

test('no command shows a secret of what it was given as a URL', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...COMMANDS),
      fc.constantFrom(...URLS),
      secret,
      async (command, url, { marks, text }) => {
        const { args, env } = command(url(text));
        const { out, err } = await polycast(args, { cwd, ...(env && { env }) });
        for (const one of marks) {
          expect(`${out}${err}`.toLowerCase(), args.join(' ')).not.toContain(one.toLowerCase());
        }
      },
    ),
    { numRuns: 120 },
  );
}, 60_000);

test.each(URLS.flatMap((url, at) => (at % 2 === 0 ? [[url('k3Y9xQ2z'), at % 4 === 0] as const] : [])))(
  'doctor finds the fault of %s, and does not show it',
  async (text, asJson) => {
    const args = asJson ? ['doctor', '--json', '-', '--url', text] : ['doctor', '--url', text];
    const { exit, out, err } = await polycast(args, { cwd, env: { POLYCAST_URL: text } });
    expect(`${out}${err}`.toLowerCase()).not.toContain('k3y9xq2z');
    expect(exit).toBe(1);
    expect(out).toMatch(asJson ? /POLYCAST_URL",\n *"status": "problem/ : /✗ POLYCAST_URL/);
  },
);

test('doctor shows no secret of the configuration file', async () => {
  writeFileSync(
    join(cwd, 'polycast.config.json'),
    JSON.stringify({
      transports: { a: `redis://:k3Y9xQ2z@${HOST}`, b: ':k3Y9xQ2z@host', c: `redis://${HOST}?k3Y9xQ2z=1` },
    }),
  );
  const { exit, out, err } = await polycast(['doctor'], { cwd });
  expect(exit).toBe(1);
  expect(`${out}${err}`.toLowerCase()).not.toContain('k3y9xq2z');
});

test('a URL whose password is an environment variable is written down', async () => {
  const url = ['redis://:$', '{REDIS_PASSWORD}@cache:6379'].join('');
  expect((await polycast(['init', '--url', url], { cwd })).exit).toBe(0);
});

test('a secret is hidden in whatever servers and drivers say', () => {
  const known = knownSecrets(['pub', '-uredis://u:hunter2x9@h', 'x'], { POLYCAST_URL: 'redis://:corre%40ct@h' });
  expect(hideSecrets('WRONGPASS hunter2x9, corre@ct, corre%40ct', known)).toBe('WRONGPASS ***, ***, ***');
  expect(withoutSecrets({ a: [{ reason: 'no hunter2x9', limit: Number.POSITIVE_INFINITY }] }, known)).toEqual({
    a: [{ reason: 'no ***', limit: Number.POSITIVE_INFINITY }],
  });
});
