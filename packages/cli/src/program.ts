import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import type { CommandModule } from './command.ts';
import { EXIT, type ExitCode, exitCodeOf, UsageError } from './exit-code.ts';
import { showFailure } from './output/failure.ts';
import { hideSecrets, knownSecrets } from './output/secrets.ts';
import type { Terminal } from './output/terminal.ts';
import { checkWritable } from './output/writable-file.ts';

/** Words that stand before several commands. */
const GROUPS: readonly { readonly name: string; readonly summary: string }[] = [
  { name: 'filter', summary: 'evaluate filters, and see which part each broker can evaluate' },
];

/** The commands, some behind the name of their group. A module is loaded when it is asked for, so that `--help` costs nothing. */
const COMMANDS: readonly {
  readonly name: string;
  readonly summary: string;
  /** Does it use adapters? */
  readonly connects?: true;
  readonly load: () => Promise<{ readonly default: CommandModule }>;
}[] = [
  {
    name: 'compare',
    summary: 'conformance, latency and cost of several transports, side by side',
    connects: true,
    load: () => import('./commands/compare.ts'),
  },
  {
    name: 'conform',
    summary: 'check a transport against the contract, clause by clause',
    connects: true,
    load: () => import('./commands/conform.ts'),
  },
  {
    name: 'bench',
    summary: 'measure latency and loss at a fixed rate',
    connects: true,
    load: () => import('./commands/bench.ts'),
  },
  {
    name: 'cost',
    summary: 'price a workload on every service',
    load: () => import('./commands/cost.ts'),
  },
  {
    name: 'filter explain',
    summary: 'show which part of a filter each broker evaluates, and what that saves',
    load: () => import('./commands/filter-explain.ts'),
  },
  {
    name: 'filter eval',
    summary: 'evaluate a filter on events',
    load: () => import('./commands/filter-eval.ts'),
  },
  {
    name: 'emulate',
    summary: 'run a local service that speaks the protocol of a cloud service',
    load: () => import('./commands/emulate.ts'),
  },
  { name: 'pub', summary: 'publish events', connects: true, load: () => import('./commands/pub.ts') },
  { name: 'sub', summary: 'print events as they arrive', connects: true, load: () => import('./commands/sub.ts') },
  {
    name: 'doctor',
    summary: 'show what is installed, configured and reachable, and how to fix problems',
    connects: true,
    load: () => import('./commands/doctor.ts'),
  },
  { name: 'init', summary: 'write a polycast.config file', load: () => import('./commands/init.ts') },
];

const AFTERWORD = `
Exit codes: 0 success · 1 negative result (a MUST failed, events were lost, …) · 2 invalid usage or configuration ·
            3 the service is unreachable or refused access · 130 interrupted by Ctrl-C

Examples:
  $ polycast compare                                     memory and Redis, side by side, with a report
  $ polycast sub --url redis://localhost:6379            print what is published there …
  $ polycast pub --url redis://localhost:6379 '"hello"'  … from another terminal
  $ polycast help sub                                    more about one command`;

/**
 * Runs the command line and says how the process should end. Never rejects.
 * @param args without node and the script: `['sub', '--url', 'memory:']`
 */
export async function runPolycast(args: readonly string[], given: Terminal): Promise<ExitCode> {
  const terminal = { ...given, secrets: knownSecrets(args, given.env) };
  let exit: ExitCode = EXIT.ok;
  const program = new Command('polycast')
    .description('One broadcast contract over many transports: prove, measure and price your choice.')
    .version(version(), '-V, --version')
    .addHelpText('after', AFTERWORD);
  prepare(program, terminal);

  const groups = new Map<string, Command>();
  for (const { name, summary, connects, load } of COMMANDS) {
    const [word, subword] = name.split(' ') as [string, string | undefined];
    const parent = subword === undefined ? program : (groups.get(word) ?? declareGroup(program, word, terminal));
    if (subword !== undefined) groups.set(word, parent);
    const command = declareCommand(parent, subword ?? word, summary, terminal);
    if (!args.includes(word) || (subword !== undefined && !args.includes(subword))) continue;
    const module = (await load()).default;
    module.declare(command);
    command.option('--verbose', 'show where an error comes from').addHelpText('after', examples(module));
    command.action(async () => {
      await checkOutputs(command.opts(), terminal);
      if (connects) await noteReplacedAdapters(terminal);
      exit = await module.run(command.args, command.opts(), terminal);
    });
  }

  try {
    await program.parseAsync(withoutHelpWord(program, args), { from: 'user' });
    return exit;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
    showFailure(thrown, terminal, { verbose: args.includes('--verbose') });
    return exitCodeOf(thrown);
  }
}

