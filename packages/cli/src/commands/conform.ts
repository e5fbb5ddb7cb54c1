import type { ConformanceCase } from '@polycast/conformance';
import { type Choice, urlOf } from '../choice.ts';
import { defineCommand } from '../command.ts';
import { conformApart } from '../conformance/apart.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { conformanceSummary, failedCases, findingsLines, notRunLines } from '../output/conformance-table.ts';
import { JSON_HELP, writeJson } from '../output/json-file.ts';
import { startProgress, type Task } from '../output/progress.ts';
import { withoutSecrets } from '../output/secrets.ts';
import { number, several } from '../parse-option.ts';
import { readTransportUrl } from '../transport-url.ts';

interface Options extends Choice {
  json?: string;
  only?: string[];
  seed?: number;
  local?: boolean;
  list?: boolean;
  soak?: boolean;
  faults?: number;
}

/** Faults of a soak that names no number: about a minute on a fast machine. */
const DEFAULT_FAULTS = 1_000;

export default defineCommand<Options>({
  examples: [
    ['polycast conform --url memory:', 'the whole suite'],
    ['polycast conform --url redis://localhost:6379 --json report.json', 'against your server'],
    ['polycast conform --url redis+streams: --local', 'against a server started for it, with every fault'],
    ['polycast conform --url memory: --only ttl --only order.2', 'some chapters, cases or clauses'],
    ['polycast conform --url redis+streams: --local --soak', 'generated histories with 1,000 faults'],
    ['polycast conform --list', 'the clauses of the contract'],
  ],

  declare(command) {
    command
      .option('-u, --url <url>', 'transport to check (default: POLYCAST_URL)')
      .option(
        '--local',
        'start a service for the run and also check restarts, crashes and silence (only scheme and parameters of the URL are used)',
      )
      .option('--only <part>', 'a chapter, a clause, or cases whose id contains this; may be repeated', several)
      .option('--seed <n>', 'repeat a run with its seed', number({ min: 0, max: 0x7fffffff, whole: true }))
      .option(
        '--soak',
        'play generated histories with faults over real processes instead; each failure prints its seed and the shortest history',
      )
      .option('--faults <n>', `faults in a soak (default: ${DEFAULT_FAULTS})`, number({ min: 1, whole: true }))
      .option('--list', 'list the clauses and run nothing')
      .option('--json <file>', JSON_HELP);
  },

  async run(_args, options, terminal) {
    const { CASES, CHAPTERS, conforms } = await import('@polycast/conformance');
    if (options.list) {
      if (options.json !== undefined) await writeJson(options.json, CHAPTERS, terminal);
      if (options.json === '-') return EXIT.ok;
      const { bold, dim } = terminal.colors;
      for (const { name, about, clauses } of CHAPTERS) {
        terminal.stdout.write(`\n${bold(name)} ${dim(about)}\n`);
        for (const { id, grade, text } of clauses) {
          const cases = CASES.filter(({ clause }) => clause === id).length;
          terminal.stdout.write(
            `  ${id.padEnd(16)} ${grade.padEnd(7)} ${text} ${dim(`(${cases} ${cases === 1 ? 'case' : 'cases'})`)}\n`,
          );
        }
      }
      return EXIT.ok;
    }

    if (options.faults !== undefined && !options.soak) throw new UsageError('--faults requires --soak');
    if (options.only !== undefined && options.soak)
      throw new UsageError('--only cannot be combined with --soak: it selects cases, and a soak has none');
    const url = options.local ? (options.url ?? 'redis:') : urlOf(options, terminal);
    if (options.soak) {
      const { soak } = await import('../soak/run.ts');
      const { faults = DEFAULT_FAULTS, seed, json } = options;
      return soak({ url, local: options.local === true, faults, seed, json }, terminal);
    }
    const cases = select(CASES, options.only);
    const progress = startProgress(terminal);
    try {
      let task: Task | undefined;
      const run = await conformApart(
        {
          url,
          local: options.local === true,
          tryUnclaimed: true,
          cases: cases.map(({ id }) => id),
          ...(options.seed !== undefined && { seed: options.seed }),
        },
        terminal.interrupted,
        ({ done, total, ended }) => {
          task ??= progress.task(`conformance ${readTransportUrl(url).scheme}`, total);
          task.update(done, ended);
        },
      );
      const report = withoutSecrets(run, terminal.secrets);
      task?.finish(`${report.summary.passed} passed, ${report.summary.failed} failed`);
      progress.stop();
      if (options.json !== '-') {
        terminal.stdout.write(conformanceSummary([report], CHAPTERS, terminal));
        terminal.stdout.write(failedCases(report, terminal) + notRunLines(report, terminal));
        const isPartial = options.only !== undefined || terminal.interrupted.aborted;
        terminal.stdout.write(findingsLines(report, terminal, { isPartial }));
      }
      // After what is shown: should the file fail, the result is not lost.
      if (options.json !== undefined) await writeJson(options.json, report, terminal);
      if (terminal.interrupted.aborted) return EXIT.interrupted;
      return conforms(report) ? EXIT.ok : EXIT.failed;
    } finally {
      progress.stop();
    }
  },
});

/** @throws UsageError when a part names nothing: a typo must not look like a success */
function select(cases: readonly ConformanceCase[], only: readonly string[] | undefined): readonly ConformanceCase[] {
  if (only === undefined) return cases;
  const chapters = new Set(cases.map(({ clause }) => chapterOf(clause)));
  const named = ({ id, clause }: ConformanceCase, part: string) =>
    chapters.has(part) ? chapterOf(clause) === part : clause === part || id.includes(part);
  for (const part of only) {
    if (cases.some((one) => named(one, part))) continue;
    throw new UsageError(`unknown chapter, clause or case "${part}"; \`polycast conform --list\` lists them`);
  }
  return cases.filter((one) => only.some((part) => named(one, part)));
}

/** `ttl.3` is in `ttl`. */
function chapterOf(clause: string): string {
  return clause.slice(0, clause.lastIndexOf('.'));
}
