import type { CostRow } from '@polycast/measure';
import type { Comparison } from '../compare/comparison.ts';
import { billed, byPrice } from '../output/cost-table.ts';
import { showUsd } from '../output/numbers.ts';
import { costChart, freeServices } from './cost-chart.ts';
import { type Markup, markup } from './markup.ts';

export function costSection(comparison: Comparison): Markup {
  const { workload, cost } = comparison;
  const fitting = byPrice(cost.rows.filter(({ possible }) => possible));
  const others = cost.rows.filter(({ possible }) => !possible);
  const free = freeServices(comparison);
  return markup`<section>
<h2>Cost</h2>
<p class="soft small">Workload “${workload.name}”. ${workload.description}</p>
<div class="scroll">${costChart(comparison)}</div>
<p class="soft small">In colour: services of current or planned Polycast transports; grey: for comparison. A line ends where the volume exceeds every tier.${free.length > 0 && ` Billed nothing by use at any volume: ${free.join(', ')}.`}</p>
<div class="scroll"><table>
<caption>US dollars a month at the workload's own volume; idle: everybody connected, nothing published</caption>
<thead><tr><th>service</th><th>tier</th><th>billed by use</th><th class="number">a month</th><th class="number">idle</th><th>prices of</th><th>confidence</th></tr></thead>
<tbody>${fitting.map(row)}</tbody></table></div>
${others.length > 0 && markup`<p class="soft small" style="margin-top:12px">Not possible: ${others.map(({ service, reason }) => `${service} (${reason})`).join('; ')}.</p>`}
${workload.notes.map((note) => markup`<p class="soft small">Note: ${note}</p>`)}
</section>`;
}

function row(it: CostRow): Markup {
  const trust = it.confidence === 'low' || it.confidence === 'none' ? 'mild' : 'soft';
  return markup`<tr><th>${it.service === 'solution' ? 'total' : it.service}<div class="soft small" style="font-weight:400">${it.title}</div></th><td>${[it.tier, it.size].filter(Boolean).join(' ')}</td><td class="small">${billed(it)}</td><td class="number"><b>${showUsd(it.monthlyUsd)}</b></td><td class="number">${showUsd(it.idleMonthlyUsd)}</td><td>${it.priceDate ?? 'no date'}</td><td class="${trust}">${it.confidence}</td></tr>`;
}