/** Which code a result is about must not be a guess. */
async function noteReplacedAdapters({ stderr, colors }: Terminal): Promise<void> {
  const { replacedAdapters } = await import('./transports.ts');
  const names = replacedAdapters();
  if (names.length === 0) return;
  const note = `using ${names.join(', ')} of this command line: the project has another copy of @polycast/core. To use the project's own, install polycast in it`;
  stderr.write(`${colors.dim(note)}\n`);
}

/** A result that cannot be written must not cost minutes of work, and nothing may have been done by then. */
async function checkOutputs(options: Record<string, unknown>, terminal: Terminal): Promise<void> {
  for (const name of ['json', 'html']) {
    const file = options[name];
    if (typeof file !== 'string' || (file === '-' && name === 'json')) continue;
    if (file === '' || file === '-') throw new UsageError(`--${name} needs a file name`);
    await checkWritable(file, terminal);
  }
}

function declareGroup(program: Command, name: string, terminal: Terminal): Command {
  const { summary } = GROUPS.find((group) => group.name === name)!;
  return declareCommand(program, name, summary, terminal);
}

function declareCommand(parent: Command, name: string, summary: string, terminal: Terminal): Command {
  const command = parent
    .command(name)
    .summary(summary)
    .description(`${capital(summary)}.`);
  prepare(command, terminal);
  return command;
}

/** Commander writes to the terminal we were given and throws instead of ending the process. */
function prepare(command: Command, terminal: Terminal): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => terminal.stdout.write(text),
    writeErr: (text) => terminal.stderr.write(text),
    outputError: (text, write) => write(terminal.colors.red(hideSecrets(text, terminal.secrets))),
    getOutHelpWidth: () => Math.min(terminal.columns, 120),
    getErrHelpWidth: () => Math.min(terminal.columns, 120),
    getOutHasColors: () => terminal.colors.isColorSupported,
    getErrHasColors: () => terminal.colors.isColorSupported,
  });
  command.showSuggestionAfterError().showHelpAfterError(`run \`${nameOf(command)} --help\` for usage`);
  command.configureHelp({ styleTitle: (title) => terminal.colors.bold(title) });
}

/**
 * `help filter eval` as `filter eval --help`, and `help foo` as `foo`, which is an error: commander's own `help` knows no
 * commands of a group, and answers an unknown one with the general help.
 */
function withoutHelpWord(program: Command, args: readonly string[]): string[] {
  if (args[0] !== 'help' || args.length === 1) return [...args];
  let command = program;
  for (const [at, word] of args.slice(1).entries()) {
    if (word.startsWith('-') || command.commands.length === 0) break;
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined && word !== 'help') return args.slice(1, at + 2);
    if (next === undefined) break;
    command = next;
  }
  return [...args.slice(1), '--help'];
}

/** With the names of what it belongs to: `polycast filter eval`. */
function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

function examples({ examples }: CommandModule): string {
  const width = Math.max(...examples.map(([line]) => line.length)) + 2;
  const lines = examples.map(([line, does]) => `  $ ${line.padEnd(width)}${does}`);
  return `\nExamples:\n${lines.join('\n')}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function version(): string {
  return (createRequire(import.meta.url)('../package.json') as { version: string }).version;
}
