import { readFileSync } from 'node:fs';
import { redactUrl } from '@polycast/core';
import { fromUrl, serviceBus } from '@polycast/service-bus';
import { describe, expect, it } from 'vitest';
import { readUrl } from '../src/from-url.ts';
import { SERVICE_BUS_OPTIONS } from '../src/settings.ts';

const KEY = 'c2VjcmV0+/c2VjcmV0=';
const STRING = `Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=${KEY}`;
const from = (text: string) => fromUrl(new URL(text));
const credential = { getToken: async () => ({ token: 't', expiresOnTimestamp: 0 }) };

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it.each(Object.keys(SERVICE_BUS_OPTIONS))('the README lists %s', (name) => {
  expect(readme).toMatch(new RegExp(`^\\|[^|]*\`${name}\``, 'm'));
});

it('the README lists the parameters that a URL takes', () => {
  const listed = /query parameters: (.*?)\./s.exec(readme)?.[1]?.match(/(?<=`)\w+(?=`)/g);
  const taken = Object.entries(SERVICE_BUS_OPTIONS).flatMap(([name, { read }]) => (read === undefined ? [] : [name]));
  expect(listed?.sort()).toEqual(taken.sort());
});

describe('fromUrl', () => {
  it.each([
    [
      `service-bus://Root:${encodeURIComponent(KEY)}@ns.servicebus.windows.net`,
      'service-bus://ns.servicebus.windows.net',
    ],
    [`service-bus://Root:k@localhost:5672?emulator=true`, 'service-bus://localhost:5672'],
    [`service-bus://Root:k@localhost:5672?prefix=test/`, 'service-bus://localhost:5672?prefix=test/'],
    [`service-bus:${STRING}`, 'service-bus://ns.servicebus.windows.net'],
    [`service-bus:${STRING}?create=false`, 'service-bus://ns.servicebus.windows.net'],
    [
      'service-bus:Endpoint=sb://localhost:5672;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true',
      'service-bus://localhost:5672',
    ],
    [
      'service-bus:Endpoint=sb://ns/;SharedAccessSignature=SharedAccessSignature sr=sb%3a%2f%2fns&sig=abc%3d&se=1&skn=x',
      'service-bus://ns',
    ],
  ])('%s', (url, location) => {
    const made = from(url);
    expect(made.manifest.transport).toBe('service-bus');
    expect(made.location).toBe(location);
  });

  it('hands the key to the SDK as it is', () => {
    const url = `service-bus://Root%20x:${encodeURIComponent(KEY)}@ns:1`;
    expect(readUrl(new URL(url)).connectionString).toBe(
      `Endpoint=sb://ns:1/;SharedAccessKeyName=Root x;SharedAccessKey=${KEY}`,
    );
    expect(readUrl(new URL(`service-bus:${STRING}`)).connectionString).toBe(STRING);
    // `service-bus:${CONNECTION_STRING}` in a configuration file.
    expect(readUrl(new URL(`service-bus:${encodeURIComponent(STRING)}?prefix=a`)).connectionString).toBe(STRING);
  });

  it('takes options from the query', () => {
    expect(from(`service-bus:${STRING}?maxMessageBytes=1048576`).manifest.limits.maxEventBytes).toBe(1_046_528);
    const note = (ms: number) => from(`service-bus:${STRING}?duplicateDetectionMs=${ms}`).manifest.capabilities.dedupe;
    expect(note(0)).toMatchObject({ level: 'emulated', note: expect.not.stringContaining('the service itself') });
    expect(note(60_000)).toMatchObject({ level: 'emulated', note: expect.stringContaining('for 60 s') });
  });

  it.each([
    ['service-bus://h', /needs name and key/],
    ['service-bus://n@h', /needs name and key/],
    ['service-bus://n:k@h/topic', /has a path/],
    ['service-bus://n:%zz@h', /percent-encoded/],
    ['service-bus://n:a%3Bb@h', /semicolon/],
    ['service-bus://n:k@h?prefx=a', /unknown parameter "prefx"; did you mean "prefix"/],
    ['service-bus://n:k@h?__proto__=1', /unknown parameter/],
    ['service-bus://n:k@h?prefetch=many', /service-bus: prefetch must be an integer from 1 to 2000 \(messages\)$/],
    ['service-bus://n:k@h?prefetch=1e3', /prefetch must be an integer/],
    ['service-bus://n:k@h?prefetch=', /prefetch must be an integer/],
    ['service-bus://n:k@h?prefix=a&prefix=a', /service-bus: parameter prefix is given twice$/],
    ['service-bus://n:k@h?prefix=', /prefix must be 1-50/],
    ['service-bus://n:k@h?client=x', /service-bus: client cannot be set by a URL parameter$/],
    [`service-bus:${STRING}?emulator=true`, /unknown parameter "emulator"/],
    ['service-bus://n:k@h?create=maybe', /create must be true, false or "subscriptions"$/],
    ['service-bus://n:k@h?prefix=Upper', /prefix must be/],
    ['service-bus://n:k@h?maxMessageBytes=1', /maxMessageBytes must be/],
    ['service-bus://n:k@h?duplicateDetectionMs=1', /duplicateDetectionMs must be .* or 0/],
    ['service-bus://n:k@h?administrationUrl=http://other', /http: only to an emulator/],
    ['service-bus://n:k@h#x', /cannot have a fragment/],
    ['service-bus:', /it has no Endpoint/],
    ['service-bus:nonsense', /name=value/],
    ['service-bus:Endpoint=sb://h;SharedAccessKeyName=n', /needs SharedAccessKeyName and SharedAccessKey/],
    ['service-bus:Endpoint=sb://h:99999;SharedAccessKeyName=n;SharedAccessKey=k', /endpoint/],
    ['service-bus:Endpoint=sb://h;SharedAccessKeyName=n;SharedAccessKey=k;EntityPath=t', /EntityPath/],
  ])('%s is refused', (url, message) => {
    expect(() => from(url)).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
    expect(() => from(url)).toThrow(message);
  });

  it('refuses other schemes', () => {
    expect(() => from('http://h')).toThrow(expect.objectContaining({ code: 'unknown-transport' }));
  });

  it('shows no secret, whatever is wrong', () => {
    const secret = 'hunter2hunter2';
    for (const url of [
      `service-bus://n:${secret}@h/x`,
      `service-bus://n:${secret}@h?nope=1`,
      `service-bus://n:1?${secret}@h`,
      `service-bus:Endpoint=bad bad;SharedAccessKeyName=n;SharedAccessKey=${secret}`,
      `service-bus:SharedAccessKey=${secret}`,
      `service-bus:Endpoint=sb://h;SharedAccessKeyName=n;SharedAccessKey=${secret};EntityPath=x`,
    ]) {
      let told = '';
      try {
        from(url);
      } catch (thrown) {
        const error = thrown as Error;
        told = `${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`;
      }
      expect(told).not.toBe('');
      expect(told).not.toContain(secret);
      expect(redactUrl(url)).not.toContain(secret);
    }
    expect(
      redactUrl(`service-bus:Endpoint=sb://h/;SharedAccessSignature=SharedAccessSignature sr=x&sig=${secret}&se=1`),
    ).not.toContain(secret);
    expect(from(`service-bus://n:${secret}@h`).location).not.toContain(secret);
  });
});

