import type { ConformanceReport } from '@polycast/conformance';
import type { CostPoint, CostRow, LatencyResult, Workload } from '@polycast/measure';

/** What `compare` found out: the content of `compare.json`. */
export interface Comparison {
  /** RFC 3339. */
  readonly comparedAt: string;
  readonly transports: readonly ComparedTransport[];
  readonly workload: Workload;
  readonly cost: {
    readonly rows: readonly CostRow[];
    readonly curves: readonly CostCurve[];
  };
}

export interface ComparedTransport {
  /** The manifest's `transport`, with a number behind it where two are the same. */
  readonly name: string;
  readonly url: string;
  /** Did no MUST fail? */
  readonly conforms: boolean;
  readonly conformance?: ConformanceReport;
  readonly latency?: LatencyResult;
  /** Why there is nothing (more) to tell. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** What one service costs as the workload grows. */
export interface CostCurve {
  readonly service: string;
  readonly title: string;
  /** URL schemes of the Polycast transports that run on it. */
  readonly transports: readonly string[];
  readonly points: readonly CostPoint[];
}
