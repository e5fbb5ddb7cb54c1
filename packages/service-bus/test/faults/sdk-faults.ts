import { EventEmitter } from 'node:events';

type Listener = (...args: unknown[]) => unknown;

/** Of the SDK: files whose callbacks may throw. */
const SDK_FILES = /node_modules[\\/](@azure[\\/](service-bus|core-amqp|abort-controller)|rhea|rhea-promise)[\\/]/;

/** Makes callbacks of the SDK throw, or reject, where a test wants it, and fires its timers when they hurt most. In this process, until it is restored. */
export class SdkFaults {
  /** How often what was armed was thrown. */
  thrown = 0;
  readonly #timers = new Set<NodeJS.Timeout & { _onTimeout: () => unknown; _destroyed?: boolean }>();
  readonly #restore: (() => void)[] = [];
  #armed: { readonly event: string; readonly rejects: boolean; left: number } | undefined;

  constructor() {
    for (const name of ['on', 'once', 'addListener'] as const) this.#observeListeners(name);
    this.#observeTimers();
  }

  /** The next `times` listeners that are called for the event throw a TypeError, or reject with one. */
  arm(event: string, { rejects = false, times = 3 } = {}): void {
    this.thrown = 0;
    this.#armed = { event, rejects, left: times };
  }

  disarm(): void {
    this.#armed = undefined;
  }

  /** All of them ring. @throws what they throw */
  ring(): number {
    const timers = [...this.#timers].filter(({ _destroyed: isOver }) => isOver !== true);
    for (const timer of timers) {
      this.#timers.delete(timer);
      const ring = timer._onTimeout;
      clearTimeout(timer);
      ring.call(timer);
    }
    return timers.length;
  }

  /** How many of them keep the process alive. */
  get waiting(): number {
    return [...this.#timers].filter((timer) => timer._destroyed !== true && timer.hasRef()).length;
  }

  restore(): void {
    for (const restore of this.#restore) restore();
  }

  #observeListeners(name: 'on' | 'once' | 'addListener'): void {
    const original = EventEmitter.prototype[name];
    const observe = (event: string | symbol, listener: Listener) => this.#observed(event, listener);
    EventEmitter.prototype[name] = function (this: EventEmitter, event: string | symbol, listener: Listener) {
      return original.call(this, event, isOfSdk() ? observe(event, listener) : listener);
    } as typeof original;
    this.#restore.push(() => {
      EventEmitter.prototype[name] = original;
    });
  }

  #observed(event: string | symbol, listener: Listener): Listener {
    if (typeof event !== 'string') return listener;
    const faults = this;
    const observed = function (this: unknown, ...args: unknown[]): unknown {
      const armed = faults.#armed;
      if (armed?.event === event && armed.left > 0 && (armed.rejects ? isPromising(this) : isOfClient(this))) {
        armed.left--;
        faults.thrown++;
        const error = new TypeError(`of the SDK: ${event}`);
        if (armed.rejects) return Promise.reject(error);
        throw error;
      }
      return listener.apply(this, args);
    };
    // By which it is found when it is removed.
    return Object.assign(observed, { listener });
  }

  #observeTimers(): void {
    const original = globalThis.setTimeout;
    const timers = this.#timers;
    globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
      const timer = original(...args) as never;
      if (isOfSdk()) timers.add(timer);
      return timer;
    }) as unknown as typeof setTimeout;
    this.#restore.push(() => {
      globalThis.setTimeout = original;
    });
  }
}

/** The local service stands upon rhea as well. What observes its own events within rhea is no code of the SDK. */
function isOfClient(emitter: unknown): boolean {
  if (typeof emitter !== 'object' || emitter === null) return false;
  const { is_server: isServer, connection } = emitter as { is_server?: boolean; connection?: { is_server?: boolean } };
  return isServer !== true && connection?.is_server !== true && !/^(Wire|EventEmitter)$/.test(emitter.constructor.name);
}

/** An object of rhea-promise: only there listeners are asynchronous. */
function isPromising(emitter: unknown): boolean {
  return typeof emitter === 'object' && emitter !== null && 'actionInitiated' in emitter;
}

/** Does the SDK call? */
function isOfSdk(): boolean {
  // This function, the observer, and whoever called, perhaps by way of Node's streams.
  return (new Error().stack?.split('\n').slice(3, 7) ?? []).some((line) => SDK_FILES.test(line));
}
