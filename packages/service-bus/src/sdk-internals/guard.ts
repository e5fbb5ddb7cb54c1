import { QuietSignal } from '../quiet-signal.ts';
import { callEach, type Emitter, guardEmitter, guarded } from './guarded-emitter.ts';

type Method = (...args: never[]) => unknown;

/** A connection of rhea. */
export interface RheaConnection extends Emitter {
  readonly socket?: { end(): void; destroy?(error: Error): void };
  readonly options?: { idle_time_out?: number; host?: string; port?: number; servername?: string };
  readonly local?: { open?: { idle_time_out?: number } };
  on(event: string, listener: (context: unknown) => void): unknown;
  prependListener(event: string, listener: () => void): unknown;
  dispatch(name: string, ...args: unknown[]): boolean;
  on_error(error: unknown): void;
  /** What was read and is not understood yet. */
  readonly previous_input?: Buffer | null;
  _disconnected(error?: unknown): void;
  _context(more: object): unknown;
}

/** A link of rhea-promise. */
interface SdkLink extends Emitter {
  /** Of a sender whose sends are awaited. */
  readonly deliveryDispositionMap?: Map<number, PendingAnswer>;
  /** Of a sender. */
  send?(...args: unknown[]): unknown;
  close(options?: unknown): Promise<void>;
}

/** A session of rhea-promise. */
interface SdkSession extends Emitter {
  close(options?: unknown): Promise<void>;
  createSender(options?: LinkOptions): Promise<SdkLink>;
  createReceiver(options?: LinkOptions): Promise<SdkLink>;
  createAwaitableSender(options?: LinkOptions): Promise<SdkLink>;
}

interface LinkOptions {
  readonly onError?: (context: never) => unknown;
  readonly onSessionError?: (context: never) => unknown;
}

/** A connection of rhea-promise. */
export interface SdkConnection extends Emitter {
  readonly _connection?: RheaConnection;
  readonly error?: unknown;
  /** Above zero, it would emit errors in a timer of its own. */
  actionInitiated: number;
  open(options?: unknown): Promise<unknown>;
  isOpen(): boolean;
  createSession(options?: unknown): Promise<SdkSession>;
  on(event: string, listener: (context: { error?: unknown }) => void): unknown;
}

/** A receiver of the SDK, with or without a session: what it waits for, by delivery. */
export interface Settling {
  readonly _deliveryDispositionMap?: Map<number, PendingAnswer>;
}

/** What the SDK keeps while it waits for the service's word on a delivery. */
export interface PendingAnswer {
  readonly timer?: NodeJS.Timeout | undefined;
  reject(error: unknown): void;
}

/** What rhea has Node call: its socket's events, its timers, its next ticks. All code of the SDK that no call of ours runs, runs in one of these. */
export const RHEA_ENTRIES = [
  'connected',
  'input',
  'eof',
  'on_error',
  'idle',
  'abort_socket',
  'reconnect',
  '_process',
  '_write_frame',
] as const;

/** What is told of a connection that is guarded. */
export interface GuardEvents {
  /** The SDK threw where nobody could catch it. The connection ends. */
  onThrown(thrown: unknown): void;
  /** Once. Everything that waited has failed. @param error what was said, if anything */
  onLost(error: unknown): void;
  /** Ends a WebSocket, which rhea cannot. */
  terminate(): void;
}

const CREATORS = ['createSender', 'createReceiver', 'createAwaitableSender'] as const;
/** How long a service that said goodbye may leave its socket open, ms. */
const GOODBYE_MS = 1_000;

/**
 * Stands around one connection of the SDK, so that nothing that fails beneath reaches the process, wherever it does:
 *
 * - what is thrown in an event of the socket, a timer or tick of rhea, a listener or an abort listener ends this connection;
 * - when the connection is lost, everything that waits for an answer over it is failed at once, and its timer cleared: no timer of
 *   the SDK ever looks at a link that is gone;
 * - a connection is opened once: opened again it would have sessions and links of its earlier life, half reset;
 * - its loss is always told, also where rhea says nothing: the SDK waits for the word.
 *
 * Looks beneath version 7.9.5 of the SDK (rhea 3, rhea-promise 3, core-amqp 4). See decision 0017.
 * @throws TypeError for one that is made otherwise
 */
