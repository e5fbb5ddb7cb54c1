import { resolve } from 'node:path';
import type { Workload } from '@polycast/measure';
import type { Terminal } from './output/terminal.ts';

/** A packaged workload by its name, else the file. @throws PolycastError `invalid-configuration` */
export async function chooseWorkload(choice: string | undefined, terminal: Terminal): Promise<Workload> {
  const { DEFAULT_WORKLOAD, loadWorkload, WORKLOADS } = await import('@polycast/measure');
  if (choice === undefined) return DEFAULT_WORKLOAD;
  if (Object.hasOwn(WORKLOADS, choice)) return WORKLOADS[choice]!;
  return loadWorkload(resolve(terminal.cwd, choice));
}
