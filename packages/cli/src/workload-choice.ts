import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { PolycastError } from '@polycast/core';
import type { Workload } from '@polycast/measure';
import type { Terminal } from './output/terminal.ts';

/** A packaged workload by its name, else the file. @throws PolycastError `invalid-configuration` */
export async function chooseWorkload(choice: string | undefined, terminal: Terminal): Promise<Workload> {
  const { DEFAULT_WORKLOAD, loadWorkload, WORKLOADS } = await import('@polycast/measure');
  if (choice === undefined) return DEFAULT_WORKLOAD;
  if (Object.hasOwn(WORKLOADS, choice)) return WORKLOADS[choice]!;
  const file = resolve(terminal.cwd, choice);
  if (!existsSync(file)) {
    throw new PolycastError(
      'invalid-configuration',
      `${file}: cannot be read: no such file, and no packaged workload of that name; available: ${Object.keys(WORKLOADS).join(', ')}`,
    );
  }
  return loadWorkload(file);
}
