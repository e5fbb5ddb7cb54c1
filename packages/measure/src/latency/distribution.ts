import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';

/** Quantiles of one measured time, in ms, exact to 3 digits. All 0 when nothing was measured. */
export interface Quantiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** One point of a percentile curve: `percentile` of all values (0 to 100) were at most `ms`. */
export interface CurvePoint {
  readonly percentile: number;
  readonly ms: number;
}

/** 100 ns: well below what a timer of the machine can tell, so that 3 digits are never lost to rounding. */
const UNITS_PER_MS = 10_000;
/** More digits on the right of a latency curve, where the interesting part is. */
const CURVE_PERCENTILES = [
  0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97, 98, 99, 99.5, 99.9, 99.95, 99.99, 100,
];

/** Times in an HDR histogram. Can be added to another and sent between processes. */
export class Distribution {
  readonly #histogram: Histogram;

  constructor(histogram?: Histogram) {
    this.#histogram =
      histogram ??
      build({
        bitBucketSize: 64,
        autoResize: true,
        highestTrackableValue: 60_000 * UNITS_PER_MS,
        numberOfSignificantValueDigits: 3,
      });
  }

  static decode(text: string): Distribution {
    const histogram = decodeFromCompressedBase64(text, 64);
    // Not part of the encoding; without it a longer time could not be added.
    histogram.autoResize = true;
    return new Distribution(histogram);
  }

  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram);
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  add(ms: number): void {
    this.#histogram.recordValue(Math.max(0, Math.round(ms * UNITS_PER_MS)));
  }

  addAll(other: Distribution): void {
    this.#histogram.add(other.#histogram);
  }

  quantiles(): Quantiles {
    return { p50: this.#at(50), p90: this.#at(90), p99: this.#at(99), p999: this.#at(99.9), max: this.#at(100) };
  }

  /** Without points that say nothing new: percentiles finer than the number of values can tell. */
  curve(): readonly CurvePoint[] {
    const finest = 100 - 100 / Math.max(1, this.count);
    return CURVE_PERCENTILES.filter((percentile) => percentile <= finest || percentile === 100).map((percentile) => ({
      percentile,
      ms: this.#at(percentile),
    }));
  }

  #at(percentile: number): number {
    if (this.count === 0) return 0;
    return this.#histogram.getValueAtPercentile(percentile) / UNITS_PER_MS;
  }
}
