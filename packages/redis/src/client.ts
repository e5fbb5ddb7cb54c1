import { PolycastError } from '@polycast/core/adapter';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { mapError } from './map-error.ts';
import { protocolMismatch } from './protocol-mismatch.ts';
import { type History, REPLICA_ERROR, RoleQuestion } from './server-role.ts';
import type { Settings } from './settings.ts';
import { Sockets } from './sockets.ts';

/** First and longest wait before another try to reconnect, in ms. */
const RECONNECT_FIRST_MS = 20;
const RECONNECT_LONGEST_MS = 2_000;
/**
 * While a server loads its data it is asked again after so long, in ms. What it says is left would not do: in the first seconds
 * that may be minutes where it is a moment, and the driver waits up to ten seconds for it.
 */
const LOADING_RETRY_MS = 500;
/** Longest wait for a goodbye, in ms. A server that is silent for that long is left without it. */
export const GOODBYE_TIMEOUT_MS = 1_000;

/** Replies in the shapes of ioredis 5, which are the default of ioredis 6: its types ask for the word. */
type LegacyOptions = RedisOptions & { readonly replyMapping?: 'legacy' };

/** The server that the connection for commands has come back to. */
export interface Found {
  readonly history: History | undefined;
  /** By all that servers say, it holds the data that it held before. */
  readonly isSame: boolean;
  /** It had been lost then, by the monotonic clock, ms. */
  readonly lostAtMs: number;
}

/** A command under way when the connection is lost rejects. */
export interface Commands {
  readonly client: Redis | Cluster;
  readonly isCluster: boolean;
  /** Of the data of the server that was asked last. Not asked of a cluster. */
  history: History | undefined;
  /**
   * A further connection, not yet open, which does not restore itself, to the server that holds `key`.
   * @param afresh asks a cluster first which one that is: what is known may be out of date
   */
  dedicated(key: string, afresh: boolean): Promise<Redis>;
  /** Is this connection's server still the one that holds `key`, as far as known? */
  isOwner(redis: Redis, key: string): boolean;
  /** Calls back when keys may belong to another server now. @returns a function that ends it */
  onMoved(listener: (found: Found | undefined) => void): () => void;
  /** Another server takes over; or may have, where it says which was found. */
  moved(found?: Found): void;
  close(): Promise<void>;
}

/** @throws PolycastError `unreachable` `unauthorized` `protocol-mismatch` within `connectTimeoutMs` */
export async function openCommands(settings: Settings): Promise<Commands> {
  const { client: given, connectTimeoutMs } = settings;
  const state = { opened: false };
  const sockets = new Sockets();
  const client = given ?? makeClient(settings, state, sockets);
  // Without a listener ioredis writes to the console. Lost connections are told by `close`.
  const seen = watchErrors(client);
  const mismatch = given === undefined ? protocolMismatch(settings) : undefined;
  let history: History | undefined;
  try {
    history = await within(
      connectTimeoutMs,
      connected(client).then(() => requirePrimary(client)),
      () => seen.error,
    );
    // ioredis goes on when SELECT was refused: in another database than the one asked for.
    if (seen.error !== undefined && mapError(seen.error).code === 'invalid-configuration') throw seen.error;
  } catch (thrown) {
    const error = mapError(seen.error ?? thrown, 'open');
    seen.stop();
    if (given === undefined) {
      disconnectNow(client);
      await sockets.end();
    }
    throw (await mismatch?.reason(error)) ?? error;
  } finally {
    mismatch?.stop();
  }
  state.opened = true;
  const listeners = new Set<(found: Found | undefined) => void>();
  const moved = (found?: Found) => {
    for (const listener of listeners) listener(found);
  };
  const refreshed = () => moved();
  if (isCluster(client)) client.on('refresh', refreshed);
  return {
    client,
    isCluster: isCluster(client),
    history,
    dedicated: async (key, afresh) => {
      if (afresh && isCluster(client)) await refreshSlots(client);
      return dedicatedClient(client, settings, key, sockets);
    },
    isOwner: (redis, key) => !isCluster(client) || ownerOf(client, key) === addressOf(redis),
    onMoved: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    moved,
    close: async () => {
      client.off('refresh', refreshed);
      if (given === undefined) await goodbye(client);
      seen.stop();
      await sockets.end();
    },
  };
}

/** A replica accepts a connection, and what is published to it reaches nobody else. */
async function requirePrimary(client: Redis | Cluster): Promise<History | undefined> {
  if (isCluster(client)) return undefined;
  const { role, history } = await new RoleQuestion().ask(client);
  if (role === 'replica') throw new PolycastError('unreachable', REPLICA_ERROR.replace('READONLY ', ''));
  return history;
}

export function isCluster(client: Redis | Cluster): client is Cluster {
  return 'nodes' in client && typeof client.nodes === 'function';
}

/** Says goodbye, so that the server lets go at once, and ends the connection in any case. */
export async function goodbye(client: Redis | Cluster): Promise<void> {
  if (client.status === 'ready') {
    await within(GOODBYE_TIMEOUT_MS, client.quit(), () => undefined).catch(ignore);
  }
  disconnectNow(client);
}

