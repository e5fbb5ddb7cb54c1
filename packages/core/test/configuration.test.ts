import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findJsonFault } from '../src/configuration/json-fault.ts';
import { nearest } from '../src/configuration/nearest.ts';
import { besideAdapters, installedSchemes } from '../src/configuration/project.ts';
import { redactUrl } from '../src/configuration/redact.ts';
import { resolveTransport } from '../src/configuration/resolve.ts';
import type { SchemeRules } from '../src/configuration/transport-url.ts';
import { PolycastError } from '../src/contract/error.ts';
import type { Transport } from '../src/contract/transport.ts';

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

/** An adapter package in the project, whose transports show the URL that made them. */
function install(name: string, fromUrl = '(url) => ({ manifest: {}, location: url.href, open() {} })'): void {
  put({
    [`node_modules/@polycast/${name}/package.json`]: JSON.stringify({
      name: `@polycast/${name}`,
      type: 'module',
      exports: './index.js',
    }),
    [`node_modules/@polycast/${name}/index.js`]: `export const fromUrl = ${fromUrl};`,
  });
}

async function failure(choice: Parameters<typeof resolveTransport>[0]): Promise<PolycastError> {
  const thrown: unknown = await resolveTransport(choice).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(PolycastError);
  return thrown as PolycastError;
}

describe('by URL', () => {
  test.each(['probe://host:1/2', 'probe+variant://host:1/2'])(
    '%s is a package, loaded from the project',
    async (url) => {
      install('probe');
      expect(await resolveTransport({ url })).toMatchObject({ location: url });
      expect(await resolveTransport({ url: new URL(url) })).toMatchObject({ location: url });
    },
  );

  test('rediss is redis', async () => {
    install('redis');
    expect(await resolveTransport({ url: 'rediss://host' })).toMatchObject({ location: 'rediss://host' });
  });

  test("a connection string of Azure Service Bus is that transport's", async () => {
    install('service-bus');
    const given = 'Endpoint=sb://name.servicebus.windows.net/;SharedAccessKeyName=k;SharedAccessKey=c2VjcmV0';
    expect(await resolveTransport({ url: ` ${given}` })).toMatchObject({ location: `service-bus:${given}` });
  });

  test('an unknown scheme names the nearest', async () => {
    const error = await failure({ url: 'reddis://host' });
    expect(error.code).toBe('unknown-transport');
    expect(error.message).toMatch(/"reddis:"; did you mean "redis"/);
  });

  test.each([
    ['', /is empty/],
    ['redis', /must start with a scheme/],
    ['redis://host:99999', /check the host, the port/],
    ['redis://user:pa ss^word@ho st', /check the host/],
  ])('%j is malformed', async (url, reason) => {
    const error = await failure({ url });
    expect(error.code).toBe('invalid-configuration');
    expect(error.message).toMatch(reason);
    expect(error.message).not.toContain('^word');
  });

  test('what an adapter throws is told without secrets', async () => {
    install('probe', '(url) => { throw new TypeError("no " + url.pathname) }');
    const error = await failure({ url: 'probe://user:secret@host/x?token=hidden' });
    expect(error).toMatchObject({ code: 'invalid-configuration', cause: { message: 'no /x' } });
    expect(error.message).toContain('probe://user:***@host/x?token=***');
  });

  test('a package that is no adapter, or is broken, is told apart from a missing one', async () => {
    install('probe', '1');
    install('broken', '; syntax error');
    expect((await failure({ url: 'probe:' })).message).toMatch(/does not export fromUrl/);
    expect((await failure({ url: 'broken:' })).message).toMatch(/@polycast\/broken is installed but cannot be loaded/);
  });
});

