import type { CaseResult, Chapter, ConformanceReport } from '@polycast/conformance';
import { CAPABILITIES, type CapabilityName, type Level } from '@polycast/core';
import { renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';

/** Counts of one chapter, and whether a MUST is among the failed. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly notRun: number;
  readonly mustFailed: number;
}

export function tally(cases: readonly CaseResult[]): Tally {
  const count = (status: CaseResult['status']) => cases.filter((it) => it.status === status).length;
  return {
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    notRun: count('not-run'),
    mustFailed: cases.filter(({ status, grade }) => status === 'failed' && grade === 'MUST').length,
  };
}

/** The cases of one chapter: a clause's id starts with its chapter's name. */
export function ofChapter(report: ConformanceReport, chapter: string): readonly CaseResult[] {
  return report.cases.filter(({ clause }) => clause.slice(0, clause.lastIndexOf('.')) === chapter);
}

/** Two tables: cases by chapter, and what each transport offers. */
export function conformanceSummary(
  reports: readonly ConformanceReport[],
  chapters: readonly Chapter[],
  terminal: Terminal,
): string {
  const { bold, dim } = terminal.colors;
  const names = reports.map(({ transport }) => ({ title: transport }));
  const byChapter = chapters
    .filter(({ name }) => reports.some((report) => ofChapter(report, name).length > 0))
    .map(({ name, about }) => [
      name,
      ...reports.map((report) => cell(tally(ofChapter(report, name)), terminal)),
      dim(about),
    ]);
  const total = [bold('all'), ...reports.map(({ cases }) => bold(cell(tally(cases), terminal))), ''];
  const capabilities = (Object.keys(CAPABILITIES) as CapabilityName[]).map((name) => [
    name,
    ...reports.map(({ manifest }) => level(manifest.capabilities[name].level, terminal)),
    dim(CAPABILITIES[name]),
  ]);
  return [
    `${bold('Conformance')} ${dim('passed ✓  failed ✗  skipped: not offered −  not run here ·')}`,
    renderTable(terminal, [{ title: 'chapter' }, ...names, { title: 'about', optional: true }], [...byChapter, total]),
    '',
    `${bold('Capabilities')} ${dim('confirmed by the suite')}`,
    renderTable(terminal, [{ title: 'capability' }, ...names, { title: 'means', optional: true }], capabilities),
    '',
  ].join('\n');
}

function cell({ passed, failed, skipped, notRun, mustFailed }: Tally, { colors }: Terminal): string {
  const parts = [
    passed > 0 ? colors.green(`${passed} ✓`) : '',
    failed > 0 ? (mustFailed > 0 ? colors.red : colors.yellow)(`${failed} ✗`) : '',
    skipped > 0 ? colors.dim(`${skipped} −`) : '',
    notRun > 0 ? colors.dim(`${notRun} ·`) : '',
  ];
  return parts.filter(Boolean).join(' ') || colors.dim('0');
}

function level(level: Level, { colors }: Terminal): string {
  if (level === 'native') return colors.green('native');
  return level === 'emulated' ? colors.cyan('emulated') : colors.dim('none');
}

/** Maximum length of a displayed reason, in characters: generated histories can fill screens. The JSON has the complete one. */
const MAX_REASON = 600;

/** Every failed case with its reason; empty when there is none. */
export function failedCases({ transport, cases }: ConformanceReport, { colors }: Terminal): string {
  const failed = cases.filter(({ status }) => status === 'failed');
  return failed
    .map(
      ({ id, clause, grade, title, reason = '', signals = [] }) =>
        `${colors.red('✗')} ${colors.bold(id)} ${transport}: ${title} (${clause}, ${grade})\n    ${shorten(reason).replace(/\n/g, '\n    ')}\n${signals.map((line) => colors.yellow(`    signal ${line.replace(/\n/g, ' ')}\n`)).join('')}`,
    )
    .join('');
}

/** How many cases could not be run, by reason: among the reasons is what to do about it. Empty when all ran. */
export function notRunLines({ transport, cases }: ConformanceReport, { colors }: Terminal): string {
  const reasons = new Map<string, number>();
  for (const { status, reason = '' } of cases) {
    if (status === 'not-run') reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return [...reasons].map(([reason, count]) => colors.dim(`· ${transport}: ${count} not run: ${reason}\n`)).join('');
}

/** Where manifest and results disagree. */
export function findingsLines(
  { transport, findings: all }: ConformanceReport,
  { colors }: Terminal,
  /** A run of chosen cases: what it left out is no news. */
  { isPartial }: { readonly isPartial: boolean },
): string {
  const findings = isPartial ? all.filter(({ kind }) => kind !== 'unconfirmed') : all;
  return findings
    .map(({ kind, capability, claimed, confirmed, reason }) => {
      const change = claimed === confirmed ? claimed : `${claimed} → ${confirmed}`;
      return `${colors.yellow(kind)} ${transport} ${capability} (${change}): ${reason}\n`;
    })
    .join('');
}

function shorten(text: string): string {
  return text.length <= MAX_REASON ? text : `${text.slice(0, MAX_REASON)} …`;
}
