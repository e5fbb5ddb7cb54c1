import { compileFilter, FilterIndex } from '@polycast/core/filter';
import { calibrate, cpuUs, type Sample } from '../measurement/calibration.ts';
import type { FilterWorkload } from './filter-suite.ts';
import type { PlainEvent } from './filters.ts';
import { type IndexWorkloadName, indexWorkload } from './index-workload.ts';

/** Many filters against one event, in a process of its own. Arguments: contender, workload of filters, workload. */
export interface IndexFigures {
  /** µs an event. */
  readonly us: Sample[];
  /** How many filters an event passes: all contenders must agree. */
  readonly passed: number;
}

const [contender, kind, workloadText] = process.argv.slice(2) as [string, IndexWorkloadName, string];
const workload = JSON.parse(workloadText) as FilterWorkload;
const { filterAt, eventAt } = indexWorkload(kind, 0.01);
const texts = Array.from({ length: workload.filters }, (_, at) => filterAt(at));
const events = Array.from({ length: workload.events }, (_, at) => eventAt(at));

const MAKERS: Record<string, () => (event: PlainEvent) => number> = { polycast, closures, 'limit-hash': hash };
const count = MAKERS[contender]!();
// The slow one sees a part of the events at a time.
const step = contender === 'closures' ? 20 : events.length;
let next = 0;
usEach(workload.warmUpMs);
const us: Sample[] = [];
for (let at = 0; at < workload.samples; at += 1) {
  const before = calibrate();
  const value = usEach(workload.sampleMs);
  us.push({ value, calibrationUs: (before + calibrate()) / 2 });
}
let passed = 0;
for (const event of events) passed += count(event);
process.send!({ us, passed: passed / events.length } satisfies IndexFigures);

function usEach(ms: number): number {
  const startUs = cpuUs();
  let done = 0;
  let usedUs = 0;
  while (usedUs < ms * 1000) {
    for (let at = 0; at < step; at += 1) count(events[next++ % events.length]!);
    done += step;
    usedUs = cpuUs() - startUs;
  }
  return usedUs / done;
}

function polycast(): (event: PlainEvent) => number {
  const index = new FilterIndex<number>();
  for (const [id, text] of texts.entries()) index.add(id, text);
  let found = 0;
  const visit = () => {
    found += 1;
  };
  return (event) => {
    found = 0;
    index.forEachMatch(event, visit);
    return found;
  };
}

/** Each filter by itself, compiled. */
function closures(): (event: PlainEvent) => number {
  const filters = texts.map((text) => compileFilter(text));
  return (event) => {
    let found = 0;
    for (const filter of filters) if (filter.matches(event)) found += 1;
    return found;
  };
}

/** What a programmer who knows the filters would write: a map by type, in it by region, then what is left of the filter. */
function hash(): (event: PlainEvent) => number {
  const byType = new Map<unknown, Map<unknown, ((event: PlainEvent) => boolean)[]>>();
  for (const text of texts) {
    const [, type, one, other, above] = /'(.*?)'.*'(.*?)', '(.*?)'.*> (\d+)/.exec(text)!;
    const byRegion = byType.get(type) ?? new Map<unknown, ((event: PlainEvent) => boolean)[]>();
    byType.set(type, byRegion);
    const limit = Number(above);
    const rest = (event: PlainEvent) => event.priority > limit && event.subject.startsWith('table-');
    for (const region of [one, other]) {
      const list = byRegion.get(region);
      if (list === undefined) byRegion.set(region, [rest]);
      else list.push(rest);
    }
  }
  return (event) => {
    let found = 0;
    for (const rest of byType.get(event.type)?.get(event.region) ?? []) if (rest(event)) found += 1;
    return found;
  };
}
