import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findJsonFault } from '../src/configuration/json-fault.ts';
import { nearest } from '../src/configuration/nearest.ts';
import { redactUrl } from '../src/configuration/redact.ts';
import { resolveTransport } from '../src/configuration/resolve.ts';
import { PolycastError } from '../src/error.ts';

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
