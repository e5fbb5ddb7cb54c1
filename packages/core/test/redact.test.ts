import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PolycastError } from '../src/adapter.ts';
import { redactText, redactUrl, secretsOf } from '../src/configuration/redact.ts';
import { resolveTransport } from '../src/configuration/resolve.ts';
import { type Address, connect } from '../src/index.ts';
import { LoopTransport } from './loop-transport.ts';

let project: string;
beforeEach(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'polycast-')));
  vi.spyOn(process, 'cwd').mockReturnValue(project);
  vi.stubEnv('POLYCAST_URL', undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(project, { recursive: true });
});

function put(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, name)), { recursive: true });
    writeFileSync(join(project, name), text);
  }
}

/** Looks like a key: letters and digits in turns, so that no part of it is a word. */
const mark = fc.stringMatching(/^[a-z][0-9][A-Z][0-9][a-z]{2}[0-9][A-Z]{2}[0-9][a-z]$/);

/** Every position in which a secret may stand in what is pasted as a URL, with scheme, without it and with it misspelt. */
const POSITIONS: readonly ((secret: string) => string)[] = [
  (s) => `redis://:${s}@host:6379/0`,
  (s) => `redis://user:${s}@host`,
  (s) => `redis://${s}@host`,
  (s) => `redis://${s}:@host`,
  (s) => `redis://user:${s}`,
  (s) => `redis://:${s}`,
  (s) => `redis//:${s}@host`,
  (s) => `redis:/:${s}@host`,
  (s) => `redis:user:${s}@host`,
  (s) => `redis:://:${s}@host`,
  (s) => `redis;//:${s}@host`,
  (s) => `redis : //:${s}@host`,
  (s) => `://:${s}@host`,
  (s) => `//user:${s}@host`,
  (s) => `:${s}@host`,
  (s) => `${s}@host:6379`,
  (s) => `default:${s}@host:6379`,
  (s) => `default:${s}`,
  (s) => `host:6379:${s}`,
  (s) => s,
  (s) => `"redis://:${s}@host"`,
  (s) => `POLYCAST_URL=redis://:${s}@host`,
  (s) => `redis-cli -h host -a ${s}`,
  (s) => `redis://host:${s}`,
  (s) => `redis://host:${s}/0`,
  (s) => `redis://host/${s}`,
  (s) => `redis://host?${s}`,
  (s) => `redis://host?${s}=1`,
  (s) => `redis://host?password=${s}`,
  (s) => `redis://host?p%61ssw%6Frd=${s}`,
  (s) => `redis://host?code=${s}&family=6`,
  (s) => `redis://host?x=${s}`,
  (s) => `redis://host#${s}`,
  (s) => `redis://host#access_token=${s}`,
  (s) => `redis%3A%2F%2F%3A${s}%40host`,
  (s) => `${s}://host`,
  (s) => `host:6380,password=${s},ssl=True`,
  (s) => `password=${s}`,
  (s) => `Endpoint=sb://host/;SharedAccessKeyName=n;SharedAccessKey=${s}`,
  (s) => `Endpont=sb://host/;SharedAccessKeyName=n;SharedAccesKey=${s};EntityPath=x`,
  (s) => `service-bus:Endpoint=sb://host/;SharedAccessSignature=SharedAccessSignature sr=h&sig=${s}&se=1`,
  (s) => `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${s}==`,
  (s) => `sb://n:${s}@host/x`,
  (s) => `ably:app.kid:${s}`,
  (s) => `ably://app.kid:${s}@`,
];

/** The secret alone, and with characters in it that end a part of a URL, as they are and percent-encoded. */
const url = fc
  .tuple(
    fc.constantFrom(...POSITIONS),
    mark,
    mark,
    fc.constantFrom('', '@', ':', '/', '?', '#', '=', '%40', '+', ',', ' '),
  )
  .map(([at, first, second, between]) => {
    const secret = `${first}${between}${second}`;
    return { secrets: [first, second], secret, text: at(secret) };
  });

function expectNone(shown: string, secrets: readonly string[], of: string): void {
  for (const secret of secrets) expect(shown.toLowerCase(), of).not.toContain(secret.toLowerCase());
}

test('no secret survives in an address, wherever it stands', () => {
  fc.assert(
    fc.property(url, ({ secrets, text }) => {
      expectNone(redactUrl(text), secrets, text);
      expectNone(redactUrl(encodeURI(text)), secrets, text);
    }),
    { numRuns: 3_000 },
  );
});

