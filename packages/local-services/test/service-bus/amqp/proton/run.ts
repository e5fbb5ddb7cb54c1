import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { canInstall, installFromDebian } from '../../../../src/program.ts';

const run = promisify(execFile);

/** Debian's own, for which its archive has Proton. */
const PYTHON = '/usr/bin/python3';
const CHECK = `${PYTHON} -c 'import proton'`;

/** Makes sure that Proton is there. @throws Error that says how to install it */
export async function needProton(): Promise<void> {
  if (await present()) return;
  if (canInstall()) await installFromDebian('python3-qpid-proton', { check: CHECK });
  if (!(await present())) {
    throw new Error(
      'python3-qpid-proton is missing: install it (Debian and Ubuntu: apt-get install python3-qpid-proton)',
    );
  }
}

async function present(): Promise<boolean> {
  return run('sh', ['-c', CHECK]).then(
    () => true,
    () => false,
  );
}

export type Step = { readonly do: string } & Readonly<Record<string, unknown>>;

/** What one step gave: `ok`, or how it was refused. */
export interface Result {
  readonly ok?: unknown;
  readonly detached?: string;
  readonly failed?: string;
}

/** Runs the steps one after the other in a process of their own. */
export async function proton(steps: readonly Step[]): Promise<Result[]> {
  const child = spawn(PYTHON, [fileURLToPath(new URL('./client.py', import.meta.url))]);
  let [said, complained] = ['', ''];
  child.stdout.on('data', (chunk) => (said += chunk));
  child.stderr.on('data', (chunk) => (complained += chunk));
  child.stdin.end(JSON.stringify(steps));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`proton ended with ${code}: ${complained}`);
  return said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Result);
}
