import { type RetryOptions, ServiceBusClient, type WebSocketOptions } from '@azure/service-bus';
import { type LinkContext, PolycastError } from '@polycast/core/adapter';
import type { ConnectionEvents, ConnectionWatch } from './connection-watch.ts';
import { mapError, sentenceOf } from './map-error.ts';
import { SdkConnectionWatch } from './sdk-internals/connection-watch.ts';
import { PublicConnectionWatch } from './sdk-public/connection-watch.ts';
import { ServiceClock } from './service-clock.ts';
import type { Settings } from './settings.ts';
import { within } from './within.ts';

/** How often a lost connection is tried again, ms. */
export const RECONNECT_INTERVAL_MS = 250;

/** One call to the service that is under way. */
interface Call {
  readonly sinceMs: number;
  readonly fail: (error: PolycastError) => void;
}

/**
 * One client with its connection: tells when that is lost, restored or silent, and lets no call wait for an answer that
 * cannot come any more.
 */
export class Connection {
  readonly client: ServiceBusClient;
  readonly settings: Settings;
  /** Is the SDK used by its public face alone? */
  readonly isPublic: boolean;
  readonly clock = new ServiceClock();
  readonly #context: LinkContext;
  readonly #watch: ConnectionWatch;
  readonly #calls = new Set<Call>();
  readonly #onReturn = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #told = false;
  #downSinceMs: number | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #endings = new Set<Promise<void>>();
  /** The socket of the connection, if it is one over WebSockets: rhea keeps it to itself. */
  #webSocket: unknown;
  /** What the SDK threw, and with that ended its connection. */
  #thrown: PolycastError | undefined;
  /** Counts connections: what came over an earlier one cannot be settled over this one's links. */
  #generation = 0;
  /** Brings the connection back: opens any link. Set by who has one that may be opened. */
  reopen: (() => Promise<unknown>) | undefined;

