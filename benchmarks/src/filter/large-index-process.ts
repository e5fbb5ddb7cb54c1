import { FilterIndex } from '@polycast/core/filter';
import { calibrate, cpuUs, type Sample } from '../measurement/calibration.ts';
import type { FilterWorkload } from './filter-suite.ts';
import { type IndexWorkloadName, indexWorkload } from './index-workload.ts';

/** A million filters. Runs with --expose-gc and room. Arguments: workload of filters, workload. */
export interface LargeIndexFigures {
  readonly us: Sample[];
  readonly passed: number;
  /** µs each, from text; a sample for ten thousand of them. */
  readonly addUs: Sample[];
  readonly removeUs: Sample[];
  /** Bytes a filter, without its text. */
  readonly heap: number;
  /** Bytes a filter left after all are removed. */
  readonly heapLeft: number;
}

const [kind, workloadText] = process.argv.slice(2) as [IndexWorkloadName, string];
const workload = JSON.parse(workloadText) as FilterWorkload;
const { manyFilters } = workload;
const { filterAt, eventAt } = indexWorkload(kind, 100 / manyFilters);
const CHUNK = 10_000;
/** Shares no divisor with the number of filters. */
const STEP = 7_919;
const index = new FilterIndex<number>();
const before = settledHeap();
const addUs: Sample[] = [];
for (let start = 0; start < manyFilters; start += CHUNK) {
  const texts = Array.from({ length: CHUNK }, (_, at) => filterAt(start + at));
  addUs.push(usEachOf(CHUNK, (at) => index.add(start + at, texts[at]!)));
}
const heap = (settledHeap() - before) / manyFilters;
const events = Array.from({ length: workload.events }, (_, at) => eventAt(at));
let passed = 0;
const visit = () => {
  passed += 1;
};
usEach(workload.warmUpMs);
const us: Sample[] = [];
for (let at = 0; at < workload.samples; at += 1) {
  const calibration = calibrate();
  const value = usEach(workload.sampleMs);
  us.push({ value, calibrationUs: (calibration + calibrate()) / 2 });
}
passed = 0;
for (const event of events) index.forEachMatch(event, visit);
const passedEach = passed / events.length;
const removeUs: Sample[] = [];
for (let start = 0; start < manyFilters; start += CHUNK) {
  // In another order than that of adding.
  removeUs.push(usEachOf(CHUNK, (at) => index.remove(((start + at) * STEP) % manyFilters)));
}
if (index.size > 0) throw new Error('some filters are left');
const heapLeft = (settledHeap() - before) / manyFilters;
const figures: LargeIndexFigures = { us, passed: passedEach, addUs, removeUs, heap, heapLeft };
process.send!(figures);

function usEach(ms: number): number {
  const start = cpuUs();
  let done = 0;
  let usedUs = 0;
  while (usedUs < ms * 1000) {
    for (const event of events) index.forEachMatch(event, visit);
    done += events.length;
    usedUs = cpuUs() - start;
  }
  return usedUs / done;
}

function usEachOf(count: number, change: (at: number) => void): Sample {
  const calibration = calibrate();
  const startUs = cpuUs();
  for (let at = 0; at < count; at += 1) change(at);
  const value = (cpuUs() - startUs) / count;
  return { value, calibrationUs: (calibration + calibrate()) / 2 };
}

function settledHeap(): number {
  for (let round = 0; round < 3; round += 1) globalThis.gc!();
  return process.memoryUsage().heapUsed;
}