describe('by name', () => {
  beforeEach(() => install('probe'));

  test('a JSON file in a folder above, with a default', async () => {
    put({
      'polycast.config.json': '{"transports":{"a":"probe://a","b":{"url":"probe://b"}},"default":"b"}',
      'deep/er/x': '',
    });
    vi.spyOn(process, 'cwd').mockReturnValue(join(project, 'deep/er'));
    expect(await resolveTransport({ name: 'a' })).toMatchObject({ location: 'probe://a' });
    expect(await resolveTransport({})).toMatchObject({ location: 'probe://b' });
  });

  test.each(['mjs', 'ts'])('a script: %s', async (extension) => {
    const types = extension === 'ts' ? ' as string' : '';
    put({
      [`polycast.config.${extension}`]: `export default { transports: { a: 'probe://a'${types}, b: { transport: { manifest: {}, location: 'made', open() {} } } } };`,
    });
    expect(await resolveTransport({ name: 'a' })).toMatchObject({ location: 'probe://a' });
    expect(await resolveTransport({ name: 'b' })).toMatchObject({ location: 'made' });
  });

  test('POLYCAST_URL is used when nothing else is said', async () => {
    vi.stubEnv('POLYCAST_URL', 'probe://environment');
    expect(await resolveTransport({})).toMatchObject({ location: 'probe://environment' });
  });

  test('environment variables hold secrets', async () => {
    put({
      // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the placeholder under test
      'polycast.config.json': '{"transports":{\n"whole":"${PROBE_URL}",\n"part":"probe://u:${PROBE_PASSWORD}@h"}}',
    });
    vi.stubEnv('PROBE_URL', 'probe://env');
    expect(await resolveTransport({ name: 'whole' })).toMatchObject({ location: 'probe://env' });
    expect((await failure({ name: 'part' })).message).toMatch(/polycast\.config\.json:3: .*PROBE_PASSWORD is not set/);
    vi.stubEnv('PROBE_PASSWORD', 'a/b@c');
    expect(await resolveTransport({ name: 'part' })).toMatchObject({ location: 'probe://u:a%2Fb%40c@h' });
  });

  test.each([
    [
      '{"transports":{\n"a":{"ulr":"probe://a"}}}',
      'a',
      /polycast\.config\.json:2: unknown name "ulr"; did you mean "url"\?/,
    ],
    ['{\n"transport":{}}', 'a', /:2: unknown name "transport"; did you mean "transports"\?/],
    ['{"transports":{"prod":"probe:"}}', 'prdo', /unknown transport "prdo"; did you mean "prod"\?/],
    ['{"transports":{"prod":"probe:"},\n"default":"live"}', 'prod', /:2: unknown transport "live"/],
    ['{"transports":{"a":{}}}', 'a', /must have either "url" or "transport"/],
    ['{"transports":{"a":7}}', 'a', /must be an object or a URL/],
    ['{"transports":[]}', 'a', /"transports" must be an object/],
    ['{"transports":{\n  "a":"probe:",\n}}', 'a', /polycast\.config\.json:3:1: not JSON: unexpected "," before "}"/],
    ['{"transports":{}, // later\n}', 'a', /:1:19: not JSON/],
  ])('a mistake is shown where it stands: %s', async (text, name, reason) => {
    put({ 'polycast.config.json': text });
    const error = await failure({ name });
    expect(error.code).toBe('invalid-configuration');
    expect(error.message).toMatch(reason);
  });

  test('a script that throws is told by its file', async () => {
    put({ 'polycast.config.mjs': 'throw new RangeError("too far")' });
    expect((await failure({ name: 'a' })).message).toMatch(
      /polycast\.config\.mjs cannot be loaded: RangeError: too far/,
    );
  });

  test('nothing chosen, nothing found', async () => {
    expect((await failure({})).message).toMatch(/pass transport, url or name to connect\(\), or set POLYCAST_URL/);
    expect((await failure({ name: 'a' })).message).toMatch(/needs a polycast\.config\.ts/);
  });

  test('one way at a time', async () => {
    expect((await failure({ url: 'probe:', name: 'a' })).message).toMatch(/give either url or name, not both/);
    await expect(resolveTransport({ transport: {} as never })).rejects.toThrow(TypeError);
  });
});

