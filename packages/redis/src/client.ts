import { PolycastError, type Share, settlesWithin, within } from '@polycast/core/adapter';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { mapError } from './map-error.ts';
import { protocolMismatch } from './protocol-mismatch.ts';
import { type History, REPLICA_ERROR, RoleQuestion, type Standing } from './server-role.ts';
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

/** Hears what happens to the client. */
export interface ClientListener {
  readonly error: (error: unknown) => void;
  readonly close: () => void;
  readonly ready: () => void;
  /** A cluster goes on without this server. */
  readonly nodeLost: (node: Redis) => void;
}

/** The connection for commands, of one link or of several. A command under way when the connection is lost rejects. */
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
  /** One listener of ours on the client, however many links listen. @returns a function that ends it */
  listen(listener: ClientListener): () => void;
  /**
   * Is it a primary? One round trip, which links that ask at about the same time share: a keep-alive of one proves as much to the others.
   * @param isRoutine false: no answer from before the call will do
   */
  standing(redis: Redis, isRoutine: boolean): Promise<Standing>;
  /** Resolves when a further link may use it. @throws PolycastError `unreachable` `unauthorized` within `connectTimeoutMs` */
  usable(abortSignal: AbortSignal | undefined): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param abortSignal aborted when no link waits for it any longer
 * @throws PolycastError `unreachable` `unauthorized` `protocol-mismatch` within `connectTimeoutMs`; `aborted`
 */
export async function openCommands(settings: Settings, abortSignal?: AbortSignal): Promise<Commands> {
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
      { late: () => seen.error, abortSignal },
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
    throw (abortSignal?.aborted ? undefined : await mismatch?.reason(error)) ?? error;
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
  const fan = new ClientFan(client);
  const keepAlive = new SharedQuestion(settings.pingIntervalMs / 2);
  let isNew = true;
  const commands: Commands = {
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
    listen: (listener) => fan.add(listener),
    standing: (redis, isRoutine) => keepAlive.ask(redis, fan.life, isRoutine),
    usable: async (abortSignal) => {
      // Its opening has just proved it.
      if (isNew) {
        isNew = false;
        return;
      }
      try {
        const waited = fan.ready().then(() => requirePrimary(client));
        commands.history = await within(connectTimeoutMs, waited, { late: () => fan.error, abortSignal });
      } catch (thrown) {
        throw mapError(thrown, 'open');
      }
    },
    close: async () => {
      client.off('refresh', refreshed);
      fan.end();
      if (given === undefined) await goodbye(client);
      seen.stop();
      await sockets.end();
    },
  };
  return commands;
}

/** The share, once a link may use its connection: another one may have lost it. @throws PolycastError */
export async function usable<Value extends Pick<Commands, 'usable'>>(
  share: Share<Value>,
  abortSignal: AbortSignal | undefined,
): Promise<Share<Value>> {
  try {
    await share.value.usable(abortSignal);
    return share;
  } catch (thrown) {
    await share.release();
    throw thrown;
  }
}

/** What happens to a client, passed on to all who listen, in the order they came. */
class ClientFan {
  readonly #client: Redis | Cluster;
  readonly #listeners = new Set<ClientListener>();
  /** Counts connections and their ends. */
  life = 0;
  /** Why it is not there, as far as known. */
  error: unknown;
  #waiting: (() => void)[] = [];

  constructor(client: Redis | Cluster) {
    this.#client = client;
    client.on('error', this.#onError).on('close', this.#onClose).on('ready', this.#onReady);
    if (isCluster(client)) client.on('-node', this.#onNodeLost);
  }

  add(listener: ClientListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when the client, which restores itself, is connected. */
  ready(): Promise<void> {
    if (this.#client.status === 'ready') return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  end(): void {
    this.#listeners.clear();
    this.#client.off('error', this.#onError).off('close', this.#onClose).off('ready', this.#onReady);
    this.#client.off('-node', this.#onNodeLost);
  }

  readonly #onError = (error: unknown): void => {
    this.error = error;
    for (const listener of [...this.#listeners]) listener.error(error);
  };
  readonly #onClose = (): void => {
    this.life++;
    for (const listener of [...this.#listeners]) listener.close();
  };
  readonly #onReady = (): void => {
    this.life++;
    this.error = undefined;
    for (const listener of [...this.#listeners]) listener.ready();
    for (const resolve of this.#waiting.splice(0)) resolve();
  };
  readonly #onNodeLost = (node: Redis): void => {
    for (const listener of [...this.#listeners]) listener.nodeLost(node);
  };
}

/** The role of the server at the other end, asked once for all who want to know it at about the same time. */
class SharedQuestion {
  readonly #question = new RoleQuestion();
  readonly #freshMs: number;
  #asking: { readonly life: number; readonly answer: Promise<Standing> } | undefined;
  #known: { readonly life: number; readonly standing: Standing; readonly atMs: number } | undefined;

  /** @param freshMs how long an answer will do for a keep-alive */
  constructor(freshMs: number) {
    this.#freshMs = freshMs;
  }

  ask(redis: Redis, life: number, isRoutine: boolean): Promise<Standing> {
    const known = this.#known;
    if (isRoutine && known?.life === life && performance.now() - known.atMs < this.#freshMs) {
      return Promise.resolve(known.standing);
    }
    if (this.#asking?.life === life) return this.#asking.answer;
    const answer = this.#question.ask(redis).then((standing) => {
      // That it is a replica is asked again and again, until it is none.
      this.#known = standing.role === 'replica' ? undefined : { life, standing, atMs: performance.now() };
      return standing;
    });
    const asking = { life, answer };
    const end = () => {
      if (this.#asking === asking) this.#asking = undefined;
    };
    this.#asking = asking;
    answer.then(end, end);
    return answer;
  }
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

/** It, if it is connected. */
export function ready(redis: Redis | undefined): Redis | undefined {
  return redis?.status === 'ready' ? redis : undefined;
}

/** Says goodbye, so that the server lets go at once, and ends the connection in any case. */
export async function goodbye(client: Redis | Cluster): Promise<void> {
  if (client.status === 'ready') {
    await settlesWithin(GOODBYE_TIMEOUT_MS, client.quit());
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