/** Without a goodbye. */
export function disconnectNow(client: Redis | Cluster): void {
  client.on('error', ignore);
  if (client.status === 'end') return;
  client.disconnect();
  flush(client);
}

/** Rejects what waits for a connection: in some states ioredis leaves it waiting for ever, and its timers running. */
function flush(client: Redis | Cluster): void {
  (client as unknown as { flushQueue?(error: Error): void }).flushQueue?.(new Error('Connection is closed.'));
}

/** The connection to the server of a cluster that holds `key`, as far as known. */
export function nodeFor(cluster: Cluster, key: string): Redis | undefined {
  const owner = ownerOf(cluster, key);
  return cluster.nodes('all').find((node) => addressOf(node) === owner);
}

/** The address of the server of a cluster that holds `key`, as far as known. */
export function ownerOf(cluster: Cluster, key: string): string | undefined {
  return cluster.slots[slotOf(key)]?.[0];
}

/** Asks a cluster which server holds what. @throws the driver's error if no server answers */
export function refreshSlots(cluster: Cluster): Promise<void> {
  return new Promise((resolve, reject) => {
    cluster.refreshSlotsCache((error) => (error ? reject(error) : resolve()));
  });
}

/** `host:port`, as a cluster names its servers. */
export function addressOf({ options: { host, port } }: Redis): string {
  return `${host}:${port}`;
}

export function reconnectDelayMs(times: number): number {
  const bound = Math.min(RECONNECT_LONGEST_MS, RECONNECT_FIRST_MS * 2 ** Math.min(times, 10));
  return bound / 2 + Math.random() * (bound / 2);
}

/** The parts of a wait. */
const SLICES = 5;

/**
 * Rejects with what `reason` gives, or with "timed out", should the promise not settle in time. Time in which this
 * process was too busy to read what had come is not held against the server: each part of the wait counts when it is over.
 */
export async function within<Value>(timeoutMs: number, promise: Promise<Value>, reason: () => unknown): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const wait = (slices: number): void => {
      timer = setTimeout(() => {
        if (slices > 1) wait(slices - 1);
        else reject(reason() ?? new Error(`timed out after ${timeoutMs} ms`));
      }, timeoutMs / SLICES);
    };
    wait(SLICES);
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

function makeClient(settings: Settings, state: { readonly opened: boolean }, sockets: Sockets): Redis | Cluster {
  // The first failure to open is the caller's to know; later ones are ours to mend.
  const retryStrategy = (times: number) => (state.opened ? reconnectDelayMs(times) : null);
  const common = connectionOptions(settings, sockets);
  if (settings.cluster !== undefined) {
    const cluster = new Cluster([...settings.cluster], {
      lazyConnect: true,
      clusterRetryStrategy: retryStrategy,
      redisOptions: common as LegacyOptions,
      slotsRefreshTimeout: settings.connectTimeoutMs,
      // As below: what was under way when a connection broke rejects at once.
      retryDelayOnFailover: 0,
    });
    // So does what waits for the cluster, when another try to reach it failed.
    cluster.on('close', () => flush(cluster));
    return cluster;
  }
  return new Redis({
    ...common,
    ...(settings.sentinels === undefined
      ? { host: settings.host, port: settings.port }
      : { sentinels: settings.sentinels.map((node) => ({ ...node })), name: settings.sentinelName ?? 'mymaster' }),
    db: settings.db,
    retryStrategy,
  } as LegacyOptions);
}

function connectionOptions(settings: Settings, sockets: Sockets): RedisOptions {
  const { username, password, tls } = settings;
  return {
    Connector: sockets.connector(settings.sentinels !== undefined),
    // A Sentinel that accepts a connection and answers nothing is left for the next one.
    sentinelCommandTimeout: Math.ceil(settings.connectTimeoutMs / 2),
    // While opening, our own limit counts: see `within`.
    connectTimeout: 2 * settings.connectTimeoutMs,
    commandTimeout: settings.commandTimeoutMs,
    maxLoadingRetryTime: LOADING_RETRY_MS,
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

function dedicatedClient(client: Redis | Cluster, settings: Settings, key: string, sockets: Sockets): Redis {
  const options: RedisOptions = {
    lazyConnect: true,
    retryStrategy: null,
    autoResubscribe: false,
    maxRetriesPerRequest: null,
    enableOfflineQueue: false,
    connectTimeout: 2 * settings.connectTimeoutMs,
    commandTimeout: settings.commandTimeoutMs,
  };
  if (!isCluster(client)) {
    const { Connector, sentinels } = client.options;
    return client.duplicate({ ...options, Connector: Connector ?? sockets.connector(Boolean(sentinels)) });
  }
  const node = nodeFor(client, key) ?? client.nodes('master')[0];
  if (node === undefined) throw new Error('Connection is closed.');
  return new Redis({
    Connector: sockets.connector(false),
    ...client.options.redisOptions,
    host: node.options.host,
    port: node.options.port,
    tls: node.options.tls,
    ...options,
  } as LegacyOptions);
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
