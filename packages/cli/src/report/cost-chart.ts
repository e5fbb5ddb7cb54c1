import type { Comparison } from '../compare/comparison.ts';
import { showUsd } from '../output/numbers.ts';
import { decades, lineChart } from './chart.ts';
import type { Markup } from './markup.ts';

/** What costs nothing has no place on a logarithmic axis: it is drawn on this line, which is labelled so. */
const FREE = 0.1;
/** The services of the transports that Polycast has or plans, in colour: as many as eyes can tell apart. The rest is for comparison. */
const MAIN: readonly string[] = [
  'service-bus',
  'signalr',
  'event-grid',
  'event-grid-namespaces',
  'azure-cache-for-redis',
  'azure-managed-redis',
  'ably',
];

/** Monthly cost against monthly publishes, a line a service; a line ends where no tier fits any more. Services beyond the main ones stay in the background. */
export function costChart({ cost }: Comparison): Markup | undefined {
  const series = cost.curves
    .map(({ service, points }) => ({
      name: service,
      main: MAIN.includes(service),
      points: points.flatMap(({ volume, monthlyUsd, tier, size }) =>
        monthlyUsd === null
          ? []
          : [
              {
                x: volume,
                y: Math.max(FREE, monthlyUsd),
                tip: `${compact(volume)} publishes cost ${showUsd(monthlyUsd)} (${[tier, size].filter(Boolean).join(' ')})`,
              },
            ],
      ),
    }))
    .filter(({ points }) => points.some(({ y }) => y > FREE))
    // Drawn last, they lie on top.
    .sort((one, other) => Number(one.main) - Number(other.main))
    .map((one, at, { length }) => ({ ...one, style: one.main ? length - 1 - at : undefined }));
  const all = series.flatMap(({ points }) => points);
  if (all.length === 0) return undefined;
  const xTicks = decades(Math.min(...all.map(({ x }) => x)), Math.max(...all.map(({ x }) => x)));
  const yTicks = decades(FREE, Math.max(...all.map(({ y }) => y)));
  return lineChart({
    label: 'Monthly cost by publishes per month, one line per service; the table below has the numbers for one volume',
    series,
    x: {
      title: 'events published per month (subscribers and everything else as in the workload)',
      domain: [xTicks[0]!, xTicks.at(-1)!],
      ticks: xTicks.map((at) => ({ at, label: compact(at) })),
    },
    y: {
      title: 'US dollars a month',
      domain: [yTicks[0]!, yTicks.at(-1)!],
      ticks: yTicks.map((at) => ({ at, label: at === FREE ? 'free' : `$${compact(at)}` })),
    },
    height: 520,
    smooth: false,
    nameWidth: 190,
  });
}

/** Services that cost nothing at any volume they can take: they are named, not drawn. */
export function freeServices({ cost }: Comparison): readonly string[] {
  return cost.curves
    .filter(({ points }) => points.some(({ monthlyUsd }) => monthlyUsd !== null) && points.every(({ monthlyUsd }) => (monthlyUsd ?? 0) <= FREE))
    .map(({ service }) => service);
}

function compact(value: number): string {
  return value.toLocaleString('en-US', { notation: 'compact', maximumSignificantDigits: 3 });
}
