import { PolycastError, suggestion, type Transport } from '@polycast/core/adapter';
import type { HostAndPort, RedisStreamsOptions } from './options.ts';
import { redis } from './pub-sub.ts';
import { redisStreams } from './streams.ts';

type Read = (text: string, name: string) => Partial<RedisStreamsOptions>;

const number =
  (option: keyof RedisStreamsOptions): Read =>
  (text, name) => {
    if (!/^\d{1,15}$/.test(text)) throw refuse(`${name} must be a whole number`);
    return { [option]: Number(text) };
  };
const text =
  (option: keyof RedisStreamsOptions): Read =>
  (value) => ({ [option]: value });
const flag =
  (option: keyof RedisStreamsOptions): Read =>
  (value, name) => {
    if (value !== 'true' && value !== 'false') throw refuse(`${name} must be true or false`);
    return { [option]: value === 'true' };
  };
const nodes =
  (option: 'cluster' | 'sentinels'): Read =>
  (value, name) => ({ [option]: value.split(',').map((node) => hostAndPort(node, name)) });

const COMMON: Readonly<Record<string, Read>> = {
  prefix: text('prefix'),
  batch: text('batch'),
  shareConnection: flag('shareConnection'),
  connectTimeoutMs: number('connectTimeoutMs'),
  commandTimeoutMs: number('commandTimeoutMs'),
  pingIntervalMs: number('pingIntervalMs'),
  maxEventBytes: number('maxEventBytes'),
  cluster: nodes('cluster'),
  sentinels: nodes('sentinels'),
  sentinelName: text('sentinelName'),
};

const STREAMS: Readonly<Record<string, Read>> = {
  ...COMMON,
  maxAgeMs: number('maxAgeMs'),
  maxLength: number('maxLength'),
  claimIntervalMs: number('claimIntervalMs'),
};

/** What a URL says, without its place: which of the two transports, and its options. */
export interface Reading {
  readonly streams: boolean;
  readonly options: Partial<RedisStreamsOptions>;
}

/**
 * `redis:` and `rediss:` (TLS) for pub/sub, `redis+streams:` and `rediss+streams:` for Streams. Query parameters are
 * options; `cluster` and `sentinels` are lists of `host:port`, and `cluster=` alone means the URL's own host.
 * @throws PolycastError `invalid-configuration` `unknown-transport`
 */
export function fromUrl(url: URL): Transport {
  return makeTransport(url, readUrl(url));
}

/** The transport of a URL whose options have been read, and perhaps completed. */
export function makeTransport(url: URL, { streams, options }: Reading): Transport {
  return streams ? redisStreams({ ...options, url }) : redis({ ...options, url });
}

/** @throws PolycastError `invalid-configuration` `unknown-transport` */
export function readUrl(url: URL): Reading {
  const variant = /^rediss?(\+streams)?:$/.exec(url.protocol);
  if (variant === null)
    throw new PolycastError('unknown-transport', `@polycast/redis does not handle ${url.protocol} URLs`);
  const streams = variant[1] !== undefined;
  const known = streams ? STREAMS : COMMON;
  const options: Partial<RedisStreamsOptions> = {};
  for (const [name, value] of url.searchParams) {
    const read = Object.hasOwn(known, name) ? known[name] : undefined;
    if (read === undefined) {
      const elsewhere = !streams && Object.hasOwn(STREAMS, name) ? '; it belongs to redis+streams:' : '';
      throw refuse(`unknown parameter "${name.slice(0, 40)}"${elsewhere || suggestion(name, Object.keys(known))}`);
    }
    if (name === 'cluster' && value === '') {
      Object.assign(options, {
        cluster: [{ host: url.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1', port: Number(url.port || 6379) }],
      });
    } else Object.assign(options, read(value, name));
  }
  return { streams, options };
}

function hostAndPort(node: string, name: string): HostAndPort {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(node);
  if (match === null) throw refuse(`${name} must be a list of host:port`);
  return { host: match[1] ?? match[2] ?? '', port: Number(match[3]) };
}

function refuse(message: string): PolycastError {
  return new PolycastError('invalid-configuration', message);
}
