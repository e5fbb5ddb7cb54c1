import { resolve } from 'node:path';
import { defineCommand } from '../command.ts';
import { compare } from '../compare/compare.ts';
import type { Comparison } from '../compare/comparison.ts';
import { type CompareOptions, declareCompare } from '../compare/options.ts';
import { chooseSubjects } from '../compare/subject.ts';
import { EXIT, Interrupted } from '../exit-code.ts';
import { conformanceSummary, failedCases, notRunLines } from '../output/conformance-table.ts';
import { costTable } from '../output/cost-table.ts';
import { writeJson, writeText } from '../output/json-file.ts';
import { latencyTable } from '../output/latency-table.ts';
import { startProgress } from '../output/progress.ts';
import type { Terminal } from '../output/terminal.ts';
import { renderReport } from '../report/page.ts';
import { chooseWorkload } from '../workload-choice.ts';

export default defineCommand<CompareOptions>({
  examples: [
    ['polycast compare', 'memory, Redis pub/sub and Redis Streams, on a server started for it'],
    ['polycast compare --url redis://cache:6379 --url memory:', 'your server against memory'],
    ['polycast compare --workload mine.yaml', 'with the cost of your own workload'],
    ['polycast compare --json - --html report.html', 'JSON to stdout'],
  ],

  declare: declareCompare,

  async run(_args, options, terminal) {
    const workload = await chooseWorkload(options.workload, terminal);
    const subjects = await chooseSubjects(options.url, terminal);
    const progress = startProgress(terminal);
    let comparison: Comparison;
    try {
      comparison = await compare(subjects.list, workload, options, progress, terminal);
    } catch (error) {
      if (terminal.interrupted.aborted) throw new Interrupted();
      throw error;
    } finally {
      progress.stop();
      await subjects.stop();
    }

    const { CHAPTERS } = await import('@polycast/conformance');
    const html = resolve(terminal.cwd, options.html);
    if (options.json !== '-') show(comparison, CHAPTERS, html, options, terminal);
    await writeJson(options.json, comparison, terminal);
    await writeText(options.html, renderReport(comparison, CHAPTERS), terminal);
    const broken = comparison.transports.some(({ error, conforms }) => error !== undefined || !conforms);
    return broken ? EXIT.failed : EXIT.ok;
  },
});

function show(
  { transports, cost, workload }: Comparison,
  chapters: Parameters<typeof conformanceSummary>[1],
  html: string,
  options: CompareOptions,
  terminal: Terminal,
): void {
  const { stdout, colors } = terminal;
  const reports = transports.flatMap(({ conformance }) => conformance ?? []);
  const measured = transports.flatMap(({ name, latency }) =>
    latency === undefined ? [] : [{ name, result: latency }],
  );
  if (reports.length > 0) stdout.write(`\n${conformanceSummary(reports, chapters, terminal)}\n`);
  for (const report of reports) stdout.write(failedCases(report, terminal) + notRunLines(report, terminal));
  if (measured.length > 0) stdout.write(`${latencyTable(measured, terminal)}\n`);
  stdout.write(`${costTable(workload, cost.rows, terminal)}\n`);
  for (const { name, error } of transports) {
    if (error !== undefined) stdout.write(`${colors.red(`${name}: ${error.message}`)}\n`);
  }
  stdout.write(`${colors.bold('Report')} ${html}\n${colors.dim(`the same as data: ${options.json}`)}\n`);
}
