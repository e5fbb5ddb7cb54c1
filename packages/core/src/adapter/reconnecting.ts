import { PolycastError } from '../contract/error.ts';
import { ConnectionMonitor, startKeepAlive } from './connection-monitor.ts';
import { Outage } from './outage.ts';

/** The first wait before another try to connect, and the longest, ms. Each is a random part of a time that doubles. */
const RETRY_MS = 20;
const MAX_RETRY_MS = 1_000;

/** How connections are made, watched and ended. `Client` is one connection, and is not used again once it is lost. */
export interface ReconnectingOptions<Client> {
  /**
   * Connects, and shows that the service answers. Must reject within the adapter's connect timeout, and leave nothing behind then.
   * @param abortSignal aborted when no caller waits for it any longer
   * @throws PolycastError `unreachable`, `unauthorized`, `protocol-mismatch`
   */
  connect(abortSignal: AbortSignal): Promise<Client>;
  /** Has `lost` called, once, when a connection that was made is lost, for whatever reason. */
  watch(client: Client, lost: (error: PolycastError) => void): void;
  /** Ends a connection at once: calls under way reject. Must not throw. */
  close(client: Client): void;
  /** One round trip, asked every `intervalMs`; 0: never. Silence is signalled, and a connection that stays silent is ended. */
  readonly keepAlive?: { readonly intervalMs: number; ask(client: Client): Promise<unknown> };
  /** May events of the time without a connection be lost? Goes into the signal `reconnected`. */
  readonly mayHaveLost: boolean;
}

/**
 * A connection of an adapter whose client does not reconnect by itself: kept alive, made anew when it is lost, with the signals of
 * `ConnectionMonitor`, and why it does not come back, as `Outage` reports it. It goes on trying all the same. Several links may use it: see
 * `Shared`.
 */
export class Reconnecting<Client> {
  /** Links join it to get the signals. */
  readonly monitor = new ConnectionMonitor();
  /** Called when the connection is back, before that is signalled: sources listen again. One that rejects has the connection made once more, after a growing wait. */
  readonly onReturn = new Set<() => Promise<void>>();
  readonly #options: ReconnectingOptions<Client>;
  readonly #closing = new AbortController();
  readonly #waiting = new Set<() => void>();
  readonly #outage = new Outage('the connection cannot be restored', (error) => this.monitor.failed(error));
  readonly #endKeepAlive: (() => void) | undefined;
  #client: Client | undefined;
  /** How often it was connected, or tried to be, since it was last up. */
  #tries = 0;

  /** @throws what `connect` throws */
  static async open<Client>(
    options: ReconnectingOptions<Client>,
    abortSignal: AbortSignal,
  ): Promise<Reconnecting<Client>> {
    return new Reconnecting(options, await options.connect(abortSignal));
  }

  private constructor(options: ReconnectingOptions<Client>, client: Client) {
    this.#options = options;
    this.#use(client);
    const { keepAlive } = options;
    if (keepAlive !== undefined) {
      this.#endKeepAlive = startKeepAlive<Client>({
        ...keepAlive,
        monitor: this.monitor,
        connection: () => this.#client,
        giveUp: options.close,
      });
    }
  }

  /** The connection of now. @throws PolycastError `disconnected` while there is none, `closed` after `close` */
  get client(): Client {
    if (this.#client !== undefined) return this.#client;
    throw this.#closing.signal.aborted
      ? new PolycastError('closed', 'the connection was closed')
      : new PolycastError('disconnected', 'the connection is lost; another is being made');
  }

  /**
   * For what must reach the service and may be said twice, such as a settlement: what was lost with its connection is done again over the
   * next one.
   * @param isDone is this rejection of a second try a sign that the first one had succeeded, and only its answer was lost? Then it resolves
   * @throws what `action` rejects with, unless that is `disconnected`; PolycastError `closed` or `disconnected` when the connection is closed
   */
  async insist(action: () => Promise<unknown>, isDone: (error: PolycastError) => boolean): Promise<void> {
    for (let isAgain = false; ; isAgain = true) {
      try {
        await action();
        return;
      } catch (thrown) {
        const error = PolycastError.from(thrown);
        if (isAgain && isDone(error)) return;
        if (error.code !== 'disconnected' || this.#closing.signal.aborted) throw error;
        if (this.#client === undefined) await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    }
  }

  /** Ends it for good. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#endKeepAlive?.();
    if (this.#client !== undefined) this.#options.close(this.#client);
    this.#client = undefined;
    this.#wake();
  }

  #use(client: Client): void {
    this.#client = client;
    this.#options.watch(client, (error) => {
      if (this.#client !== client) return;
      this.#client = undefined;
      this.monitor.down(error);
      void this.#comeBack();
    });
  }

  async #comeBack(): Promise<void> {
    const { signal } = this.#closing;
    let client: Client | undefined;
    while (client === undefined) {
      await this.#elapsed();
      this.#tries++;
      if (signal.aborted) return;
      client = await this.#options.connect(signal).catch((thrown: unknown) => this.#failed(thrown));
    }
    if (signal.aborted) return this.#options.close(client);
    this.#use(client);
    try {
      await Promise.all([...this.onReturn].map((listen) => listen()));
    } catch (thrown) {
      // It is lost again, and then this is done already, or it is of no use.
      if (this.#client !== client) return;
      this.#failed(thrown);
      return this.#options.close(client);
    }
    if (this.#client !== client) return;
    this.#tries = 0;
    this.#outage.over();
    this.monitor.up({ mayHaveLost: this.#options.mayHaveLost });
    this.#wake();
  }

  /** Before the second try, and each after it: a random part of a time that doubles. */
  async #elapsed(): Promise<void> {
    if (this.#tries === 0) return;
    const limitMs = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** (this.#tries - 1));
    await elapsed(Math.random() * limitMs, this.#closing.signal);
  }

  #failed(thrown: unknown): undefined {
    if (!this.#closing.signal.aborted) this.#outage.failed(PolycastError.from(thrown));
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Keeps the process alive, as the connection did: a subscriber waits for its return. */
function elapsed(ms: number, abortSignal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      abortSignal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    abortSignal.addEventListener('abort', end, { once: true });
    if (abortSignal.aborted) end();
  });
}
