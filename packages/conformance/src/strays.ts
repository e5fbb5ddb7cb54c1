import { showError } from './assert.ts';

/** Runs a function so that what it starts can be told apart later; where the runtime has none, nothing can. */
interface Contexts {
  run<Result>(store: Watched, work: () => Result): Result;
  getStore(): Watched | undefined;
}

/** One piece of work, and what was thrown on its behalf where no caller could catch it. */
export class Watched {
  readonly #thrown: string[] = [];
  #count = 0;

  add(what: string): void {
    this.#count++;
    if (this.#thrown.length < MAX_SHOWN && !this.#thrown.includes(what)) this.#thrown.push(what);
  }

  /** In words; undefined when there was nothing. */
  get thrown(): string | undefined {
    if (this.#count === 0) return undefined;
    const times = this.#count === 1 ? '' : ` (${this.#count} times)`;
    return `thrown where no caller could catch it${times}: ${this.#thrown.join('; ')}`;
  }
}

const MAX_SHOWN = 3;
const KINDS = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * While it watches, exceptions in timers and sockets and unhandled rejections do not end the process: each becomes the
 * fault of the work that caused it. What cannot be traced is the fault of all the work under way.
 */
export class StrayWatch {
  readonly #contexts = makeContexts();
  readonly #underWay = new Set<Watched>();
  readonly #before = new Map<(typeof KINDS)[number], NodeJS.UncaughtExceptionListener[]>();
  readonly #untraced = new Watched();
  #exit: typeof process.exit | undefined;

  /** What could not be traced, while nothing was under way. */
  get untraced(): string | undefined {
    return this.#untraced.thrown;
  }

  begin(): void {
    const { process } = globalThis;
    if (typeof process?.on !== 'function') return;
    this.#exit = process.exit;
    process.exit = this.#refuseExit;
    for (const kind of KINDS) {
      // Those of a test framework would blame, or end, the whole run.
      this.#before.set(kind, process.listeners(kind as 'uncaughtException'));
      process.removeAllListeners(kind);
      process.on(kind as 'uncaughtException', this.#take);
    }
  }

  end(): void {
    if (this.#exit !== undefined) globalThis.process.exit = this.#exit;
    this.#exit = undefined;
    for (const [kind, listeners] of this.#before) {
      process.off(kind, this.#take);
      for (const listener of listeners) process.on(kind as 'uncaughtException', listener);
    }
    this.#before.clear();
  }

  /** Does a piece of work. It stays the culprit of what it left behind. */
  async watch<Result>(watched: Watched, work: () => Promise<Result>): Promise<Result> {
    this.#underWay.add(watched);
    try {
      return await (this.#contexts?.run(watched, work) ?? work());
    } finally {
      // A rejection counts as unhandled when the microtasks are done.
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
      this.#underWay.delete(watched);
    }
  }

  /** What is put to the test may not end the process. Others, such as a second Ctrl-C, may. */
  readonly #refuseExit = (code?: number | string | null): never => {
    const culprit = this.#contexts?.getStore();
    if (culprit === undefined) return (this.#exit as typeof process.exit)(code);
    const error = new Error(`process.exit(${code ?? ''}) was called`);
    culprit.add(describe(error));
    throw error;
  };

  readonly #take = (thrown: unknown): void => {
    const culprit = this.#contexts?.getStore();
    const what = describe(thrown);
    if (culprit !== undefined) culprit.add(what);
    else if (this.#underWay.size === 0) this.#untraced.add(what);
    else
      for (const watched of this.#underWay)
        watched.add(`${what} (by this or one of ${this.#underWay.size - 1} others)`);
  };
}

function describe(thrown: unknown): string {
  try {
    const at = /\n\s+(at .*)/.exec(String((thrown as Error).stack))?.[1];
    return `${showError(thrown)}${at === undefined ? '' : ` ${at}`}`;
  } catch {
    return showError(thrown);
  }
}

function makeContexts(): Contexts | undefined {
  // Not imported: in a browser there is none.
  const hooks = globalThis.process?.getBuiltinModule?.('node:async_hooks');
  return hooks && new hooks.AsyncLocalStorage<Watched>();
}
