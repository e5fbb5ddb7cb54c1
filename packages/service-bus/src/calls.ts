import { type LinkMonitor, PolycastError } from '@polycast/core/adapter';
import { mapError } from './map-error.ts';
import type { Settings } from './settings.ts';

/** One call to the service that is under way. */
interface Call {
  readonly sinceMs: number;
  readonly fail: (error: PolycastError) => void;
}

export interface CallsOptions {
  readonly settings: Pick<Settings, 'stalledAfterMs' | 'operationTimeoutMs'>;
  /** Learns of calls that wait for `stalledAfterMs`. */
  readonly monitor: Pick<LinkMonitor, 'silent' | 'answered'>;
  /** The oldest call has waited too long. @param calledAtMs when it was made, by the monotonic clock */
  onLate(calledAtMs: number): void;
  onAnswer?(calledAtMs: number): void;
}

/** Calls to the service that wait for an answer: none waits for one that cannot come any more. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #calls = new Set<Call>();
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** @throws PolycastError */
  wait<Answer>(calling: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call: Call = { sinceMs: performance.now(), fail: reject };
      this.#calls.add(call);
      this.#look();
      calling.then(
        (answer) => {
          this.#calls.delete(call);
          this.#options.onAnswer?.(call.sinceMs);
          resolve(answer);
        },
        (thrown) => {
          this.#calls.delete(call);
          reject(mapError(thrown));
        },
      );
    });
  }

  fail(error: PolycastError): void {
    for (const call of [...this.#calls]) {
      this.#calls.delete(call);
      call.fail(error);
    }
  }

  end(error: PolycastError): void {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.fail(error);
  }

  /** Runs only while somebody waits for an answer. */
  #look(): void {
    const { stalledAfterMs, operationTimeoutMs } = this.#options.settings;
    if (this.#timer !== undefined || this.#ended) return;
    const period = Math.min(stalledAfterMs || operationTimeoutMs, operationTimeoutMs);
    this.#timer = setInterval(() => this.#check(), Math.max(10, period / 2));
    this.#timer.unref();
  }

  #check(): void {
    const { settings, monitor } = this.#options;
    const { stalledAfterMs, operationTimeoutMs } = settings;
    const oldest = this.#calls.values().next().value;
    if (oldest === undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      monitor.answered();
      return;
    }
    const sinceMs = performance.now() - oldest.sinceMs;
    if (sinceMs < stalledAfterMs) monitor.answered();
    else if (stalledAfterMs > 0) monitor.silent(sinceMs);
    if (sinceMs < operationTimeoutMs) return;
    // It answers nothing: another connection may.
    this.fail(new PolycastError('timeout', `no answer within ${operationTimeoutMs} ms`));
    this.#options.onLate(oldest.sinceMs);
  }
}
