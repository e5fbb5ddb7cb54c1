import { redactUrl } from '@polycast/core/configuration';
import { defineCommand } from '../command.ts';
import { checkConfiguration } from '../doctor/configuration.ts';
import type { Finding } from '../doctor/finding.ts';
import { checkInstalled } from '../doctor/installed.ts';
import { checkReachable } from '../doctor/reachable.ts';
import { EXIT } from '../exit-code.ts';
import { JSON_HELP, writeJson } from '../output/json-file.ts';
import type { Terminal } from '../output/terminal.ts';
import { several } from '../parse-option.ts';

interface Options {
  url?: string[];
  json?: string;
}

export default defineCommand<Options>({
  examples: [
    ['polycast doctor', 'this machine, this project, and every transport it configures'],
    ['polycast doctor --url redis://cache:6379', 'one more server'],
    ['polycast doctor --json -', 'for scripts'],
  ],

  declare(command) {
    command
      .option('-u, --url <url>', 'also try to reach this URL; may be repeated', several)
      .option('--json <file>', JSON_HELP);
  },

  async run(_args, options, terminal) {
    const { findings: configured, targets } = await checkConfiguration(terminal);
    const given = (options.url ?? []).map((url) => ({ name: redactUrl(url), url }));
    const sections: readonly (readonly [title: string, findings: readonly Finding[]])[] = [
      ['Installed', await checkInstalled()],
      ['Configured', configured],
      ['Reachable', await checkReachable([...targets, ...given], terminal.secrets)],
    ];
    const findings = sections.flatMap(([section, found]) =>
      found.map((finding) => ({ section: section.toLowerCase(), ...finding })),
    );
    const problems = findings.filter(({ status }) => status === 'problem').length;
    if (options.json !== undefined) await writeJson(options.json, { healthy: problems === 0, findings }, terminal);
    if (options.json !== '-') terminal.stdout.write(show(sections, problems, terminal));
    return problems === 0 ? EXIT.ok : EXIT.failed;
  },
});

function show(
  sections: readonly (readonly [string, readonly Finding[]])[],
  problems: number,
  { colors }: Terminal,
): string {
  const marks = { ok: colors.green('✓'), absent: colors.dim('−'), problem: colors.red('✗') };
  const blocks = sections.map(([title, findings]) => {
    const width = Math.max(0, ...findings.map(({ what }) => what.length));
    const lines = findings.map(({ status, what, detail, advice }) => {
      const todo = advice === undefined ? '' : `\n    ${colors.dim('→')} ${advice}`;
      return `  ${marks[status]} ${what.padEnd(width)}  ${colors.dim(detail)}${todo}`;
    });
    return [colors.bold(title), ...(lines.length > 0 ? lines : [`  ${colors.dim('nothing')}`])].join('\n');
  });
  const verdict =
    problems === 0
      ? colors.green('All is well.')
      : colors.red(`${problems} ${problems === 1 ? 'problem' : 'problems'}.`);
  return `${blocks.join('\n\n')}\n\n${verdict}\n`;
}
