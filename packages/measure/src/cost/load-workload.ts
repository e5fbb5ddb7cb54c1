import { readInputFile } from '../read-input-file.ts';
import { MAX_WORKLOAD_LENGTH, parseWorkload } from './parse-workload.ts';
import type { Workload } from './workload.ts';

/**
 * Reads a workload file: `.json` as JSON, anything else as YAML.
 * @throws PolycastError `invalid-configuration` if it cannot be read, or naming every problem with its line and column
 */
export async function loadWorkload(file: string): Promise<Workload> {
  const text = await readInputFile(file, { maxBytes: MAX_WORKLOAD_LENGTH });
  return parseWorkload(text, { file, format: file.toLowerCase().endsWith('.json') ? 'json' : 'yaml' });
}
