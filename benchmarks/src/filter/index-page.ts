import type { Sample, SpeedScale } from '../measurement/calibration.ts';
import { cellOf, short, times } from '../measurement/table.ts';
import { type FilterWorkload, type Measured, medianTime, OURS, type Page, timesOf } from './filter-suite.ts';
import { INDEX_WORKLOADS, indexWorkload } from './index-workload.ts';

const MIN_FASTER = 50;
const MAX_US = 200;
const MAX_CHANGE_US = 20;
const MAX_HEAP = 1_228;

export function indexPage({ indexes }: Measured, scale: SpeedScale, { filters }: FilterWorkload): Page {
  const us = (name: string) => timesOf(scale, indexes.get(name)?.us);
  const count = filters.toLocaleString('en');
  const names = [OURS, 'limit-hash', 'closures'];
  for (const kind of INDEX_WORKLOADS) {
    const counts = new Set(names.flatMap((name) => indexes.get(`${name} ${kind}`)?.passed ?? []));
    if (counts.size > 1) throw new Error(`the contenders disagree about ${kind}: ${[...counts].join(', ')}`);
  }
  return {
    tables: [
      {
        title: `${count} filters, one event: µs`,
        columns: ['contender', ...INDEX_WORKLOADS.map((kind) => `${kind}-heavy`)],
        rows: names.map((name) => [
          name,
          ...INDEX_WORKLOADS.map((kind) => cellOf(us(`${name} ${kind}`), us(`closures ${kind}`), true)),
        ]),
        notes: [
          'Ratios are to `closures`, each filter compiled and evaluated by itself; p10–p90 in brackets.',
          '`limit-hash` is written by hand for these filters: a map by type, in it one by region, then closures.',
          ...INDEX_WORKLOADS.map((kind) => {
            const passed = indexes.get(`${OURS} ${kind}`)!.passed;
            return `${kind}: \`${indexWorkload(kind, 0.01).title}\`; ${short(passed)} pass.`;
          }),
        ],
      },
    ],
    goals: INDEX_WORKLOADS.map((kind) => {
      const ratio =
        medianTime(scale, indexes.get(`closures ${kind}`)?.us) / medianTime(scale, indexes.get(`${OURS} ${kind}`)?.us);
      return {
        goal: `${count} filters, ${kind}-heavy: at least ${MIN_FASTER}× closures in a row`,
        measured: times(ratio),
        met: ratio >= MIN_FASTER,
      };
    }),
  };
}

export function largeIndexPage({ large }: Measured, scale: SpeedScale, { manyFilters }: FilterWorkload): Page {
  const count = manyFilters.toLocaleString('en');
  const mean = (samples: readonly Sample[]) => {
    const us = timesOf(scale, samples);
    return us.reduce((sum, one) => sum + one, 0) / us.length;
  };
  const rows = INDEX_WORKLOADS.map((kind) => {
    const { addUs, removeUs, ...figures } = large.get(kind)!;
    return { kind, ...figures, addUs: mean(addUs), removeUs: mean(removeUs) };
  });
  const most = (value: (row: (typeof rows)[number]) => number) => Math.max(...rows.map(value));
  const us = most((row) => medianTime(scale, row.us));
  const addUs = most((row) => row.addUs);
  const removeUs = most((row) => row.removeUs);
  const heap = most((row) => row.heap);
  return {
    tables: [
      {
        title: `${count} filters`,
        columns: ['', ...INDEX_WORKLOADS.map((kind) => `${kind}-heavy`)],
        rows: [
          ['filters that an event passes', ...rows.map((row) => short(row.passed))],
          ['µs an event', ...rows.map((row) => short(medianTime(scale, row.us)))],
          ['µs to add one, from text', ...rows.map((row) => short(row.addUs))],
          ['µs to remove one', ...rows.map((row) => short(row.removeUs))],
          ['bytes of heap each', ...rows.map((row) => short(row.heap))],
          ['bytes each, when all are removed', ...rows.map((row) => short(row.heapLeft))],
        ],
        notes: ['The heap after garbage collection, without the texts.'],
      },
    ],
    goals: [
      { goal: `${count} filters: less than ${MAX_US} µs an event`, measured: `${short(us)} µs`, met: us < MAX_US },
      { goal: `add one in at most ${MAX_CHANGE_US} µs`, measured: `${short(addUs)} µs`, met: addUs <= MAX_CHANGE_US },
      {
        goal: `remove one in at most ${MAX_CHANGE_US} µs`,
        measured: `${short(removeUs)} µs`,
        met: removeUs <= MAX_CHANGE_US,
      },
      { goal: 'at most 1.2 KB of heap a filter', measured: `${short(heap)} bytes`, met: heap <= MAX_HEAP },
    ],
  };
}
