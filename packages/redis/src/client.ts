import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { mapError } from './map-error.ts';
import type { Settings } from './settings.ts';

/** First and longest wait before another try to reconnect, in ms. */
const RECONNECT_FIRST_MS = 20;
const RECONNECT_LONGEST_MS = 2_000;
/** Longest wait for a goodbye, in ms. A server that is silent for that long is left without it. */
export const GOODBYE_TIMEOUT_MS = 1_000;

/** The connection for commands. A command under way when it is lost rejects; the next one waits for it to come back. */
export interface Commands {
  readonly client: Redis | Cluster;
  readonly isCluster: boolean;
  /** A further connection to the server that holds `key`, not yet open, which does not restore itself. */
  dedicated(key: string, override: RedisOptions): Redis;
  close(): Promise<void>;
}

/** @throws PolycastError `unreachable` `unauthorized` `protocol-mismatch` within `connectTimeoutMs` */
export async function openCommands(settings: Settings): Promise<Commands> {
  const { client: given } = settings;
  const state = { opened: false };
  const client = given ?? makeClient(settings, state);
  // Without a listener ioredis writes to the console. Lost connections are told by `close`.
  const seen = watchErrors(client);
  try {
    await within(settings.connectTimeoutMs, connected(client), () => seen.error);
    // ioredis goes on when SELECT was refused: in another database than the one asked for.
    if (seen.error !== undefined && mapError(seen.error).code === 'invalid-configuration') throw seen.error;
  } catch (thrown) {
    seen.stop();
    if (given === undefined) {
      client.on('error', ignore);
      client.disconnect();
    }
    throw mapError(seen.error ?? thrown, 'open');
  }
  state.opened = true;
  return {
    client,
    isCluster: isCluster(client),
    dedicated: (key, override) => dedicatedClient(client, settings, key, override),
    close: async () => {
      if (given === undefined) await goodbye(client);
      seen.stop();
    },
  };
}

export function isCluster(client: Redis | Cluster): client is Cluster {
  return 'nodes' in client && typeof client.nodes === 'function';
}

/** Says goodbye, so that the server lets go at once, and ends the connection in any case. */
export async function goodbye(client: Redis | Cluster): Promise<void> {
  if (client.status === 'ready') {
    await within(GOODBYE_TIMEOUT_MS, client.quit(), () => undefined).catch(ignore);
  }
  client.on('error', ignore);
  if (client.status !== 'end') client.disconnect();
}

export function reconnectDelayMs(times: number): number {
  const bound = Math.min(RECONNECT_LONGEST_MS, RECONNECT_FIRST_MS * 2 ** Math.min(times, 10));
  return bound / 2 + Math.random() * (bound / 2);
}

/** Rejects with what `reason` gives, or with "timed out", should the promise not settle in time. */
export async function within<Value>(timeoutMs: number, promise: Promise<Value>, reason: () => unknown): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(reason() ?? new Error(`timed out after ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The last error a client told of, which says more than "Connection is closed". */
export function watchErrors(client: Redis | Cluster): { readonly error: unknown; stop(): void } {
  const seen = {
    error: undefined as unknown,
    stop: () => {
      client.off('error', listen);
    },
  };
  const listen = (error: unknown) => {
    seen.error = error;
  };
  client.on('error', listen);
  return seen;
}

function makeClient(settings: Settings, state: { readonly opened: boolean }): Redis | Cluster {
  // The first failure to open is the caller's to know; later ones are ours to mend.
  const retryStrategy = (times: number) => (state.opened ? reconnectDelayMs(times) : null);
  const common = connectionOptions(settings);
  if (settings.cluster !== undefined) {
    return new Cluster([...settings.cluster], {
      lazyConnect: true,
      clusterRetryStrategy: retryStrategy,
      redisOptions: common,
      slotsRefreshTimeout: settings.connectTimeoutMs,
    });
  }
  return new Redis({
    ...common,
    ...(settings.sentinels === undefined
      ? { host: settings.host, port: settings.port }
      : { sentinels: settings.sentinels.map((node) => ({ ...node })), name: settings.sentinelName ?? 'mymaster' }),
    db: settings.db,
    retryStrategy,
  });
}

function connectionOptions(settings: Settings): RedisOptions {
  const { username, password, tls } = settings;
  return {
    connectTimeout: settings.connectTimeoutMs,
    commandTimeout: settings.commandTimeoutMs,
    // A demoted master says READONLY: the address leads elsewhere by now.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    ...settings.ioredis,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    lazyConnect: true,
    // What was under way when the connection broke rejects at once; core knows what may be tried again.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  };
}

function dedicatedClient(client: Redis | Cluster, settings: Settings, key: string, override: RedisOptions): Redis {
  const options: RedisOptions = {
    lazyConnect: true,
    retryStrategy: null,
    autoResubscribe: false,
    maxRetriesPerRequest: null,
    enableOfflineQueue: false,
    connectTimeout: settings.connectTimeoutMs,
    commandTimeout: settings.commandTimeoutMs,
    ...override,
  };
  if (!isCluster(client)) return client.duplicate(options);
  const owner = client.slots[slotOf(key)]?.[0];
  const node =
    client.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === owner) ??
    client.nodes('master')[0];
  if (node === undefined) throw new Error('Connection is closed.');
  return new Redis({
    ...client.options.redisOptions,
    host: node.options.host,
    port: node.options.port,
    tls: node.options.tls,
    ...options,
  } as RedisOptions);
}

/** CRC16 (XMODEM) of the hash tag, modulo 16384. @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ */
export function slotOf(key: string): number {
  const tag = /\{([^}]+)\}/.exec(key)?.[1] ?? key;
  let crc = 0;
  for (const byte of new TextEncoder().encode(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc % 16_384;
}

function connected(client: Redis | Cluster): Promise<void> {
  if (client.status === 'ready') return Promise.resolve();
  if (client.status === 'wait' || client.status === 'end') return client.connect();
  return new Promise((resolve, reject) => {
    client.once('ready', resolve);
    client.once('end', () => reject(new Error('Connection is closed.')));
  });
}

function ignore(): void {}
