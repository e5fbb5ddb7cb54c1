import { readFileSync } from 'node:fs';
import { fromUrl, redis, redisStreams } from '@polycast/redis';
import { describe, expect, it } from 'vitest';
import { STREAMS_OPTIONS } from '../src/settings.ts';

const from = (text: string) => fromUrl(new URL(text));

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it.each(Object.keys(STREAMS_OPTIONS))('the README lists %s', (name) => {
  expect(readme).toMatch(new RegExp(`^\\|[^|]*\`${name}\``, 'm'));
});

it('the README lists the parameters that a URL takes', () => {
  const listed = /query parameters: (.*?)\./s.exec(readme)?.[1]?.match(/(?<=`)\w+(?=`)/g);
  const taken = Object.entries(STREAMS_OPTIONS).flatMap(([name, { read }]) => (read === undefined ? [] : [name]));
  expect(listed?.sort()).toEqual(taken.sort());
});

describe('fromUrl', () => {
  it.each([
    ['redis://h:1', 'redis', 'redis://h:1'],
    ['rediss://h:1/2', 'redis', 'rediss://h:1/2'],
    ['redis+streams://u:secret@h', 'redis+streams', 'redis+streams://h:6379'],
    ['rediss+streams://h:1', 'redis+streams', 'rediss+streams://h:1'],
    ['redis://h?cluster=a:1,b:2', 'redis', 'redis://a:1,b:2'],
    ['redis://h:7?cluster=', 'redis', 'redis://h:7'],
    ['redis://h?sentinels=a:1', 'redis', 'redis://a:1'],
    ['redis://[::1]:7', 'redis', 'redis://[::1]:7'],
  ])('%s', (url, transport, location) => {
    const made = from(url);
    expect(made.manifest.transport).toBe(transport);
    expect(made.location).toBe(location);
  });

  it('takes options from the query', () => {
    expect(from('redis://h?maxEventBytes=2048').manifest.limits.maxEventBytes).toBe(2048);
    expect(from('redis+streams://h?maxAgeMs=5000').manifest.capabilities.replay.numbers).toMatchObject({
      keptMs: 5000,
    });
  });

  it.each([
    ['redis://h?prefx=a', /unknown parameter "prefx"; did you mean "prefix"/],
    ['redis://h?maxAgeMs=5000', /redis: unknown parameter "maxAgeMs"; it belongs to redis\+streams:$/],
    ['redis://h?__proto__=1', /unknown parameter/],
    ['redis://h?maxEventBytes=many', /redis: maxEventBytes must be an integer of at least 1024 \(bytes\)$/],
    ['redis://h?maxEventBytes=1e5', /maxEventBytes must be an integer/],
    ['redis://h?maxEventBytes=', /maxEventBytes must be an integer/],
    ['redis://h?prefix=a&prefix=b', /redis: parameter prefix is given twice$/],
    ['redis://h?prefix=', /prefix must be 1-100 characters/],
    ['redis://h?password=x', /redis: password cannot be set by a URL parameter$/],
    ['redis+streams://h?maxAge=5000', /redis\+streams: unknown parameter "maxAge"; did you mean "maxAgeMs"/],
    ['redis://h?batch=maybe', /redis: batch must be "on" or "off"$/],
    ['redis://h?prefix=%7Ba%7D', /prefix must be/],
    ['redis://h?cluster=a', /cluster must be a list of .*host:port$/],
    ['redis://h/one', /database number/],
    ['redis://u:%zz@h', /percent-encoded/],
  ])('%s is refused', (url, message) => {
    expect(() => from(url)).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
    expect(() => from(url)).toThrow(message);
  });

  it('refuses other schemes', () => {
    expect(() => from('http://h')).toThrow(expect.objectContaining({ code: 'unknown-transport' }));
    expect(() => redis({ url: 'http://h' })).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
  });

  it.each([
    { port: 0 },
    { port: 70_000 },
    { connectTimeoutMs: -1 },
    { maxLength: 0 },
    { db: 1, cluster: [{ host: 'h', port: 1 }] },
  ])('refuses %j', (options) => {
    expect(() => redisStreams(options)).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
  });

  it.each([
    [redis, { prefx: 'a' }, /: unknown option "prefx"; did you mean "prefix"\?$/],
    [redis, { maxAgeMs: 5_000 }, /: unknown option "maxAgeMs"; it belongs to redisStreams\(\)$/],
    [redisStreams, { maxAge: 5_000 }, /: unknown option "maxAge"; did you mean "maxAgeMs"\?$/],
    [redis, 'redis://h', /redis takes its options as an object$/],
  ] as const)('%o refuses %j', (make, options, message) => {
    expect(() => make(options as never)).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
    expect(() => make(options as never)).toThrow(message);
  });

  // A timer that is set to more than 24 days goes off at once.
  it.each(['connectTimeoutMs', 'commandTimeoutMs', 'pingIntervalMs', 'claimIntervalMs'])(
    '%s is at most a day',
    (name) => {
      for (const ms of [86_400_001, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
        expect(() => redisStreams({ [name]: ms })).toThrow(
          new RegExp(`redisStreams: ${name} must be an integer from \\d+ to 86400000 \\(ms\\)$`),
        );
      }
      redisStreams({ [name]: 86_400_000 });
    },
  );

  it.each(['host', 'username', 'password', 'sentinelName', 'tls', 'ioredis', 'client', 'cluster', 'sentinels'])(
    '%s of a wrong type is refused by its name',
    (name) => {
      for (const value of [5, Number.NaN, Symbol('odd'), () => {}, 5n]) {
        for (const make of [redis, redisStreams]) {
          expect(() => make({ [name]: value })).toThrow(
            expect.objectContaining({ code: 'invalid-configuration', message: expect.stringContaining(name) }),
          );
        }
      }
      redis({ [name]: null });
    },
  );

  it.each(['cluster', 'sentinels'])('%s must list hosts with ports', (name) => {
    for (const nodes of [[], [5], [null], [{ host: 'h' }], [{ port: 1 }], ['h:1'], {}, 'h:1']) {
      expect(() => redis({ [name]: nodes })).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
    }
  });
});
