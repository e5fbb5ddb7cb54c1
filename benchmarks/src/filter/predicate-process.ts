import { calibrate, cpuUs, type Sample } from '../measurement/calibration.ts';
import type { FilterContender } from './contender.ts';
import type { FilterWorkload } from './filter-suite.ts';
import { EXAMPLE, makeEvents, makePassingEvents, makeSpec, type PlainEvent } from './filters.ts';

/** One contender, in a process of its own. Arguments: name, workload. */
export interface PredicateFigures {
  /** ns an event, of all kinds. */
  readonly mixed: Sample[];
  /** ns an event, where every clause is looked at. */
  readonly passing: Sample[];
  /** µs a filter, of many different ones. */
  readonly compile: Sample[];
}

const [name, workloadText] = process.argv.slice(2) as [string, string];
const workload = JSON.parse(workloadText) as FilterWorkload;
const { contender } = (await import(`../contenders/filter/${name}.js`)) as { contender: FilterContender };
const accepts = contender.compile(EXAMPLE);
const mixed = makeEvents(workload.events);
const passing = makePassingEvents(workload.events);
const isAsync = accepts(mixed[0]!) instanceof Promise;

for (const event of [...mixed, ...passing]) {
  const expected =
    event.type === EXAMPLE.type &&
    EXAMPLE.regions.includes(event.region) &&
    event.priority > EXAMPLE.above &&
    event.subject.startsWith(EXAMPLE.prefix);
  if (Boolean(await accepts(event)) !== expected) throw new Error(`${name} is wrong about ${JSON.stringify(event)}`);
}

const figures: PredicateFigures = { mixed: [], passing: [], compile: [] };
await nsEach(mixed, workload.warmUpMs);
for (let at = 0; at < workload.samples; at += 1) {
  for (const [kind, events] of [
    ['mixed', mixed],
    ['passing', passing],
  ] as const) {
    const before = calibrate();
    const value = await nsEach(events, workload.sampleMs);
    figures[kind].push({ value, calibrationUs: (before + calibrate()) / 2 });
  }
}
// Slow ones compile a tenth of them: it is a time each.
const count = isAsync ? workload.compiled / 10 : workload.compiled;
for (let at = 0; at < 3; at += 1) {
  const before = calibrate();
  const startUs = cpuUs();
  let accepted = 0;
  for (let number = 0; number < count; number += 1) {
    // Some do their work only when they see the first event.
    if (contender.compile(makeSpec(number))(mixed[0]!) === true) accepted += 1;
  }
  if (accepted > 0) throw new Error('the filters do not fit this event');
  const value = (cpuUs() - startUs) / count;
  figures.compile.push({ value, calibrationUs: (before + calibrate()) / 2 });
}
process.send!(figures);

async function nsEach(events: readonly PlainEvent[], ms: number): Promise<number> {
  const startUs = cpuUs();
  let done = 0;
  let passed = 0;
  let usedUs = 0;
  while (usedUs < ms * 1000) {
    passed += isAsync ? await countAwaited(events) : countPassing(events);
    done += events.length;
    usedUs = cpuUs() - startUs;
  }
  if (passed === 0) throw new Error('nothing passed');
  return (usedUs / done) * 1000;
}

function countPassing(events: readonly PlainEvent[]): number {
  let passed = 0;
  for (const event of events) if (accepts(event)) passed += 1;
  return passed;
}

async function countAwaited(events: readonly PlainEvent[]): Promise<number> {
  let passed = 0;
  for (const event of events) if (await accepts(event)) passed += 1;
  return passed;
}
