/**
 * Notes where each timer of this process was made, so that a process that does not end can say which one keeps it:
 * Node itself says no more than `Timeout`.
 */
export class TimerOrigins {
  readonly #made = new Map<NodeJS.Timeout, Error>();

  /** Watches all timers made from now on. */
  watch(): void {
    const { setTimeout: once, setInterval: repeat } = globalThis;
    const note = <Timer extends NodeJS.Timeout>(timer: Timer, origin: Error): Timer => {
      // Those that are over would pile up.
      if (this.#made.size >= MAX_NOTED) this.#forget();
      this.#made.set(timer, origin);
      return timer;
    };
    globalThis.setTimeout = Object.assign(
      ((...args: Parameters<typeof once>) => note(once(...args), new Error())) as typeof once,
      once,
    );
    globalThis.setInterval = Object.assign(
      ((...args: Parameters<typeof repeat>) => note(repeat(...args), new Error())) as typeof repeat,
      repeat,
    );
  }

  /** Of each timer that keeps the process alive, where it was made. */
  keeping(): string[] {
    this.#forget();
    return [...this.#made].filter(([timer]) => timer.hasRef()).map(([, { stack = '' }]) => callerIn(stack));
  }

  #forget(): void {
    for (const timer of this.#made.keys()) if (isOver(timer)) this.#made.delete(timer);
  }
}

const MAX_NOTED = 10_000;

/** Node's own mark; a timer without it counts as running. */
function isOver(timer: NodeJS.Timeout): boolean {
  return (timer as unknown as { _destroyed?: boolean })._destroyed === true;
}

/** The first three places outside this file, without the folders above the package. */
function callerIn(stack: string): string {
  return stack
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .trim()
        .replace(/^at /, '')
        .replace(/file:\/\/|\(?\/\S*\/(?:node_modules|packages)\//g, ''),
    )
    .filter((line) => !line.startsWith('node:'))
    .slice(0, 3)
    .join(' < ');
}
