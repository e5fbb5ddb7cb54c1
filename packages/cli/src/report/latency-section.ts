import { showCount, showMs } from '../output/numbers.ts';
import type { NamedLatency } from '../output/latency-table.ts';
import { type Markup, markup } from './markup.ts';

const QUANTILES = ['p50', 'p90', 'p99', 'p999', 'max'] as const;

export function latencyTable(measured: readonly NamedLatency[]): Markup {
  const severalSubscribers = measured.some(({ result }) => result.setting.subscribers > 1);
  const rows = measured.map(({ name, result }) => {
    const times = [
      ['end to end', result.endToEndMs],
      ...(severalSubscribers ? ([[`to the last of ${result.setting.subscribers}`, result.lastOfNMs]] as const) : []),
      ['publish', result.publishMs],
      ['publish delay', result.publishDelayMs],
    ] as const;
    return times.map(
      ([what, quantiles], at) => markup`<tr>
${at === 0 && markup`<th rowspan="${times.length}">${name}<div class="soft small">${result.setting.link}</div></th>`}
<td>${what}</td>${QUANTILES.map((it) => markup`<td class="number">${showMs(quantiles[it])}</td>`)}
${at === 0 && counts(result, times.length)}</tr>`,
    );
  });
  return markup`<div class="scroll"><table>
<thead><tr><th>transport</th><th>time</th>${['p50', 'p90', 'p99', 'p99.9', 'max'].map((it) => markup`<th class="number">${it}</th>`)}<th class="number">lost</th><th class="number">twice</th><th class="number">reordered</th><th class="number">events/s at most</th></tr></thead>
<tbody>${rows}</tbody></table></div>
<p class="soft small">End to end: from the intended time of sending to the handler. Publish: until the transport accepted the event. Publish delay: delay of sending behind its schedule.</p>`;
}

function counts({ lost, duplicated, reordered, throughputPerSecond }: NamedLatency['result'], span: number): Markup {
  const cell = (count: number, bad: string) =>
    markup`<td class="number ${count > 0 ? bad : ''}" rowspan="${span}">${showCount(count)}</td>`;
  return markup`${cell(lost, 'bad')}${cell(duplicated, 'mild')}${cell(reordered, 'mild')}<td class="number" rowspan="${span}">${throughputPerSecond > 0 ? showCount(throughputPerSecond) : '–'}</td>`;
}