test('what is hidden in an address is hidden in what others say about it', () => {
  fc.assert(
    fc.property(url, ({ secrets, secret, text }) => {
      const known = secretsOf(text);
      for (const said of [`cannot use ${text} now`, `"${text}"`, `key ${secret} is wrong; ${encodeURI(text)}`]) {
        expectNone(redactText(said, known), secrets, text);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('no error repeats a secret of the URL, whatever the adapter does with it', async () => {
  const body = `export function fromUrl(url) {
    if (url.searchParams.has('throw')) throw Object.assign(new TypeError('bad ' + url.href), { input: url.href });
    throw Object.assign(new Error('invalid-configuration: no ' + decodeURIComponent(url.href)), { url });
  }`;
  for (const name of ['redis', 'ably', 'service-bus', 'sb', 'default']) {
    put({
      [`node_modules/@polycast/${name}/package.json`]: `{"name":"@polycast/${name}","type":"module","exports":"./index.js"}`,
      [`node_modules/@polycast/${name}/index.js`]: body,
    });
  }
  await fc.assert(
    fc.asyncProperty(url, fc.constantFrom('url', 'name', 'environment'), async ({ secrets, text }, by) => {
      if (by === 'environment') vi.stubEnv('POLYCAST_URL', text);
      else vi.stubEnv('POLYCAST_URL', undefined);
      const choice = by === 'url' ? { url: text } : by === 'name' ? { name: text } : {};
      put({ 'polycast.config.json': JSON.stringify({ transports: { a: 'memory:' } }) });
      const error = await resolveTransport(choice).then(
        () => undefined,
        (thrown: unknown) => thrown as Error,
      );
      expect(error).toBeInstanceOf(Error);
      expectNone(`${error!.message}\n${error!.stack}\n${inspect(error, { depth: 9 })}`, secrets, text);
    }),
    { numRuns: 300 },
  );
});

test('what is pasted as a topic, a name or an address is not shown if it looks like a URL', async () => {
  const transport = new LoopTransport();
  const broadcaster = await connect({ transport, topic: 't' });
  const pasted = [
    (s: string) => `redis://user:${s}@host`,
    (s: string) => `Endpoint=sb://host/;SharedAccessKeyName=n;SharedAccessKey=${s}`,
    (s: string) => `host:6380,password=${s},ssl=True`,
    (s: string) => `:${s}@host`,
    (s: string) => `https://host/${s}`,
  ];
  for (const text of pasted.map((paste) => paste('k3Y9xQ2z'))) {
    const calls = [
      () => connect({ transport, topic: text }),
      () => connect({ transport, topic: 't', self: { role: text } }),
      () => connect({ transport, topic: 't', self: { instance: text } }),
      () => broadcaster.publish({ type: 'a' }, { to: text as Address }),
      () => broadcaster.subscribe(() => {}, { group: text }),
    ];
    for (const call of calls) {
      const error = await call().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(PolycastError);
      expect(inspect(error, { depth: 9 })).not.toContain('k3Y9');
    }
  }
  await broadcaster.close();
});

test.each([
  ['polycast.config.json', `{"transports": {"redis://:k3Y9xQ2z@host": 7}}`],
  ['polycast.config.json', `{"transports": {"a": "memory:"}, "default": "redis://:k3Y9xQ2z@host"}`],
  ['polycast.config.json', `{"redis://:k3Y9xQ2z@host": 1}`],
  ['polycast.config.json', `{"transports": {"a": "redis://:k3Y9xQ2z@host"`],
  ['polycast.config.mjs', `export default { transports: { a: 'redis://:k3Y9xQ2z@host' 'b' } }`],
  ['polycast.config.mjs', `throw new Error('redis://:k3Y9xQ2z@host')`],
  ['polycast.config.mjs', `export default { transports: { a: 'redis://:k3Y9xQ2z@host:port' } }`],
])('a broken %s does not show what stands in it: %s', async (name, text) => {
  put({ [name]: text });
  const error = await resolveTransport({ name: 'a' }).catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ code: 'invalid-configuration' });
  expect(`${(error as Error).message} ${(error as Error).stack?.split('\n')[0]}`).not.toContain('k3Y9xQ2z');
});

test.each([
  ['redis://user:hunter2@cache-01.example:6379/0?family=6', 'redis://user:***@cache-01.example:6379/0?family=6'],
  [
    'redis+streams://localhost?maxLength=1000&cluster=a:1,b:2',
    'redis+streams://localhost?maxLength=1000&cluster=a:1,b:2',
  ],
  ['rediss://[::1]:6380', 'rediss://[::1]:6380'],
  ['memory:', 'memory:'],
  ['cache.example.com:6379', 'cache.example.com:6379'],
  ['localhost:6379', 'localhost:6379'],
  [
    'Endpoint=sb://ns.example/;SharedAccessKey=x;EntityPath=orders',
    'Endpoint=sb://ns.example/;SharedAccessKey=***;EntityPath=orders',
  ],
])('what is harmless stays: %s', (text, shown) => {
  expect(redactUrl(text)).toBe(shown);
});

test('a place without a scheme is refused as such, not as an unknown transport', async () => {
  for (const text of ['localhost:6379', 'default:hunter2@cache:6379', ':hunter2@cache', 'cache.example']) {
    await expect(resolveTransport({ url: text })).rejects.toThrow(
      /is not a valid transport URL: it must start with a scheme/,
    );
  }
});
