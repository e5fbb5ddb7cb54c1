import type { PolycastError } from '../contract/error.ts';
import type { SignalListener } from '../contract/signal.ts';

/** The connection is back. */
export interface Up {
  /** May events that were published meanwhile be lost? It must be true: a `false` that loses is silent loss. */
  readonly mayHaveLost: boolean;
}

/** One link's view of its connection. What it is told becomes signals: both ends of each outage once, or neither. */
export class LinkMonitor {
  readonly #signal: SignalListener;
  readonly #concerns: () => boolean;
  #downSinceMs: number | undefined;
  #isSignalled = false;
  #isSilent = false;

  /**
   * @param signal of the link's context
   * @param concerns does the link use the connection at the moment? An outage that begins while it does not is never signalled. @default always
   */
  constructor(signal: SignalListener, concerns: () => boolean = () => true) {
    this.#signal = signal;
    this.#concerns = concerns;
  }

  get isDown(): boolean {
    return this.#downSinceMs !== undefined;
  }

  /** Since when it is down, by the monotonic clock (`performance.now()`), ms; undefined while it is up. */
  get downSinceMs(): number | undefined {
    return this.#downSinceMs;
  }

  /** The connection is lost: signals `disconnected`, unless it was down already. */
  down(error: PolycastError): void {
    if (this.isDown) return;
    this.#downSinceMs = performance.now();
    this.#isSignalled = this.#concerns();
    if (this.#isSignalled) this.#signal({ kind: 'disconnected', error });
  }

  /** The connection is back: signals `reconnected`, if its loss was signalled. */
  up({ mayHaveLost }: Up): void {
    if (this.#downSinceMs === undefined) return;
    const downMs = performance.now() - this.#downSinceMs;
    this.#downSinceMs = undefined;
    if (this.#isSignalled) this.#signal({ kind: 'reconnected', downMs, mayHaveLost });
  }

  /** The service leaves something unanswered for `sinceMs`: signals `stalled`, once until `answered`. */
  silent(sinceMs: number): void {
    if (this.#isSilent || !this.#concerns()) return;
    this.#isSilent = true;
    this.#signal({ kind: 'stalled', what: 'server', sinceMs });
  }

  /** The service answers. Cheap: call it as often as you like. */
  answered(): void {
    this.#isSilent = false;
  }

  /** Why the connection does not come back: signals `failed`, if its loss was signalled. */
  failed(error: PolycastError): void {
    if (this.isDown && this.#isSignalled) this.#signal({ kind: 'failed', what: 'source', error });
  }
}

/** A link that has joined. */
export interface JoinedLink extends LinkMonitor {
  /** From now on nothing is signalled to it. Idempotent. */
  leave(): void;
}

class Joined extends LinkMonitor implements JoinedLink {
  readonly leave: () => void;

  constructor(signal: SignalListener, concerns: (() => boolean) | undefined, onLeave: (link: Joined) => void) {
    let hasLeft = false;
    super((given) => {
      if (!hasLeft) signal(given);
    }, concerns);
    this.leave = () => {
      hasLeft = true;
      onLeave(this);
    };
  }
}

/**
 * A connection that links share. What it is told is passed on to each: a link that joins during an outage hears neither of the loss nor of
 * the return, since opening it has waited for that.
 */
export class ConnectionMonitor {
  readonly #links = new Set<Joined>();
  #downSinceMs: number | undefined;
  #isSilent = false;

  /** See {@link LinkMonitor}. */
  join(signal: SignalListener, concerns?: () => boolean): JoinedLink {
    const link = new Joined(signal, concerns, () => this.#links.delete(link));
    this.#links.add(link);
    return link;
  }

  get isDown(): boolean {
    return this.#downSinceMs !== undefined;
  }

  /** The connection is lost: `disconnected` to every link. @returns did the outage begin with this? */
  down(error: PolycastError): boolean {
    const begins = !this.isDown;
    this.#downSinceMs ??= performance.now();
    if (begins) for (const link of [...this.#links]) link.down(error);
    return begins;
  }

  /**
   * The connection is back: `reconnected` to every link that was signalled its loss.
   * @param except those for which it is not: they are told by `up` of their own, later
   */
  up(how: Up, except?: ReadonlySet<LinkMonitor>): void {
    this.#downSinceMs = undefined;
    for (const link of [...this.#links]) if (!except?.has(link)) link.up(how);
  }

  /** The service leaves something unanswered for `sinceMs`, on the connection as a whole: `stalled` to every link, once until `answered`. */
  silent(sinceMs: number): void {
    if (this.#isSilent) return;
    this.#isSilent = true;
    for (const link of [...this.#links]) link.silent(sinceMs);
  }

  /** Why the connection does not come back: `failed` to every link that was signalled its loss. See `Outage` for when to say so. */
  failed(error: PolycastError): void {
    for (const link of [...this.#links]) link.failed(error);
  }

  /** The service answers. */
  answered(): void {
    if (!this.#isSilent) return;
    this.#isSilent = false;
    for (const link of [...this.#links]) link.answered();
  }
}

/** A connection that is silent for so many intervals is given up. */
const GIVE_UP_AFTER = 6;

export interface KeepAliveOptions<Connection> {
  /** How often the service is asked, ms; 0: never. */
  readonly intervalMs: number;
  readonly monitor: Pick<LinkMonitor, 'silent' | 'answered'>;
  /** The connection, while it is up. */
  connection(): Connection | undefined;
  /** One round trip. */
  ask(connection: Connection): Promise<unknown>;
  /** Is what `ask` rejected with an answer of the service? @default it is not */
  isAnswer?(thrown: unknown): boolean;
  /** It has answered nothing for six intervals: end it, so that another is made. */
  giveUp(connection: Connection): void;
}

/**
 * Asks the service for a sign of life, one question at a time. One that is unanswered for an interval makes the connection `silent`. An answer that
 * has come and was not read, because this process was busy, counts. Does not keep the process alive.
 * @returns a function that ends it
 */
export function startKeepAlive<Connection>(options: KeepAliveOptions<Connection>): () => void {
  const { intervalMs, monitor } = options;
  if (intervalMs === 0) return () => {};
  let asked: { readonly of: Connection; readonly sinceMs: number; intervals: number } | undefined;
  const unanswered = (question: NonNullable<typeof asked>) => {
    if (asked !== question) return;
    monitor.silent(performance.now() - question.sinceMs);
    if (question.intervals < GIVE_UP_AFTER) return;
    asked = undefined;
    options.giveUp(question.of);
  };
  const timer = setInterval(() => {
    const connection = options.connection();
    if (connection === undefined) {
      asked = undefined;
      return;
    }
    if (asked?.of === connection) {
      asked.intervals++;
      // Timers come before input: the answer may be there, unread.
      unref(setTimeout(unanswered, 0, asked));
      return;
    }
    const question = { of: connection, sinceMs: performance.now(), intervals: 0 };
    asked = question;
    const answered = () => {
      if (asked === question) asked = undefined;
      monitor.answered();
    };
    options.ask(connection).then(answered, (thrown: unknown) => {
      if (options.isAnswer?.(thrown)) answered();
      // What timed out is unanswered still. What else failed, the end of the connection reports.
      else if (asked === question && options.connection() !== connection) asked = undefined;
    });
  }, intervalMs);
  unref(timer);
  return () => clearInterval(timer);
}

/** A browser's timer is a number. */
function unref(timer: unknown): void {
  (timer as { unref?(): void }).unref?.();
}