describe('adapters that are brought', () => {
  const adapter = (label: string, schemes?: SchemeRules) => ({
    fromUrl: (url: URL) => ({ manifest: {}, location: `${label} ${url.href}`, open() {} }) as unknown as Transport,
    ...(schemes && { schemes }),
  });

  test('serve the URLs of their scheme, its variants and its other names, before any package', async () => {
    install('probe');
    const adapters = {
      probe: adapter('brought', { transports: ['probe'], aliases: { probes: 'probe' }, connectionStrings: {} }),
      'probe+fast': adapter('fast'),
      'acme.queue': adapter('acme'),
    };
    const located = async (url: string) => (await resolveTransport({ url, adapters })).location;
    expect(await located('probe://a')).toBe('brought probe://a');
    expect(await located('probes+slow://a')).toBe('brought probes+slow://a');
    expect(await located('probe+fast://a')).toBe('fast probe+fast://a');
    expect(await located('acme.queue://a')).toBe('acme acme.queue://a');
  });

  test('serve the configuration file and POLYCAST_URL as well', async () => {
    const adapters = { probe: adapter('brought') };
    put({ 'polycast.config.json': '{"transports":{"a":"probe://a"},"default":"a"}' });
    for (const choice of [{ name: 'a' }, {}]) {
      expect(await resolveTransport({ ...choice, adapters })).toMatchObject({ location: 'brought probe://a' });
    }
    vi.stubEnv('POLYCAST_URL', 'probe://environment');
    expect(await resolveTransport({ adapters })).toMatchObject({ location: 'brought probe://environment' });
  });

  test('bring what connection strings stand for', async () => {
    const schemes = { transports: ['probe'], aliases: {}, connectionStrings: { 'Place=': 'probe' } };
    const url = 'place=here;Secret=hunter2hunter2';
    expect(await resolveTransport({ url, adapters: { probe: adapter('brought', schemes) } })).toMatchObject({
      location: `brought probe:${url}`,
    });
  });

  test('leave other schemes to the packages; an unknown one names the nearest of all', async () => {
    install('probe');
    const adapters = { acme: adapter('acme') };
    expect(await resolveTransport({ url: 'probe://a', adapters })).toMatchObject({ location: 'probe://a' });
    const error = await failure({ url: 'acmee://a', adapters });
    expect(error).toMatchObject({ code: 'unknown-transport', message: expect.stringContaining('"acme"') });
  });

  test('are refused beside a transport, and where they are not adapters', async () => {
    const transport = adapter('x').fromUrl(new URL('probe://a'));
    expect(await failure({ transport, adapters: { acme: adapter('acme') } })).toMatchObject({
      code: 'invalid-configuration',
    });
    const schemes = { transports: 'acme' } as never;
    for (const adapters of [
      7,
      null,
      { acme: () => {} },
      { acme: {} },
      { acme: 'package' },
      { acme: adapter('x', schemes) },
    ]) {
      await expect(resolveTransport({ url: 'acme:', adapters: adapters as never })).rejects.toThrow(TypeError);
    }
  });

  test('what they throw is told without secrets', async () => {
    const fromUrl = (url: URL): Transport => {
      throw new TypeError(`no ${url.href}`);
    };
    const error = await failure({ url: 'acme://user:hunter2hunter2@host', adapters: { acme: { fromUrl } } });
    expect(error).toMatchObject({ code: 'invalid-configuration', message: expect.stringContaining('adapters.acme') });
    expect(`${error.message} ${error.cause}`).not.toContain('hunter2');
  });
});

describe('a scheme that a package of another name serves', () => {
  /** A package of any name in the project. */
  const installAs = (name: string) =>
    put({
      [`node_modules/${name}/package.json`]: JSON.stringify({ name, type: 'module', exports: './index.js' }),
      [`node_modules/${name}/index.js`]: `export const fromUrl = (url) => ({ manifest: {}, location: '${name} ' + url.href, open() {} });`,
    });

  test('is said in the configuration file, for its entries and for any URL', async () => {
    installAs('@acme/queue');
    put({ 'polycast.config.json': '{"transports":{"a":"queue://a"},"adapters":{"queue":"@acme/queue"}}' });
    for (const choice of [{ name: 'a' }, { url: 'queue://a' }]) {
      expect(await resolveTransport(choice)).toMatchObject({ location: '@acme/queue queue://a' });
    }
    vi.stubEnv('POLYCAST_URL', 'queue+fast://b');
    expect(await resolveTransport({})).toMatchObject({ location: '@acme/queue queue+fast://b' });
  });

  test('may be a module, in a script', async () => {
    installAs('queue-adapter');
    put({
      'polycast.config.mjs':
        "import * as queue from 'queue-adapter'; export default { transports: {}, adapters: { queue } };",
    });
    expect(await resolveTransport({ url: 'queue://a' })).toMatchObject({ location: 'queue-adapter queue://a' });
  });

  test('may have the scheme of a known transport that is not installed', async () => {
    installAs('my-redis');
    put({ 'polycast.config.json': '{"transports":{},"adapters":{"probe":"my-redis"}}' });
    const schemes = { transports: ['probe'], aliases: {}, connectionStrings: {} };
    expect(await resolveTransport({ url: 'probe://a', schemes })).toMatchObject({ location: 'my-redis probe://a' });
  });

  test.each([
    [
      '{"transports":{},\n"adapters":{"queue":7}}',
      /polycast\.config\.json:2: adapter "queue" must be the name of a package/,
    ],
    ['{"transports":{},\n"adapters":{"que ue":"x"}}', /:2: "[^"]*" is not a URL scheme/],
    ['{"transports":{},"adapters":[]}', /"adapters" must be an object/],
    ['{"transports":{},"adpaters":{}}', /unknown name "adpaters"; did you mean "adapters"/],
  ])('a mistake is shown where it stands: %s', async (text, reason) => {
    put({ 'polycast.config.json': text });
    expect(await failure({ url: 'queue://a' })).toMatchObject({
      code: 'invalid-configuration',
      message: expect.stringMatching(reason),
    });
  });

  test('is told when the package is missing, or when two packages serve the scheme', async () => {
    put({
      'polycast.config.json':
        '{"transports":{"a":"probe://a"},"adapters":{"queue":"@acme/queue","probe":"@acme/queue"}}',
    });
    expect(await failure({ url: 'queue://a' })).toMatchObject({
      code: 'transport-not-installed',
      message: expect.stringContaining('"queue:" needs the package @acme/queue'),
    });
    install('probe');
    expect(await failure({ name: 'a' })).toMatchObject({
      code: 'invalid-configuration',
      message: expect.stringMatching(/"probe:" is served by @polycast\/probe, which is installed/),
    });
  });
});

