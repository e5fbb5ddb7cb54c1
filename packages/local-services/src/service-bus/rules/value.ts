/**
 * A value as AMQP types it. Integral types are bigint, float, double and decimal are number, timestamps are Date,
 * `com.microsoft:timespan` is TimeSpan.
 */
export type PropertyValue = null | string | boolean | bigint | number | Date | Uuid | TimeSpan | Uint8Array;

/** A value that is there. */
export type Known = Exclude<PropertyValue, null>;

export class Uuid {
  /** Lower case, 8-4-4-4-12. */
  readonly text: string;
  constructor(text: string) {
    this.text = text.toLowerCase();
  }
}

/** A length of time: what one date minus another is, and what `sys.TimeToLive` holds. */
export class TimeSpan {
  /** Of 100 ns, as .NET counts them; may be negative. */
  readonly ticks: bigint;
  constructor(ticks: bigint) {
    this.ticks = ticks;
  }

  /** Infinity is the longest that there is. */
  static ofMs(ms: number): TimeSpan {
    if (Number.isFinite(ms)) return new TimeSpan(BigInt(Math.round(ms)) * TICKS_PER_MS);
    return new TimeSpan(ms > 0 ? MAX_INT64 : MIN_INT64);
  }

  get ms(): number {
    return Number(this.ticks) / Number(TICKS_PER_MS);
  }
}

export const TICKS_PER_MS = 10_000n;
export const MAX_INT64 = 2n ** 63n - 1n;
export const MIN_INT64 = -(2n ** 63n);
