import { FilterIndex } from '@polycast/core';
import { calibrate, cpuUs, type Sample } from '../measurement/calibration.ts';
import type { FilterWorkload } from './filter-suite.ts';
import { type IndexWorkloadName, indexWorkload } from './index-workload.ts';

/** A million filters. Runs with --expose-gc and room. Arguments: workload of filters, workload. */
export interface LargeIndexFigures {
  readonly us: Sample[];
  readonly passed: number;
  /** µs each, from text, of all of them. */
  readonly addUs: number;
  readonly removeUs: number;
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
const index = new FilterIndex<number>();
const before = settledHeap();
let addUs = 0;
for (let start = 0; start < manyFilters; start += CHUNK) {
  const texts = Array.from({ length: Math.min(CHUNK, manyFilters - start) }, (_, at) => filterAt(start + at));
  const startUs = cpuUs();
  for (const [at, text] of texts.entries()) index.add(start + at, text);
  addUs += cpuUs() - startUs;
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
const startUs = cpuUs();
for (let id = 0; id < manyFilters; id += 1) index.remove((id * 7_919) % manyFilters);
const removeUs = (cpuUs() - startUs) / manyFilters;
if (index.size > 0) throw new Error('some filters are left');
const heapLeft = (settledHeap() - before) / manyFilters;
const figures: LargeIndexFigures = { us, passed: passedEach, addUs: addUs / manyFilters, removeUs, heap, heapLeft };
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

function settledHeap(): number {
  for (let round = 0; round < 3; round += 1) globalThis.gc!();
  return process.memoryUsage().heapUsed;
}
