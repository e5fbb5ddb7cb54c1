import type { Command } from 'commander';
import type { ExitCode } from './exit-code.ts';
import type { Terminal } from './output/terminal.ts';

/** What every file in `commands/` exports by default. */
export interface CommandModule {
  /** Declares arguments and options; `program.ts` has set name and summary. */
  declare(command: Command): void;
  /** Examples at the end of the help: the line, and what it does. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** @returns how the process ends. What it throws is shown as `code: message`, with what to do about it. */
  run(args: readonly string[], options: Record<string, unknown>, terminal: Terminal): Promise<ExitCode>;
}

/** Gives a command's options their type: commander parses what `declare` said. */
export function defineCommand<Options>(command: {
  declare(command: Command): void;
  examples: CommandModule['examples'];
  run(args: readonly string[], options: Options, terminal: Terminal): Promise<ExitCode>;
}): CommandModule {
  return command as CommandModule;
}
