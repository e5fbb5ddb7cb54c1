import { fork } from 'node:child_process';

/** Runs a module in a fresh process and resolves to the one message it sends. */
export function runAlone<Result>(
  module: URL,
  args: readonly string[],
  { execArgv = [], timeoutMs = 120_000 }: { execArgv?: string[]; timeoutMs?: number } = {},
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = fork(module, args, { execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let result: { value: Result } | undefined;
    let errors = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.stderr!.on('data', (bytes: Buffer) => {
      errors = (errors + bytes).slice(-2_000);
    });
    child.on('message', (message) => {
      result = { value: message as Result };
      // Some contenders leave handles behind. No `disconnect` before: there would be no `close` after.
      child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (result) resolve(result.value);
      else reject(new Error(`${args.join(' ')} ended without a result (${signal ?? code}): ${errors}`));
    });
  });
}
