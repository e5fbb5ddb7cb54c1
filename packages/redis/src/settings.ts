import type { ConnectionOptions } from 'node:tls';
import { type OptionNames, PolycastError, unknownOption } from '@polycast/core/adapter';
import type { HostAndPort, RedisStreamsOptions, RedisTransportOptions } from './options.ts';
import * as defaults from './options.ts';

/** Options with every default filled in, and the URL taken apart. */
export interface Settings extends Omit<RedisStreamsOptions, 'url' | 'tls'> {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly tls: ConnectionOptions | undefined;
  readonly shareConnection: boolean;
  readonly prefix: string;
  readonly batch: 'on' | 'off';
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
  readonly pingIntervalMs: number;
  readonly maxEventBytes: number;
  readonly maxAgeMs: number;
  readonly maxLength: number;
  readonly claimIntervalMs: number;
}

/** A day. Timers take 24 days, and what is asked for is doubled here and there; a longer one would go off at once. */
const MAX_WAIT_MS = 86_400_000;

const TRANSPORT_OPTIONS: OptionNames<RedisTransportOptions> = {
  url: 1,
  host: 1,
  port: 1,
  db: 1,
  username: 1,
  password: 1,
  tls: 1,
  sentinels: 1,
  sentinelName: 1,
  cluster: 1,
  ioredis: 1,
  client: 1,
  shareConnection: 1,
  prefix: 1,
  batch: 1,
  connectTimeoutMs: 1,
  commandTimeoutMs: 1,
  pingIntervalMs: 1,
  maxEventBytes: 1,
};
const STREAMS_OPTIONS: OptionNames<RedisStreamsOptions> = {
  ...TRANSPORT_OPTIONS,
  maxAgeMs: 1,
  maxLength: 1,
  claimIntervalMs: 1,
};

/** @throws PolycastError `invalid-configuration` for an option that `redis()` or `redisStreams()` does not have */
export function checkNames(options: RedisStreamsOptions, streams: boolean): void {
  if (typeof options !== 'object' || options === null) throw refuse('the options must be an object');
  const unknown = unknownOption(options, streams ? STREAMS_OPTIONS : TRANSPORT_OPTIONS);
  if (unknown === undefined) return;
  // Of another function: the name is right.
  const elsewhere = unknownOption(options, STREAMS_OPTIONS) === undefined;
  throw refuse(elsewhere ? `${unknown.split(';')[0]}; it belongs to redisStreams()` : unknown);
}

/** @throws PolycastError `invalid-configuration` */
export function settingsFrom(options: RedisStreamsOptions): Settings {
  const place = options.url === undefined ? {} : placeOf(options.url);
  const given = definedOnly(options);
  checkTypes(given);
  const tls = options.tls ?? place.tls ?? false;
  const settings: Settings = {
    ...place,
    ...given,
    host: text('host', options.host ?? place.host ?? defaults.DEFAULT_HOST),
    port: port(options.port ?? place.port ?? defaults.DEFAULT_PORT),
    db: whole('db', options.db ?? place.db ?? 0, 0),
    tls: tls === true ? {} : tls === false ? undefined : tls,
    shareConnection: flag('shareConnection', options.shareConnection ?? true),
    prefix: prefix(options.prefix ?? defaults.DEFAULT_PREFIX),
    batch: oneOf('batch', options.batch ?? 'on', ['on', 'off']),
    connectTimeoutMs: wait('connectTimeoutMs', options.connectTimeoutMs ?? defaults.DEFAULT_CONNECT_TIMEOUT_MS, 1),
    commandTimeoutMs: wait('commandTimeoutMs', options.commandTimeoutMs ?? defaults.DEFAULT_COMMAND_TIMEOUT_MS, 1),
    pingIntervalMs: wait('pingIntervalMs', options.pingIntervalMs ?? defaults.DEFAULT_PING_INTERVAL_MS, 0),
    maxEventBytes: whole('maxEventBytes', options.maxEventBytes ?? defaults.DEFAULT_MAX_EVENT_BYTES, 1_024),
    maxAgeMs: whole('maxAgeMs', options.maxAgeMs ?? defaults.DEFAULT_MAX_AGE_MS, 1_000),
    maxLength: whole('maxLength', options.maxLength ?? defaults.DEFAULT_MAX_LENGTH, 1),
    claimIntervalMs: wait('claimIntervalMs', options.claimIntervalMs ?? defaults.DEFAULT_CLAIM_INTERVAL_MS, 10),
  };
  if (settings.cluster !== undefined && settings.db !== 0) throw refuse('a Redis Cluster has only database 0');
  return settings;
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
    ...(url.username === '' ? {} : { username: decode(url.username) }),
    ...(url.password === '' ? {} : { password: decode(url.password) }),
    ...(secure ? { tls: true } : {}),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse('user or password of the URL is not correctly percent-encoded');
  }
}

