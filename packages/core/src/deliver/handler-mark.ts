/**
 * Knows whether the caller runs inside a handler, so that a handler can close its own subscription without waiting for itself.
 *
 * After a handler's first `await` only the engine knows: V8 lists in the stack of an
 * error the functions that await the present one. So handlers are awaited by a function whose name is the subscription's own, and the
 * stack is looked through for it, in `close` and `drain` alone. Where the engine lists nothing (or a handler's promise is settled by a
 * bare callback), the call counts as coming from outside: it waits, at most as long as `drainMs` says.
 *
 * Rejected: AsyncLocalStorage. It doubles the time of an asynchronous handler on Node 20 and 22, and browsers have none.
 */
export class HandlerMark {
  readonly #name = `polycast handler ${nextMark++}`;
  readonly awaitHandler: (returned: Promise<unknown>, settled: Settled) => Promise<void>;

  constructor() {
    const named = {
      async [this.#name](returned: Promise<unknown>, settled: Settled) {
        try {
          await returned;
        } catch (thrown) {
          settled(true, thrown);
          return;
        }
        settled(false, undefined);
      },
    };
    this.awaitHandler = named[this.#name] as typeof this.awaitHandler;
  }

  get isInside(): boolean {
    return stackOfCaller().includes(this.#name);
  }
}

type Settled = (failed: boolean, thrown: unknown) => void;

let nextMark = 1;

function stackOfCaller(): string {
  const { stackTraceLimit, prepareStackTrace } = Error as ErrorConstructor & {
    stackTraceLimit?: number;
    prepareStackTrace?: unknown;
  };
  try {
    Object.assign(Error, { stackTraceLimit: MAX_FRAMES, prepareStackTrace: undefined });
    return new Error().stack ?? '';
  } catch {
    // Frozen intrinsics: then only what is synchronous is known.
    return '';
  } finally {
    if (stackTraceLimit !== undefined) Object.assign(Error, { stackTraceLimit, prepareStackTrace });
  }
}

const MAX_FRAMES = 200;
