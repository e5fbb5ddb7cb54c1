import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Plan } from './plan.ts';
import type { Role } from './travel.ts';

/** Ends this process at once, as a crash would: nothing is closed, nobody is told. */
export function crash(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** Never goes on and never lets go. All that can befall one instance of a process without the others. */
export function fallSilent(): Promise<never> {
  return new Promise(() => {});
}

/** One instance of a role that will {@link crash}, in a process of its own. Resolves when it listens. */
export async function startDoomed(role: Role, { url, topic, slowMs }: Plan): Promise<ChildProcess> {
  const slow = Object.entries(slowMs).flatMap(([name, ms]) => (name === role ? ['--slow', `${name}=${ms}`] : []));
  const args = ['--role', role, '--kill', role, '--instances', '1', '--topic', topic, ...slow];
  // The URL may hold a password, and arguments are shown to everybody on the machine.
  const child = fork(new URL('./main.js', import.meta.url), args, { env: { ...process.env, POLYCAST_URL: url } });
  const [word] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (word !== 'ready') throw new Error(`the ${role} process that was to be killed did not start`);
  return child;
}
