import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import pc from 'picocolors';
import { onTestFinished } from 'vitest';
import { type ExitCode, runPolycast, type Terminal } from '../src/index.ts';

/** A command that runs in this process, on a terminal made of streams. */
export interface Running {
  /** Everything written so far. */
  out(): string;
  err(): string;
  type(text: string): void;
  /** End of standard input. */
  end(): void;
  ctrlC(): void;
  /** Resolves when stdout or stderr contains the text. */
  says(text: string): Promise<void>;
  readonly exit: Promise<ExitCode>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly screen?: boolean;
}

/** Starts `polycast …` within this process. */
export function start(
  args: readonly string[],
  { env = {}, cwd = process.cwd(), screen = false }: RunOptions = {},
): Running {
  const stdin = new PassThrough();
  const written = { out: '', err: '' };
  const watchers = new Set<() => void>();
  const sink = (to: 'out' | 'err') => {
    const stream = new PassThrough();
    stream.setEncoding('utf8').on('data', (text: string) => {
      written[to] += text;
      for (const watch of watchers) watch();
    });
    return stream;
  };
  const interrupt = new AbortController();
  const terminal: Terminal = {
    stdin,
    stdout: sink('out'),
    stderr: sink('err'),
    env,
    cwd,
    screen,
    progressScreen: false,
    columns: 100,
    colors: pc.createColors(screen),
    interrupted: interrupt.signal,
  };
  const exit = runPolycast(args, terminal);
  return {
    out: () => written.out,
    err: () => written.err,
    type: (text) => void stdin.write(text),
    end: () => void stdin.end(),
    ctrlC: () => interrupt.abort(),
    says: (text) =>
      new Promise((resolve) => {
        const watch = () => {
          if (!written.out.includes(text) && !written.err.includes(text)) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
        watch();
      }),
    exit,
  };
}

/** Runs `polycast …` to its end. */
export async function polycast(args: readonly string[], options?: RunOptions) {
  const running = start(args, options);
  running.end();
  const exit = await running.exit;
  // The streams hand over what was written on the next turn.
  await new Promise((resolve) => setImmediate(resolve));
  return { exit, out: running.out(), err: running.err() };
}

/** An empty folder that goes with the test. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'polycast-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
