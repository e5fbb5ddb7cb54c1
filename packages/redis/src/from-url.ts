import { PolycastError, readUrlOptions, type Transport } from '@polycast/core/adapter';
import type { RedisStreamsOptions } from './options.ts';
import { redis } from './pub-sub.ts';
import { REDIS_OPTIONS, STREAMS_OPTIONS } from './settings.ts';
import { redisStreams } from './streams.ts';

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
  return {
    streams,
    options: streams
      ? readUrlOptions(url, STREAMS_OPTIONS)
      : readUrlOptions(url, REDIS_OPTIONS, { 'redis+streams:': STREAMS_OPTIONS }),
  };
}