describe('what is known of schemes', () => {
  test('is ignored where a package of another version says it in another way', async () => {
    put({
      'node_modules/@polycast/catalogue/package.json':
        '{"name":"@polycast/catalogue","type":"module","exports":"./index.js"}',
      'node_modules/@polycast/catalogue/index.js': 'export const SCHEMES = { transports: { a: 1 } };',
    });
    install('probe');
    expect(await installedSchemes()).toBeUndefined();
    expect(await resolveTransport({ url: 'probe://a' })).toMatchObject({ location: 'probe://a' });
  });

  test('is found beside an adapter of the project', async () => {
    // As package managers do that show a project only what it names itself.
    const store = 'node_modules/.store/probe/node_modules/@polycast';
    put({
      [`${store}/probe/package.json`]: '{"name":"@polycast/probe","type":"module","exports":"./index.js"}',
      [`${store}/probe/index.js`]: '',
      [`${store}/some-data/package.json`]: '{"name":"@polycast/some-data","type":"module","exports":"./index.js"}',
      [`${store}/some-data/index.js`]: '',
    });
    mkdirSync(join(project, 'node_modules/@polycast'), { recursive: true });
    symlinkSync(join(project, store, 'probe'), join(project, 'node_modules/@polycast/probe'));
    expect(besideAdapters('@polycast/some-data')).toBe(join(project, store, 'some-data/index.js'));
    expect(besideAdapters('@polycast/no-data')).toBeUndefined();
  });
});

test('secrets leave no trace in an address', () => {
  const word = fc.stringMatching(/^[A-Za-z0-9]{12,20}$/);
  fc.assert(
    fc.property(word, word, (secret, other) => {
      for (const url of [
        `redis://:${secret}@host`,
        `redis://user:${secret}@host/0?password=${other}`,
        `ably://${secret}@host`,
        `event-grid://host/topic?sig=${secret}&access-key=${other}#token=${secret}`,
        `Endpoint=sb://host/;SharedAccessKeyName=n;SharedAccessKey=${secret}`,
        `redis://user:${secret}@bad host:x`,
        `redis://user:a/b?${secret}@host`,
      ]) {
        expect(redactUrl(url)).not.toContain(secret);
        expect(redactUrl(url)).not.toContain(other);
        expect(redactUrl(url)).toContain('host');
      }
    }),
  );
  expect(redactUrl('redis://host:6379/0?family=6')).toBe('redis://host:6379/0?family=6');
});

test('a JSON fault is found exactly where JSON.parse finds one', () => {
  const text = fc.oneof(fc.json(), fc.string({ unit: fc.constantFrom(...'{}[]",:1e-0.truefalsn\\u ') }));
  fc.assert(
    fc.property(text, (json) => {
      let valid = true;
      try {
        JSON.parse(json);
      } catch {
        valid = false;
      }
      expect(findJsonFault(json) === undefined).toBe(valid);
    }),
    { numRuns: 1_000 },
  );
});

test('near words come first, far ones not at all', () => {
  expect(nearest('serivce-bus', ['redis', 'service-bus'])).toEqual(['service-bus']);
  expect(nearest('kafka', ['redis', 'memory'])).toEqual([]);
});
