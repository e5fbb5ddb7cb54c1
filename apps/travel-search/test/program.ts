import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** The example in a process of its own. */
export interface Program {
  readonly child: ChildProcess;
  /** Standard output and error so far. */
  said(): string;
  /** Resolves with the match once one of both has it; rejects when the program ends without. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with its exit code. */
  readonly ended: Promise<number | null>;
  /** As Ctrl-C does. */
  stop(): Promise<number | null>;
}

/** Ends with the test, of which several may run at once. */
export function run({ onTestFinished }: TestContext, ...args: readonly string[]): Program {
  if (!existsSync(main)) throw new Error('build first: node scripts/pnpm.mjs build');
  const { POLYCAST_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  let said = '';
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      for (const watch of watchers) watch();
    });
  }
  const stop = () => {
    child.kill('SIGINT');
    return ended;
  };
  onTestFinished(async () => {
    await stop();
  });
  return {
    child,
    said: () => said,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const watch = () => {
          const match = pattern.exec(said);
          if (match === null) return;
          watchers.delete(watch);
          resolve(match);
        };
        watchers.add(watch);
        watch();
        ended.then(() => reject(new Error(`it ended without saying ${pattern}:\n${said}`)));
      }),
    ended,
    stop,
  };
}

/** Resolves with the page's address once all of it listens. */
export async function pageOf(program: Program): Promise<string> {
  const [, page = ''] = await program.says(/^open (\S+)$/m);
  return page;
}
