import { quantile } from './statistics.ts';

/**
 * The speed of a shared machine drifts, up to 2× within seconds. A fixed piece of work is timed beside every sample, and
 * the sample scaled to the good speed of the run.
 */
const ORDER = { id: 'order-4711', customer: 'c-99', total: 129.5, lines: ['a-1', 'b-2', 'c-3'], note: 'x'.repeat(60) };
const ROUNDS = 2_000;

/** CPU time of this process so far, in µs. */
export function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** CPU µs that the fixed work takes now. */
export function calibrate(): number {
  const startUs = cpuUs();
  let length = 0;
  for (let round = 0; round < ROUNDS; round += 1) length += JSON.stringify(JSON.parse(JSON.stringify(ORDER))).length;
  if (length === 0) throw new Error('unreachable: keeps the work from being left out');
  return cpuUs() - startUs;
}

/** One measured figure and the calibration beside it. */
export interface Sample {
  /** A rate (more is better) or a cost (less is better), as the suite says. */
  readonly value: number;
  readonly calibrationUs: number;
}

export class SpeedScale {
  readonly #seenUs: number[] = [];

  see(calibrationUs: number): void {
    this.#seenUs.push(calibrationUs);
  }

  /** What a rate would have been at the machine's good speed: the fastest tenth of the calibrations, as the fastest one is luck. */
  rate({ value, calibrationUs }: Sample): number {
    return value * (calibrationUs / this.#goodUs());
  }

  /** What a time would have been at that speed. */
  time({ value, calibrationUs }: Sample): number {
    return value / (calibrationUs / this.#goodUs());
  }

  #goodUs(): number {
    return quantile(this.#seenUs, 0.1);
  }
}
