import type { LatencyResult, LatencySetting } from '@polycast/measure';
import { showCount, showMs } from './numbers.ts';
import { type Column, renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';

export interface NamedLatency {
  readonly name: string;
  readonly result: LatencyResult;
}

const QUANTILES = ['p50', 'p90', 'p99', 'p999', 'max'] as const;
const COLUMNS: readonly Column[] = [
  { title: 'transport' },
  { title: 'time' },
  ...['p50', 'p90', 'p99', 'p99.9', 'max'].map(
    (title): Column => ({ title, align: 'right', optional: title === 'p90' }),
  ),
  { title: 'events', align: 'right' },
];

/** Four times a transport, with what was lost beside them. */
export function latencyTable(measured: readonly NamedLatency[], terminal: Terminal): string {
  const { bold, dim } = terminal.colors;
  const rows = measured.flatMap(({ name, result }) => {
    const times = [
      ['end to end', result.endToEndMs],
      ...(result.setting.subscribers > 1
        ? ([[`last of ${result.setting.subscribers}`, result.lastOfNMs]] as const)
        : []),
      ['publish', result.publishMs],
      ['publish delay', result.publishDelayMs],
    ] as const;
    const remarks = remarksOn(result, terminal);
    return times.map(([what, quantiles], at) => [
      at === 0 ? bold(name) : '',
      what,
      ...QUANTILES.map((quantile) => showMs(quantiles[quantile])),
      remarks[at] ?? '',
    ]);
  });
  const setting = measured[0] && describeSetting(measured[0].result.setting);
  return `${bold('Latency')} ${dim(setting ?? '')}\n${renderTable(terminal, COLUMNS, rows)}\n${dim(
    'end to end: from the intended time of sending to the handler · publish: until the transport accepted it · publish delay: delay of sending behind its schedule',
  )}\n`;
}

/** What the figures were measured under. Loopback is no network, and says so. */
export function describeSetting({
  ratePerSecond,
  durationS,
  payloadBytes,
  subscribers,
  machine,
  node,
}: LatencySetting): string {
  const load = `${showCount(ratePerSecond)} events/s for ${durationS} s, ${payloadBytes} bytes, ${subscribers} ${subscribers === 1 ? 'subscriber' : 'subscribers'}`;
  return `${load}; open loop, on one machine (${machine.cores} cores, Node ${node.replace('v', '')}): real networks are slower`;
}

function remarksOn(
  { lost, duplicated, reordered, sent, throughputPerSecond, setting }: LatencyResult,
  { colors }: Terminal,
): readonly string[] {
  const loss = `${lost} lost`;
  return [
    `${showCount(sent)} sent`,
    lost > 0 ? colors.red(loss) : loss,
    duplicated + reordered > 0 ? colors.yellow(`${duplicated} duplicated, ${reordered} reordered`) : setting.link,
    ...(throughputPerSecond > 0 ? [`maximum ${showCount(throughputPerSecond)}/s`] : []),
  ].slice(0, setting.subscribers > 1 ? 4 : 3);
}
