import type { Chapter } from '@polycast/conformance';
import type { ComparedTransport, Comparison } from '../compare/comparison.ts';
import { describeSetting } from '../output/latency-table.ts';
import { tally } from '../output/conformance-table.ts';
import { showCount, showMs } from '../output/numbers.ts';
import { COLORS } from './chart.ts';
import { conformanceSection } from './conformance-section.ts';
import { costSection } from './cost-section.ts';
import { latencyChart } from './latency-chart.ts';
import { latencyTable } from './latency-section.ts';
import { type Markup, markup, Markup as Raw } from './markup.ts';
import { STYLE } from './style.ts';

/** One HTML file with everything in it: no script, nothing from a network, readable without its charts. */
export function renderReport(comparison: Comparison, chapters: readonly Chapter[]): string {
  const { transports, comparedAt } = comparison;
  const names = transports.map(({ name }) => name).join(', ');
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Polycast: ${names} compared</title>
<style>${new Raw(STYLE)}</style>
</head>
<body><main>
<h1>One contract, ${transports.length === 1 ? 'one transport' : `${transports.length} transports`}</h1>
<p class="soft">Compared by <code>polycast compare</code> on <time datetime="${comparedAt}">${comparedAt.slice(0, 16).replace('T', ' ')} UTC</time>: conformance, latency and cost of each transport.</p>
<div class="cards">${transports.map(card)}</div>
${latencySection(transports)}
${conformanceSection(transports, chapters)}
${costSection(comparison)}
<footer>Latency was measured on one machine and says nothing about a network. Prices are list prices of the dates shown; check them before you rely on them.</footer>
</main></body>
</html>
`;
  return page.text;
}

function card({ name, url, conformance, latency, error, conforms }: ComparedTransport, at: number): Markup {
  const counts = conformance && tally(conformance.cases);
  return markup`<div class="card c${at % COLORS}">
<h2>${name}</h2>
<div class="soft small">${conformance?.manifest.title ?? url}</div>
<dl>
${counts && markup`<dt>conformance</dt><dd class="${counts.failed === 0 ? 'good' : conforms ? 'mild' : 'bad'}">${`${counts.passed} of ${counts.passed + counts.failed} passed`}</dd>`}
${conformance && markup`<dt>guarantee</dt><dd>${conformance.manifest.guarantee.replaceAll('-', ' ')}</dd>`}
${latency && markup`<dt>p50, end to end</dt><dd>${showMs(latency.endToEndMs.p50)}</dd><dt>p99, end to end</dt><dd>${showMs(latency.endToEndMs.p99)}</dd>`}
${latency && latency.throughputPerSecond > 0 && markup`<dt>maximum events/s</dt><dd>${showCount(latency.throughputPerSecond)}</dd>`}
${latency && markup`<dt>lost</dt><dd class="${latency.lost > 0 ? 'bad' : ''}">${showCount(latency.lost)} of ${showCount(latency.sent * latency.setting.subscribers)}</dd>`}
</dl>
${error && markup`<p class="bad small">${error.message}</p>`}
</div>`;
}

function latencySection(transports: readonly ComparedTransport[]): Markup | undefined {
  const measured = transports.flatMap(({ name, latency }) => (latency === undefined ? [] : [{ name, result: latency }]));
  const first = measured[0];
  if (first === undefined) return undefined;
  return markup`<section>
<h2>Latency</h2>
<p class="soft small">${describeSetting(first.result.setting)}.</p>
<div class="scroll">${latencyChart(transports)}</div>
${latencyTable(measured)}
</section>`;
}