export class SdkGuard {
  readonly #connection: SdkConnection;
  readonly #rhea: RheaConnection;
  readonly #events: GuardEvents;
  readonly #links = new Set<SdkLink>();
  /** Closing what is lost would never end. */
  readonly #closing = new Set<() => void>();
  /** Ends what waits for a link to be attached. */
  readonly #released: QuietSignal;
  #opening: Promise<unknown> | undefined;
  #isOpening = false;
  #isLost = false;
  #goodbye: NodeJS.Timeout | undefined;

  constructor(connection: SdkConnection, events: GuardEvents) {
    const rhea = connection._connection;
    if (
      typeof rhea?._disconnected !== 'function' ||
      RHEA_ENTRIES.some((name) => typeof read(rhea, name) !== 'function')
    )
      throw new TypeError('@azure/service-bus has another shape');
    this.#connection = connection;
    this.#rhea = rhea;
    this.#events = events;
    this.#released = new QuietSignal(this.#report);
    this.#guardRhea(rhea);
    this.#guardConnection(connection);
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Ends the connection without a word. @param error why, as the SDK is to see it */
  drop(error: Error): void {
    try {
      const { socket } = this.#rhea;
      this.#events.terminate();
      if (socket === undefined) return;
      if (socket.destroy !== undefined) socket.destroy(error);
      else {
        socket.end();
        // It may take its time, and nobody answers it.
        this.#rhea.on_error(error);
      }
    } catch (thrown) {
      this.#events.onThrown(thrown);
    }
  }

  /** Nobody waits for anything any more. */
  release(): void {
    this.#released.abort();
  }

  /** What the SDK threw where nobody asked it for anything. */
  readonly #report = (thrown: unknown): void => {
    this.#events.onThrown(thrown);
    this.drop(lostError());
  };

  // ── rhea ──

