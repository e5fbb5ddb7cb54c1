import { type RetryOptions, ServiceBusClient, type WebSocketOptions } from '@azure/service-bus';
import { ConnectionMonitor, PolycastError, reasonOf, settlesWithin } from '@polycast/core/adapter';
import { Calls } from './calls.ts';
import type { ConnectionEvents, ConnectionWatch } from './connection-watch.ts';
import { mapError } from './map-error.ts';
import { SdkConnectionWatch } from './sdk-internals/connection-watch.ts';
import { PublicConnectionWatch } from './sdk-public/connection-watch.ts';
import { ServiceClock } from './service-clock.ts';
import type { Settings } from './settings.ts';

/** How often a lost connection is tried again, ms. */
export const RECONNECT_INTERVAL_MS = 250;

/** One of the links that use a client. */
export interface ClientUser {
  /** One whose links may be opened. Undefined until the topic is known to be there. */
  readonly topic: string | undefined;
  /** Brings the connection back: opens any link. Undefined where none may be opened. */
  readonly reopen: (() => Promise<unknown>) | undefined;
  /** What is under way is lost with the connection. */
  lost(error: PolycastError): void;
  /** The connection is there. */
  returned(): void;
}

/** One client of the SDK with its connection, which links share. Knows when that is lost, restored or silent. */
export class SharedClient {
  readonly client: ServiceBusClient;
  readonly settings: Settings;
  /** Is the SDK used by its public face alone? */
  readonly isPublic: boolean;
  readonly clock = new ServiceClock();
  readonly #watch: ConnectionWatch;
  readonly #calls: Calls;
  readonly #users = new Set<ClientUser>();
  readonly monitor = new ConnectionMonitor();
  /** Whose topic is watched. */
  #watched: ClientUser | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #endings = new Set<Promise<void>>();
  /** The socket of the connection, if it is one over WebSockets: rhea keeps it to itself. */
  #webSocket: unknown;
  /** What the SDK threw, and with that ended its connection. */
  #thrown: PolycastError | undefined;
  /** Counts connections: what came over an earlier one cannot be settled over this one's links. */
  #generation = 0;
  /** When the latest call that was answered had been made. */
  #answeredMs = Number.NEGATIVE_INFINITY;