function whole(name: string, value: unknown, least: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
  throw refuse(`${name} must be a whole number of at least ${least}`);
}

/** What a timer is set to. */
function wait(name: string, value: unknown, least: number): number {
  const ms = whole(name, value, least);
  if (ms > MAX_WAIT_MS) throw refuse(`${name} must be at most ${MAX_WAIT_MS} (a day)`);
  return ms;
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw refuse(`${name} must be a string`);
}

/** What the client library would trip over later, or take for something else. */
function checkTypes({
  username,
  password,
  sentinelName,
  tls,
  ioredis,
  client,
  cluster,
  sentinels,
}: RedisStreamsOptions) {
  for (const [name, value] of Object.entries({ username, password, sentinelName })) {
    if (value !== undefined && typeof value !== 'string') throw refuse(`${name} must be a string`);
  }
  for (const [name, value] of Object.entries({ tls: typeof tls === 'boolean' ? undefined : tls, ioredis })) {
    if (value !== undefined && typeof value !== 'object') throw refuse(`${name} must be an object of options`);
  }
  if (client !== undefined && typeof client.options !== 'object') throw refuse('client must be an ioredis client');
  // ioredis 6. Replies would have other shapes.
  if (client !== undefined && mapsReplies(client.options)) throw refuse("client must not have replyMapping: 'resp3'");
  if (ioredis !== undefined && mapsReplies(ioredis)) throw refuse("ioredis cannot have replyMapping: 'resp3'");
  for (const [name, nodes] of Object.entries({ cluster, sentinels })) {
    if (nodes === undefined) continue;
    if (!Array.isArray(nodes) || nodes.length === 0) throw refuse(`${name} must be a list of { host, port }`);
    for (const node of nodes as readonly (Partial<HostAndPort> | null)[]) {
      text(`host of ${name}`, node?.host);
      port(node?.port);
    }
  }
}

function mapsReplies(options: object): boolean {
  const { replyMapping, redisOptions } = options as { replyMapping?: unknown; redisOptions?: object };
  return replyMapping === 'resp3' || (redisOptions !== undefined && mapsReplies(redisOptions));
}

function port(value: unknown): number {
  const number = whole('port', value, 1);
  if (number > 65_535) throw refuse('port must be at most 65535');
  return number;
}

function prefix(value: unknown): string {
  // Braces would move the hash tag that keeps a topic in one slot.
  if (typeof value === 'string' && /^[^\s{}]{1,100}$/.test(value)) return value;
  throw refuse('prefix must be 1-100 characters without spaces and braces');
}

function flag(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw refuse(`${name} must be true or false`);
}

function oneOf<const Value extends string>(name: string, value: Value, choices: readonly Value[]): Value {
  if (choices.includes(value)) return value;
  throw refuse(`${name} must be one of ${choices.join(', ')}`);
}

function definedOnly<Options extends object>(options: Options): Partial<Options> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined && value !== null),
  ) as Partial<Options>;
}

function refuse(message: string): PolycastError {
  return new PolycastError('invalid-configuration', message);
}
