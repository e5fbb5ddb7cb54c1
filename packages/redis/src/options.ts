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

/** Options of both Redis transports: the server and how events are sent. Invalid values are rejected with `invalid-configuration`. */
export interface RedisTransportOptions {
  /** `redis[s]://[user[:password]@]host[:port][/db]`. Other options take precedence. */
  readonly url?: string | URL;
  /** Host name or address. @default {@link DEFAULT_HOST} */
  readonly host?: string;
  /** TCP port. @default {@link DEFAULT_PORT} */
  readonly port?: number;
  /** Database number. @default 0 */
  readonly db?: number;
  /** The ACL user. @default none: the server's default user */
  readonly username?: string;
  /** @default none */
  readonly password?: string;
  /** `true`, or options of Node's `tls.connect`. @default true for a `rediss:` URL, else false */
  readonly tls?: boolean | ConnectionOptions;
  /** Sentinels that know the master `sentinelName`. @default none */
  readonly sentinels?: readonly HostAndPort[];
  /** The name of the master in Sentinel. @default 'mymaster' */
  readonly sentinelName?: string;
  /** Some nodes of a cluster, from which the others are discovered. @default none */
  readonly cluster?: readonly HostAndPort[];
  /** Further options of ioredis, for each connection. @default none */
  readonly ioredis?: RedisOptions;
  /** An existing client, which is never closed. Further connections use its options. @default none */
  readonly client?: Redis | Cluster;
  /**
   * All broadcasters over one transport object share its command connection and, on pub/sub without a cluster, its subscriber
   * connection. `false`: each broadcaster has its own. Blocking reads of Streams always use separate connections. @default true
   */
  readonly shareConnection?: boolean;
  /** Prefix of every channel and key. @default {@link DEFAULT_PREFIX} */
  readonly prefix?: string;
  /** `off`: one event per message, for readers that do not support JSON batches. Several times slower in bursts. @default 'on' */
  readonly batch?: 'on' | 'off';
  /** Maximum wait for a connection, ms. Then `unreachable`. @default {@link DEFAULT_CONNECT_TIMEOUT_MS} */
  readonly connectTimeoutMs?: number;
  /** Maximum wait for the reply to a command, ms. Then `timeout`. @default {@link DEFAULT_COMMAND_TIMEOUT_MS} */
  readonly commandTimeoutMs?: number;
  /** Interval of connection checks (PING), ms. 0: none. @default {@link DEFAULT_PING_INTERVAL_MS} */
  readonly pingIntervalMs?: number;
  /** Maximum size of an encoded event, bytes. Larger ones are rejected with `payload-too-large`, or chunked. @default {@link DEFAULT_MAX_EVENT_BYTES} */
  readonly maxEventBytes?: number;
}

export interface RedisStreamsOptions extends RedisTransportOptions {
  /** How long events, and durable subscriptions that are not resumed, are retained, ms. @default {@link DEFAULT_MAX_AGE_MS} */
  readonly maxAgeMs?: number;
  /** Approximate maximum number of entries retained per address. An entry contains one event or a batch. @default {@link DEFAULT_MAX_LENGTH} */
  readonly maxLength?: number;
  /** How soon a group member redelivers released events, ms. Without released events it polls the server much less often. @default {@link DEFAULT_CLAIM_INTERVAL_MS} */
  readonly claimIntervalMs?: number;
}
