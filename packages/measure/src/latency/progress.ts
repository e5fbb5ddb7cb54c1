export interface Progress {
  readonly step: 'connecting' | 'measuring' | 'draining' | 'throughput';
  /** How much of the step is over, 0 to 1. Steps without a known end stay at 0. */
  readonly done: number;
}

export type ProgressListener = (progress: Progress) => void;

const REPORT_EVERY_MS = 100;

/** Says how far a measurement is, by the clock: what is measured is not disturbed by asking it. */
export class ProgressReporter {
  readonly #listener: ProgressListener | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(listener: ProgressListener | undefined) {
    this.#listener = listener;
  }

  enter(step: Progress['step'], lengthS: number): void {
    clearInterval(this.#timer);
    const listener = this.#listener;
    if (listener === undefined) return;
    listener({ step, done: 0 });
    if (lengthS === 0) return;
    const startMs = performance.now();
    this.#timer = setInterval(() => {
      listener({ step, done: Math.min(1, (performance.now() - startMs) / (lengthS * 1000)) });
    }, REPORT_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
