import type { ConnectionOptions } from 'node:tls';
import {
  checkOptions,
  type OptionTable,
  option,
  percentDecoded,
  invalidConfiguration as refuse,
  type SettingsOf,
} from '@polycast/core/adapter';
import type { Cluster, Redis, RedisOptions } from 'ioredis';
import type { HostAndPort, RedisStreamsOptions, RedisTransportOptions } from './options.ts';
import * as defaults from './options.ts';

/** A day. Timers take 24 days, and what is asked for is doubled here and there. */
const MAX_WAIT_MS = 86_400_000;

/** What each option of `redis()` may be. */
export const REDIS_OPTIONS = {
  url: option.custom<string | URL>({
    expected: 'a string or a URL',
    is: (value) => typeof value === 'string' || value instanceof URL,
  }),
  host: option.string(),
  port: option.integer({ min: 1, max: 65_535 }),
  db: option.integer({ min: 0 }),
  username: option.string({ pattern: /^/, expected: 'a string' }),
  password: option.string({ pattern: /^/, expected: 'a string' }),
  tls: option.custom<boolean | ConnectionOptions>({
    expected: 'true, false or an object',
    is: (value) => typeof value === 'boolean' || typeof value === 'object',
  }),
  sentinels: nodes(),
  sentinelName: option.string({ inUrl: true }),
  cluster: nodes(),
  ioredis: option.object<RedisOptions>(),
  client: option.custom<Redis | Cluster>({
    expected: 'an ioredis client',
    is: (value) => typeof (value as { options?: unknown }).options === 'object',
  }),
  shareConnection: option.boolean({ default: true, inUrl: true }),
  // Braces would move the hash tag that keeps a topic in one slot.
  prefix: option.string({
    pattern: /^[^\s{}]{1,100}$/,
    expected: '1-100 characters without spaces and braces',
    default: defaults.DEFAULT_PREFIX,
    inUrl: true,
  }),
  batch: option.oneOf(['on', 'off'], { default: 'on', inUrl: true }),
  connectTimeoutMs: wait(1, defaults.DEFAULT_CONNECT_TIMEOUT_MS),
  commandTimeoutMs: wait(1, defaults.DEFAULT_COMMAND_TIMEOUT_MS),
  pingIntervalMs: wait(0, defaults.DEFAULT_PING_INTERVAL_MS),
  maxEventBytes: option.integer({
    min: 1_024,
    unit: 'bytes',
    default: defaults.DEFAULT_MAX_EVENT_BYTES,
    inUrl: true,
  }),
} satisfies OptionTable<RedisTransportOptions>;

/** What each option of `redisStreams()` may be. */
export const STREAMS_OPTIONS = {
  ...REDIS_OPTIONS,
  maxAgeMs: option.integer({ min: 1_000, unit: 'ms', default: defaults.DEFAULT_MAX_AGE_MS, inUrl: true }),
  maxLength: option.integer({ min: 1, unit: 'entries', default: defaults.DEFAULT_MAX_LENGTH, inUrl: true }),
  claimIntervalMs: wait(10, defaults.DEFAULT_CLAIM_INTERVAL_MS),
} satisfies OptionTable<RedisStreamsOptions>;

/** Options with every default filled in, and the URL taken apart. */
export interface Settings extends Omit<SettingsOf<typeof STREAMS_OPTIONS>, 'url' | 'host' | 'port' | 'db' | 'tls'> {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly tls: ConnectionOptions | undefined;
}

/**
 * @param streams are they those of `redisStreams()`?
 * @throws PolycastError `invalid-configuration`
 */
