import type { ServiceBusClient } from '@azure/service-bus';
import type { ConnectionEvents, ConnectionWatch } from '../connection-watch.ts';
import type { Ipv6Address, Settings } from '../settings.ts';
import { failSettlements, lostError, type SdkConnection, SdkGuard, type Settling } from './guard.ts';

/** Asks to be let in. Waits a minute for the answer, and with it whoever wants the same link. */
type Negotiate = (audience: string, token: string, type: unknown, options: object) => Promise<unknown>;

interface SdkContext {
  connection: SdkConnection;
  readonly cbsSession: {
    init(options?: unknown): Promise<void>;
    negotiateClaim: Negotiate;
    close(): Promise<void>;
  };
  readonly messageReceivers: Readonly<Record<string, Settling>>;
  readonly messageSessions: Readonly<Record<string, Settling>>;
  wasConnectionCloseCalled: boolean;
  refreshConnection(): void;
}

/** The SDK has another connection at once, ms. */
const INSIST_MS = 1_000;

/**
 * The SDK tells nobody that its connection was lost: receivers come back by themselves, senders when they are next used. This
 * looks beneath: at `_connectionContext`, whose shape is known (see `shape.ts`).
 * @throws TypeError for an SDK without it
 */
export class SdkConnectionWatch implements ConnectionWatch {
  readonly #context: SdkContext;
  readonly #events: ConnectionEvents;
  readonly #idleMs: number;
  readonly #ipv6: Ipv6Address | undefined;
  /** Around the connection of the moment. */
  #guard: SdkGuard;
  #ended = false;
  #insisting: NodeJS.Timeout | undefined;

  constructor(client: ServiceBusClient, { keepAliveMs, ipv6 }: Settings, events: ConnectionEvents) {
    const context = (client as unknown as { _connectionContext?: SdkContext })._connectionContext;
    if (typeof context?.refreshConnection !== 'function') throw new TypeError('@azure/service-bus has another shape');
    this.#context = context;
    this.#ipv6 = ipv6;
    this.#events = events;
    // rhea gives up after twice the time it asked the peer to be heard in.
    this.#idleMs = Math.round(keepAliveMs / 2);
    const refresh = context.refreshConnection;
    context.refreshConnection = () => {
      refresh.call(context);
      this.#guard = this.#attach();
    };
    this.#guard = this.#attach();
  }

  get isOpen(): boolean {
    return this.#context.connection.isOpen();
  }

  /** Ends the connection without a word. The SDK makes another, unless its client was closed. */
  drop(): void {
    // Without an error rhea would not notice.
    this.#guard.drop(lostError());
  }

  /** Nothing is told any more. */
  end(): void {
    this.#ended = true;
  }

  /** After the client was closed: nobody waits for anything any more. */
  release(): void {
    this.#guard.release();
    this.drop();
  }

  #attach(): SdkGuard {
    const { connection, cbsSession } = this.#context;
    const guard = new SdkGuard(connection, {
      onThrown: (thrown) => {
        if (!this.#ended) this.#events.onThrown(thrown);
      },
      onLost: (error) => this.#down(connection, error),
      terminate: () => this.#events.terminate(),
    });
    mendTokens(cbsSession, guard);
    const rhea = connection._connection;
    if (rhea?.options !== undefined) rhea.options.idle_time_out = this.#idleMs;
    if (rhea?.local?.open !== undefined) rhea.local.open.idle_time_out = this.#idleMs;
    // No certificate is asked for by address: RFC 6066.
    if (rhea?.options !== undefined && this.#ipv6 !== undefined)
      Object.assign(rhea.options, { ...this.#ipv6, servername: '' });
    connection.on('connection_open', () => {
      if (!this.#ended) this.#events.onUp();
    });
    return guard;
  }

  #down(connection: SdkConnection, error: unknown): void {
    const { messageReceivers, messageSessions, wasConnectionCloseCalled } = this.#context;
    for (const receivers of [messageReceivers, messageSessions]) Object.values(receivers).forEach(failSettlements);
    this.#insist(connection, error);
    if (!this.#ended && !wasConnectionCloseCalled) this.#events.onDown(error ?? connection.error);
  }

  /** Where the SDK failed to take in that its connection is lost, it is told again: else it would never make another. */
  #insist(connection: SdkConnection, error: unknown): void {
    clearTimeout(this.#insisting);
    this.#insisting = setTimeout(() => {
      if (this.#ended || this.#context.connection !== connection) return;
      connection.emit('disconnected', { connection, error });
      this.#insist(connection, error);
    }, INSIST_MS).unref();
  }
}

/**
 * Over a connection that is lost no token is asked for, which would take a minute; and what fails when its session is closed keeps
 * the SDK from making another connection.
 */
function mendTokens(session: SdkContext['cbsSession'], guard: SdkGuard): void {
  const negotiate: Negotiate = session.negotiateClaim.bind(session);
  session.negotiateClaim = async (...args) => {
    if (guard.isLost) throw lostError();
    return negotiate(...args);
  };
  const init = session.init.bind(session);
  let opening: Promise<void> | undefined;
  // The SDK's lock is of the connection at which waiting began. Opened twice, its links have one name, and the answers to one go to the other.
  session.init = (...args) => {
    opening ??= init(...args).finally(() => {
      opening = undefined;
    });
    return opening;
  };
  const close = session.close.bind(session);
  session.close = () => close().catch(() => {});
}
