export type { LinkShape } from '@polycast/local-services/proxy';
export type { BillLine } from './cost/bill.ts';
export { makeWorkload } from './cost/check-workload.ts';
export { compareUnits, sumUnits, type UnitComparison } from './cost/compare-units.ts';
export { type CostPoint, costCurve, DEFAULT_VOLUMES, logSpaced, withVolume } from './cost/cost-curve.ts';
export { type CostRow, SOLUTION } from './cost/cost-row.ts';
export { loadPrices } from './cost/load-prices.ts';
export { loadWorkload } from './cost/load-workload.ts';
export { DEFAULT_WORKLOAD, WORKLOADS } from './cost/packaged-workloads.ts';
export { MAX_WORKLOAD_LENGTH, type ParseWorkloadOptions, parseWorkload } from './cost/parse-workload.ts';
export type { Confidence, Price, PriceFile, PriceFileInput, Tier } from './cost/price.ts';
export { makePriceBook, type PriceBook, packagedPrices, regionsOf } from './cost/price-book.ts';
export { type PriceOptions, predictUnits, priceWorkload } from './cost/price-workload.ts';
export { listServices, type ServiceInfo } from './cost/service-list.ts';
export { deliveriesPerMonth, eventsPerMonth } from './cost/traffic.ts';
export type { ServiceName, Workload, WorkloadInput } from './cost/workload.ts';
export type { CurvePoint, Quantiles } from './latency/distribution.ts';
export type { DriverEnd, DriverPublisher, DriverTarget, LatencyDriver } from './latency/driver.ts';
export type { LatencyResult, LatencySetting, LinkLabel, ThroughputResult } from './latency/latency-result.ts';
export type { Machine } from './latency/machine.ts';
export { describeMachine } from './latency/machine.ts';
export {
  DEFAULT_DURATION_S,
  DEFAULT_IN_FLIGHT,
  DEFAULT_PAYLOAD_BYTES,
  DEFAULT_QUIET_MS,
  DEFAULT_RATE,
  type LatencyOptions,
  type LatencySession,
  MAX_SUBSCRIBERS,
  measureLatency,
  openLatency,
} from './latency/measure-latency.ts';
export type { Progress, ProgressListener } from './latency/progress.ts';
export { MIN_PAYLOAD_BYTES } from './latency/stamp.ts';
export { readInputFile } from './read-input-file.ts';