export function settingsFrom(options: RedisStreamsOptions, streams = true): Settings {
  const { url, ...given } = streams
    ? checkOptions('redisStreams', STREAMS_OPTIONS, options)
    : {
        ...checkOptions('redis', STREAMS_OPTIONS, {}),
        ...checkOptions('redis', REDIS_OPTIONS, options, { siblings: { 'redisStreams()': STREAMS_OPTIONS } }),
      };
  const place = url === undefined ? {} : placeOf(url);
  const { client, cluster, ioredis } = given;
  const tls = given.tls ?? place.tls ?? false;
  const db = given.db ?? place.db ?? 0;
  // ioredis 6. Replies would have other shapes.
  if (client !== undefined && mapsReplies(client.options)) throw refuse("client must not have replyMapping: 'resp3'");
  if (ioredis !== undefined && mapsReplies(ioredis)) throw refuse("ioredis cannot have replyMapping: 'resp3'");
  if (cluster !== undefined && db !== 0) throw refuse('a Redis Cluster has only database 0');
  return {
    ...given,
    host: given.host ?? place.host ?? defaults.DEFAULT_HOST,
    port: given.port ?? place.port ?? defaults.DEFAULT_PORT,
    db,
    username: given.username ?? place.username,
    password: given.password ?? place.password,
    tls: tls === true ? {} : tls === false ? undefined : tls,
  };
}

/** Where it is, for people and for comparison; never with a secret. */
export function locationOf(settings: Settings, scheme: string): string {
  const { client, cluster, sentinels, tls, db } = settings;
  const secure = tls === undefined ? scheme : scheme.replace('redis', 'rediss');
  const path = db === 0 ? '' : `/${db}`;
  if (client !== undefined) {
    const made = client.options as { host?: string; port?: number; db?: number };
    const server = made.host === undefined ? 'cluster' : hostAndPort({ host: made.host, port: made.port ?? 6379 });
    return `${scheme}://${server}${made.db ? `/${made.db}` : ''}`;
  }
  const nodes = cluster ?? sentinels;
  if (nodes !== undefined) return `${secure}://${nodes.map(hostAndPort).join(',')}${path}`;
  return `${secure}://${hostAndPort(settings)}${path}`;
}

/** An IPv6 address in brackets. */
export function hostAndPort({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

type Place = Pick<RedisStreamsOptions, 'host' | 'port' | 'db' | 'username' | 'password' | 'tls'>;

function placeOf(text: string | URL): Place {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // The text may hold a password: it is not repeated.
    throw refuse('invalid URL; write redis://[user:password@]host[:port][/db]');
  }
  const secure = url.protocol.startsWith('rediss');
  if (!/^rediss?(\+streams)?:$/.test(url.protocol)) throw refuse(`${url.protocol} is not a Redis URL scheme`);
  const db = url.pathname.replace(/^\/+/, '');
  if (db !== '' && !/^\d{1,5}$/.test(db)) throw refuse('the path of a Redis URL is a database number');
  return {
    ...(url.hostname === '' ? {} : { host: url.hostname.replace(/^\[|\]$/g, '') }),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...(db === '' ? {} : { db: Number(db) }),
    ...(url.username === '' ? {} : { username: percentDecoded(url.username, 'user') }),
    ...(url.password === '' ? {} : { password: percentDecoded(url.password, 'password') }),
    ...(secure ? { tls: true } : {}),
  };
}

/** What a timer is set to. */
function wait(min: number, fallback: number) {
  return option.duration({ min, max: MAX_WAIT_MS, default: fallback, inUrl: true });
}

/** `host:port,host:port` in a URL; nothing means the host of the URL itself. */
function nodes() {
  return option.custom<readonly HostAndPort[]>({
    expected: 'a list of { host, port }, in a URL of host:port',
    is: (value) => Array.isArray(value) && value.length > 0 && value.every(isNode),
    read: (text, { hostname, port }) => {
      const own = `${hostname || defaults.DEFAULT_HOST}:${port || defaults.DEFAULT_PORT}`;
      const matches = (text || own)
        .split(',')
        .map((node) => /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(node));
      if (matches.includes(null)) return undefined;
      return matches.map((match) => ({ host: (match?.[1] ?? match?.[2]) as string, port: Number(match?.[3]) }));
    },
  });
}

function isNode(node: unknown): boolean {
  const { host, port } = Object(node) as Record<string, unknown>;
  return REDIS_OPTIONS.host.is(host) && REDIS_OPTIONS.port.is(port);
}

function mapsReplies(options: object): boolean {
  const { replyMapping, redisOptions } = options as { replyMapping?: unknown; redisOptions?: object };
  return replyMapping === 'resp3' || (redisOptions !== undefined && mapsReplies(redisOptions));
}
