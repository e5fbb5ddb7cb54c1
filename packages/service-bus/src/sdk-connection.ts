import type { ServiceBusClient } from '@azure/service-bus';

/** What rhea tells about a connection. */
interface RheaConnection {
  readonly socket?: { destroy(error: Error): void };
  readonly options?: { idle_time_out?: number };
  readonly local?: { open?: { idle_time_out?: number } };
}

interface SdkConnection {
  createReceiver(options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
  readonly _connection?: RheaConnection;
  readonly error?: unknown;
  open(options?: unknown): Promise<unknown>;
  isOpen(): boolean;
  on(event: string, listener: (context: { error?: unknown }) => void): unknown;
}

/** Asks to be let in. Waits a minute for the answer, and with it whoever wants the same link. */
type Negotiate = (audience: string, token: string, type: unknown, options: NegotiateOptions) => Promise<unknown>;

interface NegotiateOptions {
  readonly abortSignal?: AbortSignal;
  readonly timeoutInMs?: number;
}

interface SdkContext {
  connection: SdkConnection;
  readonly cbsSession: { negotiateClaim: Negotiate };
  wasConnectionCloseCalled: boolean;
  refreshConnection(): void;
}

/** What is told of the connection beneath a client. */
export interface ConnectionEvents {
  /** @param error what was said, if anything */
  onDown(error: unknown): void;
  onUp(): void;
}

/**
 * The SDK tells nobody that its connection was lost: receivers come back by themselves, senders when they are next used. This
 * looks beneath: at `_connectionContext` of version 7.9.5, which is why the version is fixed.
 * @throws TypeError for an SDK without it
 */
export class SdkConnectionWatch {
  readonly #context: SdkContext;
  readonly #events: ConnectionEvents;
  readonly #idleMs: number;
  /** Ends what still waits for a receiver to open: the SDK does not, and would keep the process for a minute. */
  readonly #released = new AbortController();
  #ended = false;

  /** @param keepAliveMs silence after which the connection counts as lost */
  constructor(client: ServiceBusClient, keepAliveMs: number, events: ConnectionEvents) {
    const context = (client as unknown as { _connectionContext?: SdkContext })._connectionContext;
    if (typeof context?.refreshConnection !== 'function') throw new TypeError('@azure/service-bus 7.9.5 is needed');
    this.#context = context;
    this.#events = events;
    // rhea gives up after twice the time it asked the peer to be heard in.
    this.#idleMs = Math.round(keepAliveMs / 2);
    const refresh = context.refreshConnection;
    context.refreshConnection = () => {
      refresh.call(context);
      this.#attach();
    };
    this.#attach();
  }

  get isOpen(): boolean {
    return this.#context.connection.isOpen();
  }

  /** Ends the connection without a word. The SDK makes another, unless its client was closed. */
  drop(): void {
    // Without an error rhea would not notice.
    this.#context.connection._connection?.socket?.destroy(lostError());
  }

  /** Nothing is told any more. */
  end(): void {
    this.#ended = true;
  }

  /** After the client was closed: nobody waits for anything any more. */
  release(): void {
    this.#released.abort();
    this.drop();
  }

  #attach(): void {
    const { connection, cbsSession } = this.#context;
    const createReceiver = connection.createReceiver.bind(connection);
    connection.createReceiver = (options) => {
      const abortSignal = either(options?.abortSignal, this.#released.signal);
      return createReceiver({ ...options, abortSignal });
    };
    const lost = new AbortController();
    endWith(lost.signal, cbsSession);
    const rhea = connection._connection;
    if (rhea?.options !== undefined) rhea.options.idle_time_out = this.#idleMs;
    if (rhea?.local?.open !== undefined) rhea.local.open.idle_time_out = this.#idleMs;
    connection.on('connection_open', () => {
      if (!this.#ended) this.#events.onUp();
    });
    connection.on('disconnected', ({ error }) => {
      lost.abort();
      // The SDK makes another, but who waited for the same link would open this one again, half a frame in its memory.
      connection.open = () => Promise.reject(lostError());
      if (!this.#ended && !this.#context.wasConnectionCloseCalled) this.#events.onDown(error ?? connection.error);
    });
  }
}

/** The SDK does not notice that the answer to a token cannot come any more: for a minute it would connect to nothing. */
function endWith(lost: AbortSignal, session: SdkContext['cbsSession']): void {
  const negotiate: Negotiate = session.negotiateClaim.bind(session);
  session.negotiateClaim = async (audience, token, type, options) => {
    const { abortSignal } = options;
    const signal = either(abortSignal, lost);
    try {
      return await negotiate(audience, token, type, { ...options, abortSignal: signal });
    } catch (thrown) {
      // An AbortError would end the SDK's tries for good.
      if (!lost.aborted) throw thrown;
      throw lostError();
    }
  };
}

function either(one: AbortSignal | undefined, other: AbortSignal): AbortSignal {
  return one === undefined ? other : AbortSignal.any([one, other]);
}

/** As the SDK makes them. */
function lostError(): Error {
  return Object.assign(new Error('the connection was lost'), { name: 'ConnectionLostError', retryable: true });
}
