import type { CurvePoint } from '@polycast/measure';
import type { ComparedTransport } from '../compare/comparison.ts';
import { showMs } from '../output/numbers.ts';
import { decades, lineChart } from './chart.ts';
import type { Markup } from './markup.ts';

/** Percentiles that get a tick: as far apart as the nines they add. */
const TICKS = [0, 50, 90, 99, 99.9, 99.99, 99.999];
/** Nothing faster can be told apart by the clocks in use, ms. */
const FLOOR_MS = 0.001;

/** Percentile curves of end-to-end latency: the further right, the rarer. */
export function latencyChart(transports: readonly ComparedTransport[]): Markup | undefined {
  const measured = transports.flatMap(({ name, latency }, style) => {
    const curve = latency?.curves.endToEndMs ?? [];
    return latency === undefined || curve.length === 0 ? [] : [{ name, style, curve, count: latency.received }];
  });
  if (measured.length === 0) return undefined;
  const values = measured.flatMap(({ curve }) => curve.map(({ ms }) => Math.max(ms, FLOOR_MS)));
  const yTicks = decades(Math.min(...values), Math.max(...values));
  const rarest = Math.max(...measured.map(({ count }) => count), 100);
  return lineChart({
    label: 'End-to-end latency by percentile, one line per transport; the table below has the numbers',
    series: measured.map(({ name, style, curve, count }) => ({
      name,
      style,
      points: curve.map((point) => ({
        x: rarity(point.percentile, count),
        y: Math.max(point.ms, FLOOR_MS),
        tip: describe(point),
      })),
    })),
    x: {
      title: 'percentile of events',
      domain: [1, rarest],
      ticks: TICKS.map((percentile) => ({ at: 100 / (100 - percentile), label: `${percentile} %` })).filter(({ at }) => at <= rarest),
    },
    y: {
      title: 'end to end',
      domain: [yTicks[0]!, yTicks.at(-1)!],
      ticks: yTicks.map((at) => ({ at, label: showTick(at) })),
    },
    height: 400,
    smooth: true,
    nameWidth: 130,
  });
}

/** One event in so many is slower. The slowest of n events is one in n. */
function rarity(percentile: number, count: number): number {
  return percentile >= 100 ? Math.max(count, 1) : 100 / (100 - percentile);
}

function describe({ percentile, ms }: CurvePoint): string {
  return percentile === 100 ? `slowest ${showMs(ms)}` : `${percentile} % within ${showMs(ms)}`;
}

function showTick(ms: number): string {
  if (ms < 1) return `${Number((ms * 1_000).toPrecision(3))} µs`;
  return ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`;
}
