import type { Chapter, ConformanceReport } from '@polycast/conformance';
import { CAPABILITIES, type CapabilityName } from '@polycast/core';
import type { ComparedTransport } from '../compare/comparison.ts';
import { ofChapter, type Tally, tally } from '../output/conformance-table.ts';
import { showBytes } from '../output/numbers.ts';
import { type Markup, markup } from './markup.ts';

interface Tested {
  readonly name: string;
  readonly report: ConformanceReport;
}

export function conformanceSection(transports: readonly ComparedTransport[], chapters: readonly Chapter[]): Markup | undefined {
  const tested = transports.flatMap(({ name, conformance }) => (conformance === undefined ? [] : [{ name, report: conformance }]));
  if (tested.length === 0) return undefined;
  return markup`<section>
<h2>Conformance</h2>
<p class="soft small">Cases of the conformance suite by chapter of the contract. Skipped: not supported according to the manifest. Not run: not possible here, since a comparison does not disturb servers; <code>polycast conform --local</code> tries restarts, crashes and lost connections, too.</p>
<div class="scroll">${chapterTable(tested, chapters)}</div>
${failures(tested)}
<h3>Capabilities confirmed by the suite</h3>
<div class="scroll">${capabilityTable(tested)}</div>
</section>`;
}

function chapterTable(tested: readonly Tested[], chapters: readonly Chapter[]): Markup {
  const rows = chapters.filter(({ name }) => tested.some(({ report }) => ofChapter(report, name).length > 0));
  return markup`<table><thead><tr><th>chapter</th>${tested.map(({ name }) => markup`<th>${name}</th>`)}</tr></thead><tbody>
${rows.map(({ name, about }) => markup`<tr><th>${name}<div class="soft small" style="font-weight:400;white-space:normal;max-width:44ch">${about}</div></th>${tested.map(({ report }) => markup`<td>${cell(tally(ofChapter(report, name)))}</td>`)}</tr>`)}
<tr><th>all</th>${tested.map(({ report }) => markup`<td>${cell(tally(report.cases))}</td>`)}</tr>
</tbody></table>`;
}

function cell({ passed, failed, skipped, notRun, mustFailed }: Tally): Markup {
  const all = Math.max(1, passed + failed + skipped + notRun);
  const words = [
    passed > 0 && markup`<span class="good">${passed} passed</span>`,
    failed > 0 && markup`<span class="${mustFailed > 0 ? 'bad' : 'mild'}">${failed} failed</span>`,
    skipped > 0 && markup`<span class="soft">${skipped} skipped</span>`,
    notRun > 0 && markup`<span class="soft">${notRun} not run</span>`,
  ].filter((it) => it !== false);
  return markup`<span class="small">${words.map((word, at) => markup`${at > 0 && ' · '}${word}`)}</span><div class="bar" aria-hidden="true"><i class="p" style="width:${(100 * passed) / all}%"></i><i class="f" style="width:${(100 * failed) / all}%"></i></div>`;
}

function failures(tested: readonly Tested[]): Markup | undefined {
  const failed = tested.flatMap(({ name, report }) =>
    report.cases.filter(({ status }) => status === 'failed').map((result) => ({ name, result })),
  );
  if (failed.length === 0) return undefined;
  return markup`<details open><summary>${failed.length} failed ${failed.length === 1 ? 'case' : 'cases'}</summary><div class="scroll"><table>
<thead><tr><th>case</th><th>transport</th><th>clause</th><th>why</th></tr></thead><tbody>
${failed.map(({ name, result }) => markup`<tr><td>${result.title}<div class="soft small">${result.id}</div></td><td>${name}</td><td class="${result.grade === 'MUST' ? 'bad' : 'mild'}">${result.clause} ${result.grade}</td><td class="small">${result.reason}</td></tr>`)}
</tbody></table></div></details>`;
}

function capabilityTable(tested: readonly Tested[]): Markup {
  const names = Object.keys(CAPABILITIES) as CapabilityName[];
  return markup`<table><thead><tr><th>capability</th>${tested.map(({ name }) => markup`<th>${name}</th>`)}</tr></thead><tbody>
${names.map(
  (name) => markup`<tr><th>${name}<div class="soft small" style="font-weight:400;white-space:normal;max-width:52ch">${CAPABILITIES[name]}</div></th>${tested.map(({ report }) => {
    const { level, note, numbers, steps } = report.manifest.capabilities[name];
    return markup`<td><span class="pill ${level}">${level}</span>${(note ?? numbers ?? steps) && markup`<div class="soft small" style="max-width:30ch;margin-top:3px">${note} ${showNumbers({ ...numbers, ...steps })}</div>`}</td>`;
  })}</tr>`,
)}
<tr><th>largest event</th>${tested.map(({ report }) => markup`<td>${showBytes(report.manifest.limits.maxEventBytes)}</td>`)}</tr>
</tbody></table>`;
}

function showNumbers(numbers: Readonly<Record<string, number | readonly number[]>> = {}): string {
  return Object.entries(numbers)
    .map(([name, value]) => `${name} ${[value].flat().map((one) => one.toLocaleString('en-US')).join(' or ')}`)
    .join(', ');
}