  constructor(settings: Settings, context: LinkContext) {
    this.settings = settings;
    this.#context = context;
    this.isPublic = settings.publicBecause !== undefined;
    const { access, webSocketOptions, customEndpointAddress, operationTimeoutMs } = settings;
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
      this.client =
        'client' in access
          ? access.client
          : 'connectionString' in access
            ? new ServiceBusClient(access.connectionString, options)
            : new ServiceBusClient(access.fullyQualifiedNamespace, access.credential, options);
    } catch (thrown) {
      const error = mapError(thrown);
      throw new PolycastError('invalid-configuration', sentenceOf(error), { cause: error.cause });
    }
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
          call: (calling) => this.#await(calling),
        })
      : new SdkConnectionWatch(this.client, settings, events);
  }

  get generation(): number {
    return this.#generation;
  }

  get isDown(): boolean {
    return this.#downSinceMs !== undefined;
  }

  /** The connection was opened. @param topic one whose links may be opened */
  start(topic: string): void {
    this.#watch.start?.(topic);
  }

  /** Something failed as what loses its connection does. */
  suspect(error: PolycastError): void {
    // What was ended here is not lost.
    const isOurs = (error.cause as { name?: unknown } | undefined)?.name === 'AbortError';
    if (!isOurs && !this.#closed && !this.isDown) this.#watch.suspect?.(error);
  }

  /** Waits for the answer to a call: until the connection is lost, or the time is over. @throws PolycastError */
  call<Answer>(calling: Promise<Answer>): Promise<Answer> {
    if (!this.isPublic) return this.#await(calling);
    return this.#await(calling).catch((thrown: unknown) => {
      const error = PolycastError.from(thrown);
      // First, so that whoever made the call finds the connection as it is.
      if (error.code === 'disconnected') this.suspect(error);
      throw error;
    });
  }

  #await<Answer>(calling: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call: Call = { sinceMs: performance.now(), fail: reject };
      this.#calls.add(call);
      this.#look();
      calling.then(
        (answer) => {
          this.#calls.delete(call);
          resolve(answer);
        },
        (thrown) => {
          this.#calls.delete(call);
          reject(mapError(thrown));
        },
      );
    });
  }

  /** Resolves when the connection is up, or is closed for good, or the time is over. */
  returned(timeoutMs: number): Promise<void> {
    if (!this.isDown || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#onReturn.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      timer.unref();
      this.#onReturn.add(done);
    });
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

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#watch.end();
    const isGiven = 'client' in this.settings.access;
    const close = () => (isGiven ? undefined : this.client.close());
    const ended = this.isPublic ? Promise.all(this.#endings).then(close) : this.client.close();
    await within(this.settings.closeTimeoutMs, ended);
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#fail(new PolycastError('closed', 'the connection was closed'));
    for (const done of [...this.#onReturn]) done();
    // What did not say goodbye is cut off: it would keep the process alive.
    this.#watch.release();
  }

  // ── loss and return ──

  #down(error: unknown): void {
    this.#generation++;
    const lost = this.#thrown ?? mapError(error ?? new Error('the connection was lost'));
    this.#thrown = undefined;
    const told = lost.code === 'internal' ? new PolycastError('disconnected', sentenceOf(lost), { cause: lost }) : lost;
    if (this.#closed) return;
    this.#fail(told.retryable ? told : new PolycastError('disconnected', sentenceOf(told), { cause: told.cause }));
    if (this.#downSinceMs !== undefined) return;
    this.#downSinceMs = performance.now();
    this.#context.signal({ kind: 'disconnected', error: told });
    // There the watch does it: links that are opened at once get into each other's way.
    if (!this.isPublic) this.#tryAgain();
  }

  #up(): void {
    if (this.#downSinceMs === undefined || this.#closed) return;
    const downMs = performance.now() - this.#downSinceMs;
    this.#downSinceMs = undefined;
    clearTimeout(this.#retry);
    for (const done of [...this.#onReturn]) done();
    // The service keeps what it took: nothing was lost.
    this.#context.signal({ kind: 'reconnected', downMs, mayHaveLost: false });
  }

  /** Receivers come back by themselves. A link that only sends would wait for the next event. */
  #tryAgain(): void {
    this.#retry = setTimeout(() => {
      if (this.#downSinceMs === undefined || this.#closed) return;
      const opening = this.reopen?.() ?? Promise.resolve();
      opening
        .catch(() => {})
        .finally(() => {
          if (this.#downSinceMs !== undefined && !this.#closed) this.#tryAgain();
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

  #fail(error: PolycastError): void {
    for (const call of [...this.#calls]) {
      this.#calls.delete(call);
      call.fail(error);
    }
  }

  // ── silence ──

  /** Runs only while somebody waits for an answer. */
  #look(): void {
    const { stalledAfterMs, operationTimeoutMs } = this.settings;
    if (this.#timer !== undefined || this.#closed) return;
    const period = Math.min(stalledAfterMs || operationTimeoutMs, operationTimeoutMs);
    this.#timer = setInterval(() => this.#check(), Math.max(10, period / 2));
    this.#timer.unref();
  }

  #check(): void {
    const { stalledAfterMs, operationTimeoutMs } = this.settings;
    const oldest = this.#calls.values().next().value;
    if (oldest === undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#told = false;
      return;
    }
    const sinceMs = performance.now() - oldest.sinceMs;
    if (sinceMs < stalledAfterMs) this.#told = false;
    else if (stalledAfterMs > 0 && !this.#told) {
      this.#told = true;
      this.#context.signal({ kind: 'stalled', what: 'server', sinceMs });
    }
    if (sinceMs < operationTimeoutMs) return;
    // It answers nothing: another connection may.
    this.#fail(new PolycastError('timeout', `no answer within ${operationTimeoutMs} ms`));
    this.#watch.drop();
  }
}

/** `ws` waits half a minute for a peer to say goodbye. */
function terminate(socket: unknown): void {
  (socket as { terminate?(): void } | undefined)?.terminate?.();
}
