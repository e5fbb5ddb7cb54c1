/**
 * The speed of a shared machine drifts, up to 2× within seconds. A fixed piece of work is timed beside every sample, and
 * the sample scaled to the best speed that any calibration of the run saw.
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
  #bestUs = Number.POSITIVE_INFINITY;

  see(calibrationUs: number): void {
    this.#bestUs = Math.min(this.#bestUs, calibrationUs);
  }

  /** What a rate would have been at the best speed. */
  rate({ value, calibrationUs }: Sample): number {
    return value * (calibrationUs / this.#bestUs);
  }

  /** What a time would have been at the best speed. */
  time({ value, calibrationUs }: Sample): number {
    return value / (calibrationUs / this.#bestUs);
  }
}
