import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { canInstall, installFromDebian } from '../../../../src/process/program.ts';

const run = promisify(execFile);

/** Debian's own, for which its archive has clients of AMQP. */
export const PYTHON = '/usr/bin/python3';

/** Makes sure that Proton is there. @throws Error that says how to install it */
export function needProton(): Promise<void> {
  return needFromDebian('python3-qpid-proton', 'proton');
}

/** @param module of Python, which the package brings @throws Error that says how to install it */
export async function needFromDebian(packageName: string, module: string): Promise<void> {
  const check = `${PYTHON} -c 'import ${module}'`;
  if (await succeeds(check)) return;
  if (canInstall()) await installFromDebian(packageName, { check });
  if (await succeeds(check)) return;
  throw new Error(`${packageName} is missing: install it (Debian and Ubuntu: apt-get install ${packageName})`);
}

async function succeeds(command: string): Promise<boolean> {
  return run('sh', ['-c', command]).then(
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
