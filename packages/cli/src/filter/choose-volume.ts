import type { Workload } from '@polycast/measure';
import type { Terminal } from '../output/terminal.ts';
import { chooseWorkload } from '../workload-choice.ts';

export interface VolumeOptions {
  readonly workload?: string;
  /** A month. */
  readonly publishes?: number;
  readonly subscribers?: number;
  /** Bytes of data. */
  readonly payload?: number;
}

/** A workload, with what the command line says in place of what it says. */
export async function chooseVolume(options: VolumeOptions, terminal: Terminal): Promise<Workload> {
  const { withVolume } = await import('@polycast/measure');
  const { publishes, subscribers, payload } = options;
  let workload = await chooseWorkload(options.workload, terminal);
  if (publishes === undefined && subscribers === undefined && payload === undefined) return workload;
  if (publishes !== undefined) workload = withVolume(workload, publishes);
  return {
    ...workload,
    name: `${workload.name}, changed`,
    ...(subscribers !== undefined && { subscribers }),
    ...(payload !== undefined && { payloadBytes: payload }),
  };
}
