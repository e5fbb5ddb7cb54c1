/** Most messages that are remembered: what is held by nobody and forgotten counts as the service says. */
const MAX_REMEMBERED = 10_000;

/** What a message says about its deliveries. */
export interface Deliveries {
  readonly sequenceNumber: string;
  /** Of the service: before this one, and not given back unseen. */
  readonly counted: number;
  /** Written by whoever released it last: tries, and what was counted then. */
  readonly tries: number;
  readonly countedThen: number;
  /** Was the subscription made by this reader, and is read by nobody else? */
  readonly isOurs: boolean;
  /** More deliveries than this are tries, whoever had them. */
  readonly maxAttempts: number;
}

interface Handed {
  readonly attempt: number;
  readonly counted: number;
}

const NEVER: Handed = { attempt: 0, counted: 0 };

/**
 * Tells tries from deliveries. The service counts every delivery, those included whose link was lost before they reached anybody;
 * a try is what a handler was given. Of a subscription that is only ours all else was lost on the way; elsewhere another reader may
 * have crashed with it, which counts as one.
 */
export class AttemptCounter {
  readonly #handed = new Map<string, Handed>();

  /** @returns 1 for the first try. Called once for each delivery that is handed on. */
  next({ sequenceNumber, counted, tries, countedThen, isOurs, maxAttempts }: Deliveries): number {
    // Who releases a message counts one delivery less than who gets it next. What a stranger wrote leaves it one try.
    const written: Handed =
      countedThen < counted ? { attempt: Math.min(tries, maxAttempts - 1), counted: countedThen } : NEVER;
    const known = this.#handed.get(sequenceNumber) ?? written;
    const last = known.counted >= written.counted ? known : written;
    const unexplained = counted - last.counted - (last.attempt > 0 ? 1 : 0);
    const attempt = last.attempt + 1 + (unexplained > 0 && !isOurs ? 1 : 0);
    // What kills its readers is never released: in the end the service's count decides.
    const bounded = counted >= maxAttempts ? Math.max(attempt, counted + 1) : attempt;
    this.#remember(sequenceNumber, { attempt: bounded, counted });
    return bounded;
  }

  /** It was tried so often, also without the service. */
  tried(sequenceNumber: string, tries: number): void {
    const handed = this.#handed.get(sequenceNumber);
    if (handed !== undefined) this.#handed.set(sequenceNumber, { attempt: tries, counted: handed.counted });
  }

  /** It goes back without another try, and that delivery is not counted. */
  untried(sequenceNumber: string, tries: number): void {
    const handed = this.#handed.get(sequenceNumber);
    if (tries <= 0) this.forget(sequenceNumber);
    else if (handed !== undefined) this.#handed.set(sequenceNumber, { attempt: tries, counted: handed.counted - 1 });
  }

  /** It will not come again. */
  forget(sequenceNumber: string): void {
    this.#handed.delete(sequenceNumber);
  }

  #remember(sequenceNumber: string, handed: Handed): void {
    this.#handed.delete(sequenceNumber);
    this.#handed.set(sequenceNumber, handed);
    if (this.#handed.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#handed.keys()) {
      this.#handed.delete(oldest);
      return;
    }
  }
}
