import type { SpeedScale } from '../measurement/calibration.ts';
import { median } from '../measurement/statistics.ts';
import { cellOf, times } from '../measurement/table.ts';
import { type FilterWorkload, type Measured, OURS, type Page } from './filter-suite.ts';

const MIN_RATE = 0.5;

export function subscriptionsPage(
  { subscriptions: measured }: Measured,
  scale: SpeedScale,
  { subscriptions, regions }: FilterWorkload,
): Page {
  const rates = (name: string) => (measured.get(name)?.rates ?? []).map((sample) => scale.rate(sample));
  const ratio = median(rates(OURS)) / median(rates('limit-map'));
  const count = subscriptions.toLocaleString('en');
  return {
    tables: [
      {
        title: `${count} subscriptions with filters in one process: publishes per CPU second`,
        columns: ['contender', 'publishes'],
        rows: [OURS, 'limit-map'].map((name) => [name, cellOf(rates(name), rates('limit-map'))]),
        notes: [
          `\`type = 'order.moved' AND region = R\`, ${subscriptions / regions} of them for each event; the memory transport, awaited, until the last handler ran.`,
          '`limit-map` is a map from region to handlers and nothing else.',
        ],
      },
    ],
    goals: [
      {
        goal: `${count} subscriptions: publishes at least ${MIN_RATE}× as fast as a map keyed by hand`,
        measured: times(ratio),
        met: ratio >= MIN_RATE,
      },
    ],
  };
}
