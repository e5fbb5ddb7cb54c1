import type { ConnectionOptions } from 'node:tls';
import type { Cluster, Redis, RedisOptions } from 'ioredis';

/** @default for `host` */
export const DEFAULT_HOST = '127.0.0.1';
/** @default for `port` */
export const DEFAULT_PORT = 6379;
/** @default for `prefix` */
export const DEFAULT_PREFIX = 'polycast';
/** @default for `connectTimeoutMs` */
export const DEFAULT_CONNECT_TIMEOUT_MS = 5_000;
/** @default for `commandTimeoutMs` */
export const DEFAULT_COMMAND_TIMEOUT_MS = 10_000;
/** @default for `pingIntervalMs` */
export const DEFAULT_PING_INTERVAL_MS = 5_000;
/** @default for `maxEventBytes`: 1 MiB */
export const DEFAULT_MAX_EVENT_BYTES = 1_048_576;
/** @default for `maxAgeMs`: a day */
export const DEFAULT_MAX_AGE_MS = 86_400_000;
/** @default for `maxLength`, in stream entries */
export const DEFAULT_MAX_LENGTH = 100_000;
/** @default for `claimIntervalMs` */
export const DEFAULT_CLAIM_INTERVAL_MS = 500;

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is, and how events travel. What both transports take. */
export interface RedisTransportOptions {
  /** `redis[s]://[user[:password]@]host[:port][/db]`. Other options win over it. */
  readonly url?: string | URL;
  /** @default {@link DEFAULT_HOST} */
  readonly host?: string;
  /** @default {@link DEFAULT_PORT} */
  readonly port?: number;
  /** @default 0 */
  readonly db?: number;
  /** An ACL user. */
  readonly username?: string;
  readonly password?: string;
  /** `true`, or what Node's `tls.connect` takes. @default as the URL's scheme says */
  readonly tls?: boolean | ConnectionOptions;
  /** Ask these Sentinels for the master called `sentinelName`. */
  readonly sentinels?: readonly HostAndPort[];
  /** @default 'mymaster' */
  readonly sentinelName?: string;
  /** Some nodes of a cluster; the others are found through them. */
  readonly cluster?: readonly HostAndPort[];
  /** More of ioredis's own options, for each connection. */
  readonly ioredis?: RedisOptions;
  /** A ready client, which is never closed. Further connections are made like it. */
  readonly client?: Redis | Cluster;
  /**
   * All broadcasters over one transport object share its connection for commands and, on pub/sub without a cluster, the one that
   * listens. `false`: each broadcaster has its own. Reads of Streams block, and have a connection each in any case. @default true
   */
  readonly shareConnection?: boolean;
  /** First part of every channel and key. @default {@link DEFAULT_PREFIX} */
  readonly prefix?: string;
  /** `off`: one event a message, for readers that know no JSON batches. Several times slower in bursts. @default 'on' */
  readonly batch?: 'on' | 'off';
  /** Longest wait for a connection. @default {@link DEFAULT_CONNECT_TIMEOUT_MS} */
  readonly connectTimeoutMs?: number;
  /** Longest wait for the reply to a command. @default {@link DEFAULT_COMMAND_TIMEOUT_MS} */
  readonly commandTimeoutMs?: number;
  /** How often the connection is asked for a sign of life. 0: never. @default {@link DEFAULT_PING_INTERVAL_MS} */
  readonly pingIntervalMs?: number;
  /** Largest encoded event, in bytes. Larger ones are refused, or chunked. @default {@link DEFAULT_MAX_EVENT_BYTES} */
  readonly maxEventBytes?: number;
}

export interface RedisStreamsOptions extends RedisTransportOptions {
  /** How long events are kept, and a durable subscription that nobody resumes. @default {@link DEFAULT_MAX_AGE_MS} */
  readonly maxAgeMs?: number;
  /** Most entries kept for each address, roughly. An entry holds an event or a batch. @default {@link DEFAULT_MAX_LENGTH} */
  readonly maxLength?: number;
  /** How soon a member of a group delivers again what was released. With nothing released it asks the server much less often. @default {@link DEFAULT_CLAIM_INTERVAL_MS} */
  readonly claimIntervalMs?: number;
}