  #guardRhea(rhea: RheaConnection): void {
    for (const name of RHEA_ENTRIES) {
      const entry = read(rhea, name);
      Object.assign(rhea, {
        [name]: (...args: never[]) => {
          try {
            return Reflect.apply(entry, rhea, args);
          } catch (thrown) {
            this.#report(thrown);
          }
        },
      });
    }
    const dispatch = rhea.dispatch.bind(rhea);
    rhea.dispatch = (name, ...args) => {
      const listeners = rhea.rawListeners(name);
      return listeners.length === 0 ? dispatch(name, ...args) : callEach(rhea, listeners, args, this.#report);
    };
    const disconnected = rhea._disconnected;
    rhea._disconnected = (said) => {
      if (this.#isLost) return;
      const error = said ?? alertIn(rhea.previous_input);
      disconnected.call(rhea, error);
      // It is silent about a connection that was closed before its socket was.
      if (!this.#isLost) rhea.dispatch('disconnected', rhea._context(error === undefined ? {} : { error }));
    };
    rhea.prependListener('disconnected', () => {
      this.#isLost = true;
    });
    rhea.on('disconnected', (context) => {
      this.#lose();
      this.#events.onLost((context as { error?: unknown }).error);
    });
    // Caught while it read or wrote: what came after is not understood.
    for (const event of ['error', 'protocol_error']) {
      rhea.on(event, (thrown) => this.drop(thrown instanceof Error ? thrown : lostError()));
    }
    rhea.on('connection_close', () => {
      this.#goodbye ??= setTimeout(() => this.drop(lostError()), GOODBYE_MS).unref();
    });
  }

  /** Everything that waited ends now. */
  #lose(): void {
    clearTimeout(this.#goodbye);
    const links = [...this.#links];
    this.#links.clear();
    for (const link of links) this.#failSent(link);
    for (const close of [...this.#closing]) close();
  }

  /** What was sent over it gets no answer any more. */
  #failSent(link: SdkLink): void {
    if (link.deliveryDispositionMap !== undefined) failAll(link.deliveryDispositionMap, lostError());
    // Requests of CBS and management: their senders' errors fail them.
    else if (link.send !== undefined)
      link.emit('sender_error', { connection: this.#connection, sender: { error: lostError() } });
  }

  // ── rhea-promise ──

  #guardConnection(connection: SdkConnection): void {
    guardEmitter(connection, this.#report);
    Object.defineProperty(connection, 'actionInitiated', { get: () => 0, set: () => {} });
    const open = connection.open.bind(connection);
    connection.open = () => {
      if (this.#opening === undefined) {
        this.#isOpening = true;
        this.#opening = open().finally(() => {
          this.#isOpening = false;
        });
        // Told by a timer, the SDK would wait for the loss of the connection.
        this.#opening.catch((thrown) => this.drop(thrown instanceof Error ? thrown : lostError()));
      }
      if (this.#isOpening || connection.isOpen()) return this.#opening;
      return Promise.reject(lostError());
    };
    const createSession = connection.createSession.bind(connection);
    connection.createSession = async () => {
      if (this.#isLost) throw lostError();
      return this.#guardSession(await createSession({ abortSignal: this.#released }));
    };
  }

  #guardSession(session: SdkSession): SdkSession {
    guardEmitter(session, this.#report);
    this.#boundClose(session);
    for (const name of CREATORS) {
      const create = session[name].bind(session);
      session[name] = async (options = {}) => {
        if (this.#isLost) throw lostError();
        return this.#guardLink(await create(this.#guardOptions(options)));
      };
    }
    return session;
  }

  /** Errors of a link that is being made are told in a timer. */
  #guardOptions(options: LinkOptions): LinkOptions {
    const more: Record<string, unknown> = { abortSignal: this.#released };
    for (const name of ['onError', 'onSessionError'] as const) {
      const handler = options[name];
      if (handler !== undefined) more[name] = guarded(handler as (context: unknown) => unknown, this.#report);
    }
    return { ...options, ...more };
  }

  #guardLink(link: SdkLink): SdkLink {
    guardEmitter(link, this.#report);
    this.#links.add(link);
    this.#boundClose(link, () => {
      this.#links.delete(link);
      this.#failSent(link);
    });
    this.#boundSend(link);
    return link;
  }

  /** The SDK may have waited for something else, and sends over the link that it had before: nobody would answer that. */
  #boundSend(link: SdkLink): void {
    const send = link.send?.bind(link);
    if (send === undefined) return;
    link.send = (...args) => {
      if (this.#links.has(link)) return send(...args);
      if (link.deliveryDispositionMap !== undefined) return Promise.reject(lostError());
      return this.#failSent(link);
    };
  }

  /** What is lost is closed: rhea-promise would wait for ever. What fails to close has ended as well. */
  #boundClose(closable: SdkLink | SdkSession, onClosed?: () => void): void {
    const close = closable.close.bind(closable);
    closable.close = async (options) => {
      if (!this.#isLost) {
        await new Promise<void>((resolve) => {
          const done = () => {
            this.#closing.delete(done);
            resolve();
          };
          this.#closing.add(done);
          close(options).then(done, done);
        });
      }
      onClosed?.();
    };
  }
}

/** A peer that speaks TLS says so in seven bytes, one too few for rhea, and hangs up. */
function alertIn(input: Buffer | null | undefined): Error | undefined {
  if (input?.[0] !== 0x15 || input[1] !== 3) return undefined;
  return new Error(`Invalid protocol header for AMQP: ${input.toString('hex', 0, 8)}`);
}

/** Fails what waits for the service's word, and clears its timers. */
export function failAll(pending: Map<number, PendingAnswer>, error: unknown): void {
  for (const [id, { timer, reject }] of [...pending]) {
    pending.delete(id);
    clearTimeout(timer);
    reject(error);
  }
}

/**
 * Fails what waits for the service's word on what came over a link that is gone. The SDK would wait for a minute, and keep the process
 * alive meanwhile: of a receiver that was closed it forgets that anything waits.
 */
export function failSettlements(receiver: Settling | undefined): void {
  const pending = receiver?._deliveryDispositionMap;
  if (pending !== undefined) failAll(pending, lostError());
}

/** As the SDK makes them. */
export function lostError(): Error {
  return Object.assign(new Error('the connection was lost'), { name: 'ConnectionLostError', retryable: true });
}

function read(rhea: RheaConnection, name: (typeof RHEA_ENTRIES)[number]): Method {
  return (rhea as unknown as Record<string, Method>)[name] as Method;
}