describe('serviceBus', () => {
  it.each([
    [{ connectionString: STRING, prefetchCount: 5 }, /: unknown option "prefetchCount"; did you mean "prefetch"\?$/],
    [{ connectonString: STRING }, /: unknown option "connectonString"; did you mean "connectionString"\?$/],
    [STRING, /serviceBus takes its options as an object$/],
  ])('refuses what is not an option', (options, message) => {
    expect(() => serviceBus(options as never)).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
    expect(() => serviceBus(options as never)).toThrow(message);
  });

  it('takes a credential', () => {
    const made = serviceBus({ fullyQualifiedNamespace: 'ns.servicebus.windows.net', credential });
    expect(made.location).toBe('service-bus://ns.servicebus.windows.net');
  });

  it.each([
    [{}, /connectionString, or fullyQualifiedNamespace/],
    [{ fullyQualifiedNamespace: 'ns' }, /credential/],
    [{ connectionString: STRING, credential }, /not both/],
    [{ connectionString: STRING, prefetch: 0 }, /prefetch/],
    [{ connectionString: STRING, webSocketOptions: {} }, /webSocket, a constructor/],
    [
      { connectionString: `${STRING};UseDevelopmentEmulator=true`, webSocketOptions: { webSocket: class {} as never } },
      /only over TLS/,
    ],
    [{ connectionString: STRING, administrationUrl: 'ftp://x' }, /http:\/\/… or https/],
    [{ connectionString: STRING, administrationUrl: Symbol('odd') as never }, /http:\/\/… or https/],
    [{ connectionString: STRING, administrationOptions: 5 as never }, /administrationOptions must be/],
    [
      { connectionString: STRING, customEndpointAddress: 5 as never },
      /customEndpointAddress must be a non-empty string/,
    ],
    // A timer that is set to more than 24 days goes off at once.
    [
      { connectionString: STRING, connectTimeoutMs: 2 ** 31 },
      /connectTimeoutMs must be an integer from 1 to 86400000 \(ms\)$/,
    ],
    [
      { connectionString: STRING, operationTimeoutMs: 2 ** 31 },
      /operationTimeoutMs must be an integer from 1 to 86400000 \(ms\)$/,
    ],
    [
      { connectionString: STRING, stalledAfterMs: 2 ** 31 },
      /stalledAfterMs must be an integer from 0 to 86400000 \(ms\)$/,
    ],
    [
      { connectionString: STRING, closeTimeoutMs: 2 ** 31 },
      /closeTimeoutMs must be an integer from 1 to 86400000 \(ms\)$/,
    ],
  ])('%# is refused', (options, message) => {
    const socket = (globalThis as { WebSocket?: unknown }).WebSocket;
    delete (globalThis as { WebSocket?: unknown }).WebSocket;
    try {
      expect(() => serviceBus(options)).toThrow(message);
      expect(() => serviceBus(options)).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
    } finally {
      if (socket !== undefined) Object.assign(globalThis, { WebSocket: socket });
    }
  });
});
