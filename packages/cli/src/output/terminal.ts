import type { Readable, Writable } from 'node:stream';
import pc from 'picocolors';

type Colors = ReturnType<typeof pc.createColors>;

/** Where a command reads and writes, and what may be shown there. Commands touch no other part of the process. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Is stdout a screen? Then tables are drawn and coloured; else they are plain text that tools can cut. */
  readonly screen: boolean;
  /** Is stderr a screen? Then progress is drawn as bars; else as lines. */
  readonly progressScreen: boolean;
  /** Characters a line of stdout may have. */
  readonly columns: number;
  readonly colors: Colors;
  /** What must not be shown to anybody; filled in by `runPolycast`. */
  readonly secrets?: readonly string[];
  /** Aborted by the first Ctrl-C (or SIGTERM). The second one ends the process at once. */
  readonly interrupted: AbortSignal;
}

/** This process. Honours NO_COLOR, FORCE_COLOR and TERM=dumb. */
export function processTerminal(): Terminal {
  const { env, stdout, stderr, stdin } = process;
  const screen = stdout.isTTY === true;
  // A reader that has seen enough (`| head`) closes the pipe: that is no error of ours.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  // Progress and notes that nobody reads must not end the work.
  stderr.on('error', () => {});
  return {
    stdin,
    stdout,
    stderr,
    env,
    cwd: process.cwd(),
    screen,
    progressScreen: stderr.isTTY === true && env.TERM !== 'dumb' && env.CI === undefined,
    columns: stdout.columns ?? 100,
    colors: pc.createColors(wantsColor(env, screen)),
    interrupted: interruptSignal(),
  };
}

/** @see https://no-color.org */
export function wantsColor(env: Terminal['env'], screen: boolean): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0';
  return screen && env.TERM !== 'dumb';
}

function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}
