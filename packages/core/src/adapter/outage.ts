import { PolycastError } from '../contract/error.ts';
import { reasonOf } from './reason.ts';

/** A reason that may pass by itself is reported when it has lasted for so long, in ms. */
const LASTING_MS = 10_000;

/**
 * Reports why something does not come to work again: once for each reason until it does. A reason that will not pass by itself (not `retryable`)
 * is reported at once, any other when the outage has lasted for ten seconds.
 */
export class Outage {
  readonly #report: (error: PolycastError) => void;
  readonly #what: string;
  readonly #reported = new Set<string>();
  #sinceMs: number | undefined;

  /**
   * @param what does not work, in words: "the connection cannot be restored"
   * @param report called with the code of the reason, and a message that begins with `what`
   */
  constructor(what: string, report: (error: PolycastError) => void) {
    this.#what = what;
    this.#report = report;
  }

  /** Another try failed. */
  failed(error: PolycastError): void {
    this.#sinceMs ??= performance.now();
    const mayPass = error.retryable && performance.now() - this.#sinceMs < LASTING_MS;
    if (mayPass || this.#reported.has(error.message) || this.#reported.size >= MAX_REASONS) return;
    this.#reported.add(error.message);
    const reason = `${this.#what}: ${reasonOf(error)}`;
    this.#report(new PolycastError(error.code, reason, { cause: error.cause ?? error }));
  }

  /** It works. Cheap. */
  over(): void {
    if (this.#sinceMs === undefined) return;
    this.#sinceMs = undefined;
    this.#reported.clear();
  }
}

/** Messages may differ by a port or an address: not more than so many are reported for one outage. */
const MAX_REASONS = 10;