  /** @throws PolycastError `invalid-configuration` */
  constructor(settings: Settings) {
    this.settings = settings;
    this.isPublic = settings.publicBecause !== undefined;
    this.client = this.#makeClient();
    this.#calls = new Calls({
      settings,
      monitor: this.monitor,
      onLate: () => this.#watch.drop(),
    });
    const events: ConnectionEvents = {
      onDown: (error) => this.#down(error),
      onUp: () => this.#up(),
      onThrown: (thrown) => {
        this.#thrown = mapError(thrown);
      },
      terminate: () => terminate(this.#webSocket),
    };
    this.#watch = this.isPublic
      ? new PublicConnectionWatch({
          client: this.client,
          keepAliveMs: settings.keepAliveMs,
          events,
          isShared: () => this.isShared,
          call: (calling) => this.#calls.wait(calling),
        })
      : new SdkConnectionWatch(this.client, settings, events);
  }

  #makeClient(): ServiceBusClient {
    const { access, webSocketOptions, customEndpointAddress, operationTimeoutMs } = this.settings;
    const retryOptions: RetryOptions = {
      // Core tries again, in order.
      maxRetries: 0,
      retryDelayInMs: RECONNECT_INTERVAL_MS,
      maxRetryDelayInMs: RECONNECT_INTERVAL_MS,
      timeoutInMs: operationTimeoutMs,
    };
    const options = {
      retryOptions,
      ...(webSocketOptions === undefined ? {} : { webSocketOptions: this.#observed(webSocketOptions) }),
      ...(customEndpointAddress === undefined ? {} : { customEndpointAddress }),
    };
    try {
      if ('client' in access) return access.client;
      return 'connectionString' in access
        ? new ServiceBusClient(access.connectionString, options)
        : new ServiceBusClient(access.fullyQualifiedNamespace, access.credential, options);
    } catch (thrown) {
      const error = mapError(thrown);
      throw new PolycastError('invalid-configuration', reasonOf(error), { cause: error.cause });
    }
  }

  get generation(): number {
    return this.#generation;
  }

  get isDown(): boolean {
    return this.monitor.isDown;
  }

  /** Is any other link on it? */
  get isShared(): boolean {
    return this.#users.size > 1;
  }

  join(user: ClientUser): void {
    this.#users.add(user);
  }

  /** A user's topic may be opened from now on. */
  start(user: ClientUser): void {
    if (this.#watched === undefined) this.#follow(user);
  }

  leave(user: ClientUser): void {
    this.#users.delete(user);
    if (this.#watched !== user) return;
    this.#watched = undefined;
    const other = [...this.#users].find(({ topic }) => topic !== undefined);
    if (other !== undefined) this.#follow(other);
  }

  #follow(user: ClientUser): void {
    this.#watched = user;
    this.#watch.start?.(user.topic as string);
  }

  suspect(error: PolycastError): void {
    if (!this.#closed && !this.isDown) this.#watch.suspect?.(error);
  }

  /** A link was answered. @param calledAtMs by the monotonic clock */
  answered(calledAtMs: number): void {
    if (calledAtMs > this.#answeredMs) this.#answeredMs = calledAtMs;
  }

  /**
   * A link got no answer in time. Where another one was answered since, the connection is sound: what is wrong is the link's own, and
   * must not cost the others theirs.
   */
  unanswered(calledAtMs: number): void {
    if (this.isShared && this.#answeredMs > calledAtMs) return;
    this.#watch.drop();
  }

  /**
   * On the public face of the SDK, a receiver that is closed while it is being drained, or with its client, leaves a promise that nobody
   * handles and that fails a minute later. So one is ended after the other, also where it takes longer than anybody waits.
   */
  ending(work: Promise<unknown>): Promise<void> {
    const ending = work
      .then(
        () => {},
        () => {},
      )
      .finally(() => this.#endings.delete(ending));
    this.#endings.add(ending);
    return ending;
  }

  /** After every link has left. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#watch.end();
    const isGiven = 'client' in this.settings.access;
    const close = () => (isGiven ? undefined : this.client.close());
    const ended = this.isPublic ? Promise.all(this.#endings).then(close) : this.client.close();
    await settlesWithin(this.settings.closeTimeoutMs, ended);
    this.#calls.end(new PolycastError('closed', 'the connection was closed'));
    // What did not say goodbye is cut off: it would keep the process alive.
    this.#watch.release();
  }

  // ── loss and return ──

  #down(error: unknown): void {
    this.#generation++;
    const lost = this.#thrown ?? mapError(error ?? new Error('the connection was lost'));
    this.#thrown = undefined;
    const told = lost.code === 'internal' ? new PolycastError('disconnected', reasonOf(lost), { cause: lost }) : lost;
    if (this.#closed) return;
    const failure = told.retryable ? told : new PolycastError('disconnected', reasonOf(told), { cause: told.cause });
    this.#calls.fail(failure);
    for (const user of [...this.#users]) user.lost(failure);
    // On the public face the watch tries: links that are opened at once get into each other's way.
    if (this.monitor.down(told) && !this.isPublic) this.#tryAgain(0);
  }

  #up(): void {
    if (!this.isDown || this.#closed) return;
    clearTimeout(this.#retry);
    for (const user of [...this.#users]) user.returned();
    // The service keeps what it took: nothing was lost.
    this.monitor.up({ mayHaveLost: false });
  }

  /** Receivers come back by themselves. A link that only sends would wait for the next event. */
  #tryAgain(times: number): void {
    this.#retry = setTimeout(() => {
      if (!this.isDown || this.#closed) return;
      // Each in turn: the topic of one may be gone.
      const able = [...this.#users].flatMap(({ reopen }) => reopen ?? []);
      const opening = able[times % able.length]?.() ?? Promise.resolve();
      opening
        .catch(() => {})
        .finally(() => {
          if (this.isDown && !this.#closed) this.#tryAgain(times + 1);
        });
    }, RECONNECT_INTERVAL_MS);
    this.#retry.unref();
  }

  #observed(options: WebSocketOptions): WebSocketOptions {
    const given = (options.webSocket ?? globalThis.WebSocket) as new (...args: unknown[]) => object;
    const observe = (socket: object) => {
      this.#webSocket = socket;
    };
    const { ipv6 } = this.settings;
    const address = ipv6 === undefined ? undefined : `wss://[${ipv6.host}]:${ipv6.port}/$servicebus/websocket`;
    function ObservedWebSocket(url: unknown, ...args: unknown[]): object {
      const socket = new given(address ?? url, ...args);
      observe(socket);
      return socket;
    }
    return { ...options, webSocket: ObservedWebSocket as unknown as NonNullable<WebSocketOptions['webSocket']> };
  }
}

/** `ws` waits half a minute for a peer to say goodbye. */
function terminate(socket: unknown): void {
  (socket as { terminate?(): void } | undefined)?.terminate?.();
}
