import type { Failure, SoakReport } from '@polycast/conformance/soak';
import { renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';

/** Steps of a failing history shown; the JSON has them all. */
const MAX_STEPS = 12;
const MAX_FAILURES = 10;

/** Faults by kind, and what came of them. */
export function soakTable(report: SoakReport, terminal: Terminal): string {
  const { bold, dim, red, green } = terminal.colors;
  const count = (value: number, isBad: boolean) => (isBad && value > 0 ? red(String(value)) : String(value));
  const faults = Object.entries(report.faults).sort(([, one], [, other]) => other - one);
  const total = faults.reduce((sum, [, done]) => sum + done, 0);
  const verdict =
    report.failures.length === 0
      ? green('no promise was broken')
      : red(`${countOf(report.failures.length)} broke a promise`);
  const rows: [string, string, string][] = [
    ['published', String(report.published), 'publishes that resolved'],
    [
      'lost',
      count(report.lost, report.violations.lost !== undefined),
      'events that a subscription should have received and did not',
    ],
    ['duplicated', count(report.duplicated, report.violations.duplicated !== undefined), 'accepted more than once'],
    ['reordered', count(report.reordered, true), 'out of order for their publisher or key'],
    ['unannounced', count(report.unannounced, true), 'losses without a signal'],
    ['false signals', count(report.falseSignals, true), 'signalled, but did not happen'],
    ['longest recovery', `${report.longestRecoveryMs} ms`, 'from the end of a fault to the next handled event'],
    ['residue', count(report.residue, true), 'left behind on the service or in a process'],
  ];
  const more = Object.entries(report.violations).filter(([kind]) => !SHOWN.has(kind));
  for (const [kind, times] of more) rows.push([kind, red(String(times)), 'broken promises of this kind']);
  return [
    `${bold(`Soak of ${report.transport}`)} ${dim(`${total} faults in ${countOf(report.histories)}, ${(report.durationMs / 1_000).toFixed(0)} s, seed ${report.seed}`)}`,
    renderTable(
      terminal,
      [{ title: 'fault' }, { title: 'done', align: 'right' }],
      [...faults.map(([kind, done]) => [kind, String(done)]), [bold('all'), bold(String(total))]],
    ),
    '',
    renderTable(
      terminal,
      [{ title: 'outcome' }, { title: 'count', align: 'right' }, { title: 'means', optional: true }],
      rows,
    ),
    report.untried.length > 0 ? dim(`not tried here: ${report.untried.join(', ')}`) : '',
    verdict,
    '',
  ].join('\n');
}

const SHOWN = new Set(['lost', 'duplicated', 'reordered', 'unannounced', 'false-signal', 'residue']);

/** Each failing history: its seed, what it broke, and the shortest one that was found. */
export function soakFailures({ failures }: SoakReport, terminal: Terminal): string {
  const { red, bold, dim } = terminal.colors;
  const shown = failures.slice(0, MAX_FAILURES).map(({ seed, violations, steps, of, reproduced }) => {
    const what = violations.slice(0, 3).map(({ kind, message }) => `    ${kind}: ${message}\n`);
    const history = steps.slice(0, MAX_STEPS).map((step) => dim(`      ${JSON.stringify(step)}\n`));
    const rest = steps.length > MAX_STEPS ? dim(`      … ${steps.length - MAX_STEPS} more steps\n`) : '';
    const length = reproduced ? `${steps.length} of ${of} steps` : `${of} steps`;
    return `${red('✗')} ${bold(`seed ${seed}`)} ${dim(`(${length})`)}\n${what.join('')}${history.join('')}${rest}`;
  });
  const more = failures.length - MAX_FAILURES;
  return shown.join('') + (more > 0 ? dim(`and ${more} more; --json has them all\n`) : '');
}

/** One line while a soak runs. */
export function soakProgress(report: SoakReport): string {
  const { histories, published, failures } = report;
  return `${countOf(histories)}, ${published} published, ${failures.length} failed`;
}

export type { Failure };

function countOf(histories: number): string {
  return histories === 1 ? '1 history' : `${histories} histories`;
}
